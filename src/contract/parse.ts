import { z } from "zod";
import { CurtainwallError } from "../shared/index.ts";
import type { Access } from "./access.ts";
import type {
  Contract,
  ContractEdge,
  ContractRoute,
  ContractSite,
  ContractUpstream,
  Identity,
  Weakening,
} from "./contract.ts";
import { none } from "./define.ts";
import type { Schema, TokenAlgorithm } from "./define.ts";
import type { ContractErrorCode } from "./errors.ts";
import { parseLimit } from "./limit.ts";
import type { Limit } from "./limit.ts";
import { paramNames, parseRouteKey } from "./path.ts";
import type { RouteKeyParts } from "./path.ts";
import { nearest } from "./nearest.ts";
import { closeObjects, inspectSchema } from "./schema.ts";

type Members = Readonly<Record<string, unknown>>;

interface Problem {
  code: ContractErrorCode;
  message: string;
  hint?: string | undefined;
}

/** Collects what is wrong, so that one start tells all of it. */
class Problems {
  readonly list: Problem[] = [];
  readonly weakenings: Weakening[] = [];

  add(code: ContractErrorCode, message: string, hint?: string): undefined {
    this.list.push({ code, message, hint });
  }

  throwIfAny(): void {
    const [first, ...others] = this.list;
    if (first === undefined) return;
    if (others.length === 0)
      throw new CurtainwallError(
        first.code,
        first.message,
        first.hint === undefined ? {} : { hint: first.hint },
      );
    const lines = this.list.map(
      ({ code, message, hint }) => `${code}: ${message}${hint === undefined ? "" : `\n    ${hint}`}`,
    );
    throw new CurtainwallError(
      first.code,
      `The contract has ${this.list.length} problems.\n  ${lines.join("\n  ")}`,
    );
  }
}

/**
 * Checks a contract and fills in its defaults. Tells everything that is wrong in one error, with the line to write.
 *
 * @throws {CurtainwallError} with the code of the first problem: `CONTRACT_SHAPE_INVALID`, `CONTRACT_OPTION_UNKNOWN`,
 *   `CONTRACT_ROUTE_INCOMPLETE`, `CONTRACT_SCHEMA_OPEN` and the others that `docs/errors.md` lists.
 */
export function parseContract(stack: unknown): Contract {
  const problems = new Problems();
  if (!isMembers(stack) || stack.kind !== "stack") {
    throw new CurtainwallError("CONTRACT_SHAPE_INVALID", "The contract was not made by defineStack().", {
      hint: 'Write  export default defineStack({ origin: "https://…", … })  in curtainwall.config.ts',
    });
  }
  checkNames(problems, "the contract", stack, [
    "kind",
    "origin",
    "site",
    "identity",
    "upstreams",
    "cors",
    "edge",
    "routes",
  ]);
  const origin = parseOrigin(problems, "origin", stack.origin);
  const upstreams = parseUpstreams(problems, stack.upstreams);
  const identity = parseIdentity(problems, stack.identity);
  const routes = parseRoutes(problems, stack.routes, {
    upstreams,
    hasIdentity: stack.identity !== undefined,
  });
  const contract: Contract = {
    origin,
    site: parseSite(problems, stack.site),
    identity,
    upstreams,
    corsOrigins: parseCors(problems, stack.cors, origin),
    edge: parseEdge(problems, stack.edge, origin),
    routes,
    apiRoots: new Set(routes.map((route) => route.path.split("/")[1] ?? "")),
    weakenings: problems.weakenings,
  };
  problems.throwIfAny();
  return contract;
}

const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isSchema = (value: unknown): value is Schema => isMembers(value) && "_zod" in value;
function quote(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "function") return "a function";
  if (isSchema(value)) return "a Zod schema";
  const text = asJson(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** Whatever a contract holds can be quoted in an error, what JSON can't write too. */
function asJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return typeof value === "bigint" ? `${value}n` : "an object";
  }
}

function checkNames(problems: Problems, where: string, value: Members, known: readonly string[]): void {
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue;
    const close = nearest(name, known);
    problems.add(
      "CONTRACT_OPTION_UNKNOWN",
      `${where}: there is no option "${name}".`,
      close === undefined
        ? `Options: ${known.filter((option) => option !== "kind").join(", ")}`
        : `Did you mean "${close}"?`,
    );
  }
}

/** Reads a part of the contract that is an object of options. */
function section(
  problems: Problems,
  where: string,
  value: unknown,
  known: readonly string[],
): Members | undefined {
  if (value === undefined) return undefined;
  if (!isMembers(value))
    return problems.add("CONTRACT_OPTION_INVALID", `${where} must be an object, not ${quote(value)}.`);
  checkNames(problems, where, value, known);
  return value;
}

function text(problems: Problems, where: string, value: unknown): string {
  if (typeof value === "string" && value !== "") return value;
  problems.add("CONTRACT_OPTION_INVALID", `${where} must be a text, not ${quote(value)}.`);
  return "";
}

function optionalText(problems: Problems, where: string, value: unknown): string | undefined {
  return value === undefined ? undefined : text(problems, where, value);
}

interface NumberRange {
  min: number;
  max: number;
  fallback: number;
}

function number(
  problems: Problems,
  where: string,
  value: unknown,
  { min, max, fallback }: NumberRange,
): number {
  if (value === undefined) return fallback;
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  problems.add(
    "CONTRACT_OPTION_INVALID",
    `${where} must be a whole number from ${min} to ${max}, not ${quote(value)}.`,
  );
  return fallback;
}

/** Reads an option that weakens a default: its value is the reason. Returns whether it was given. */
function weakened(problems: Problems, at: string, reason: unknown): boolean {
  if (reason === undefined) return false;
  if (typeof reason !== "string" || reason.trim().length < 8) {
    problems.add(
      "CONTRACT_REASON_MISSING",
      `${at} must say why that is safe here, in words.`,
      `${at.split(".").at(-1)}: "listens on loopback only"`,
    );
    return false;
  }
  problems.weakenings.push({ at, reason });
  return true;
}

const blankUrl = new URL("https://invalid.invalid");

function parseUrl(problems: Problems, where: string, value: unknown, allowHttp: boolean): URL {
  const url = typeof value === "string" ? URL.parse(value) : null;
  if (url === null) {
    problems.add("CONTRACT_OPTION_INVALID", `${where} must be an absolute URL, not ${quote(value)}.`);
    return blankUrl;
  }
  if (url.protocol === "http:" && !allowHttp) {
    problems.add(
      "CONTRACT_HTTP_REFUSED",
      `${where} must be https: what travels over http can be read and changed on the way.`,
      'If it never leaves the machine, say so:  insecureAllowHttp: "listens on loopback only"',
    );
  } else if (url.protocol !== "https:" && url.protocol !== "http:") {
    problems.add("CONTRACT_OPTION_INVALID", `${where} must be https, not ${quote(url.protocol)}.`);
    return blankUrl;
  }
  if (url.username !== "" || url.password !== "")
    problems.add("CONTRACT_OPTION_INVALID", `${where} must not hold a user or password.`);
  if (url.hash !== "" || url.search !== "")
    problems.add("CONTRACT_OPTION_INVALID", `${where} must not have a query or fragment.`);
  return url;
}

function parseOrigin(problems: Problems, where: string, value: unknown): string {
  if (value === undefined) {
    problems.add(
      "CONTRACT_SHAPE_INVALID",
      "The contract does not say where the site is found.",
      'Add  origin: "https://www.example.com",',
    );
    return blankUrl.origin;
  }
  const url = parseUrl(problems, where, value, false);
  if (url.origin !== value && url !== blankUrl) {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where} must be scheme, host and port only.`,
      `Write  "${url.origin}"`,
    );
  }
  return url.origin;
}

function parseCors(problems: Problems, value: unknown, own: string): string[] {
  const options = section(problems, "cors", value, ["origins"]);
  if (options === undefined) return [];
  if (!Array.isArray(options.origins)) {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      "cors.origins must be a list of origins.",
      'cors: { origins: ["https://app.example.com"] }',
    );
    return [];
  }
  const origins = options.origins.map((entry: unknown, index) =>
    parseOrigin(problems, `cors.origins[${index}]`, entry),
  );
  return [...new Set(origins)].filter((entry) => entry !== own);
}

function parseUpstreams(problems: Problems, value: unknown): Map<string, ContractUpstream> {
  const upstreams = new Map<string, ContractUpstream>();
  if (value !== undefined && !isMembers(value))
    problems.add("CONTRACT_OPTION_INVALID", `upstreams must be an object, not ${quote(value)}.`);
  for (const [name, entry] of Object.entries(isMembers(value) ? value : {})) {
    const where = `upstreams.${name}`;
    if (!isMembers(entry) || entry.kind !== "upstream") {
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `${where} was not made by upstream().`,
        `${name}: upstream({ url: "https://…" }),`,
      );
      continue;
    }
    checkNames(problems, where, entry, [
      "kind",
      "url",
      "timeoutMs",
      "maxResponseBytes",
      "caFile",
      "insecureAllowHttp",
    ]);
    const allowHttp = weakened(problems, `${where}.insecureAllowHttp`, entry.insecureAllowHttp);
    upstreams.set(name, {
      name,
      url: parseUrl(problems, `${where}.url`, entry.url, allowHttp),
      timeoutMs: number(problems, `${where}.timeoutMs`, entry.timeoutMs, {
        min: 1,
        max: 300_000,
        fallback: 5000,
      }),
      maxResponseBytes: number(problems, `${where}.maxResponseBytes`, entry.maxResponseBytes, {
        min: 1,
        max: 268_435_456,
        fallback: 1_048_576,
      }),
      caFile: optionalText(problems, `${where}.caFile`, entry.caFile),
    });
  }
  return upstreams;
}

const tokenAlgorithms: readonly TokenAlgorithm[] = ["RS256", "ES256", "EdDSA"];

function parseIdentity(problems: Problems, value: unknown): Identity | undefined {
  const options = section(problems, "identity", value, [
    "issuer",
    "audience",
    "jwksUrl",
    "algorithms",
    "rolesClaim",
    "clockToleranceSeconds",
    "caFile",
    "insecureAllowHttp",
  ]);
  if (options === undefined) return undefined;
  const allowHttp = weakened(problems, "identity.insecureAllowHttp", options.insecureAllowHttp);
  const algorithms = options.algorithms ?? tokenAlgorithms;
  if (
    !Array.isArray(algorithms) ||
    algorithms.length === 0 ||
    algorithms.some((name) => !tokenAlgorithms.includes(name as TokenAlgorithm))
  ) {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `identity.algorithms must be a list of ${tokenAlgorithms.join(", ")}, not ${quote(algorithms)}.`,
    );
  }
  parseUrl(problems, "identity.issuer", options.issuer, allowHttp);
  if (options.jwksUrl !== undefined) parseUrl(problems, "identity.jwksUrl", options.jwksUrl, allowHttp);
  return {
    // Not normalised: a token's `iss` is compared with it to the letter (RFC 8414 §2).
    issuer: text(problems, "identity.issuer", options.issuer),
    audience: text(problems, "identity.audience", options.audience),
    jwksUrl: optionalText(problems, "identity.jwksUrl", options.jwksUrl),
    algorithms: algorithms as TokenAlgorithm[],
    rolesClaim:
      options.rolesClaim === undefined ? "roles" : text(problems, "identity.rolesClaim", options.rolesClaim),
    clockToleranceSeconds: number(problems, "identity.clockToleranceSeconds", options.clockToleranceSeconds, {
      min: 0,
      max: 60,
      fallback: 5,
    }),
    caFile: optionalText(problems, "identity.caFile", options.caFile),
  };
}

function parseSite(problems: Problems, value: unknown): ContractSite | undefined {
  const options = section(problems, "site", value, ["content", "templates", "assets", "collections"]);
  if (options === undefined) return undefined;
  const collections = new Map<string, Schema>();
  if (!isMembers(options.collections)) {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      "site.collections must name each collection's front matter.",
      "collections: { pages: z.object({ title: z.string() }) },",
    );
  } else {
    for (const [name, schema] of Object.entries(options.collections)) {
      if (isSchema(schema)) collections.set(name, closeObjects(schema, "refuse"));
      else
        problems.add(
          "CONTRACT_OPTION_INVALID",
          `site.collections.${name} must be a Zod schema, not ${quote(schema)}.`,
        );
    }
  }
  return {
    content: text(problems, "site.content", options.content),
    templates: text(problems, "site.templates", options.templates),
    assets: optionalText(problems, "site.assets", options.assets),
    collections,
  };
}

const loopbackNames = new Set(["localhost", "127.0.0.1", "[::1]"]);

function parseEdge(problems: Problems, value: unknown, origin: string): ContractEdge {
  const options =
    section(problems, "edge", value, [
      "addresses",
      "port",
      "redirectPort",
      "threads",
      "certificate",
      "maxClients",
    ]) ?? {};
  const url = new URL(origin);
  const port = number(problems, "edge.port", options.port, {
    min: 0,
    max: 65_535,
    fallback: url.port === "" ? 443 : Number(url.port),
  });
  const { addresses, certificate } = options;
  if (
    addresses !== undefined &&
    (!Array.isArray(addresses) ||
      addresses.length === 0 ||
      addresses.some((entry) => typeof entry !== "string"))
  ) {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `edge.addresses must be a list of IP addresses, not ${quote(addresses)}.`,
    );
  }
  const files = section(problems, "edge.certificate", certificate, ["certFile", "keyFile"]);
  const isLocal = loopbackNames.has(url.hostname) || url.hostname.endsWith(".localhost");
  return {
    addresses: (addresses as string[] | undefined) ?? (isLocal ? ["127.0.0.1", "::1"] : ["::"]),
    port,
    redirectPort:
      options.redirectPort === false
        ? false
        : options.redirectPort === undefined
          ? port === 443
            ? 80
            : false
          : number(problems, "edge.redirectPort", options.redirectPort, {
              min: 0,
              max: 65_535,
              fallback: 80,
            }),
    threads:
      options.threads === undefined
        ? undefined
        : number(problems, "edge.threads", options.threads, { min: 1, max: 256, fallback: 1 }),
    certificate:
      files === undefined
        ? undefined
        : {
            certFile: text(problems, "edge.certificate.certFile", files.certFile),
            keyFile: text(problems, "edge.certificate.keyFile", files.keyFile),
          },
    maxClients: number(problems, "edge.maxClients", options.maxClients, {
      min: 1000,
      max: 10_000_000,
      fallback: 100_000,
    }),
  };
}

interface RouteSurroundings {
  upstreams: ReadonlyMap<string, ContractUpstream>;
  hasIdentity: boolean;
}

const routeOptions = [
  "access",
  "limit",
  "params",
  "query",
  "body",
  "response",
  "to",
  "summary",
  "maxBodyBytes",
  "timeoutMs",
  "insecureOpenInput",
];

function parseRoutes(problems: Problems, value: unknown, surroundings: RouteSurroundings): ContractRoute[] {
  if (value !== undefined && !isMembers(value))
    problems.add("CONTRACT_OPTION_INVALID", `routes must be an object, not ${quote(value)}.`);
  const routes: ContractRoute[] = [];
  const shapes = new Map<string, string>();
  for (const [key, options] of Object.entries(isMembers(value) ? value : {})) {
    const parts = parseRouteKey(key);
    if (typeof parts === "string") {
      problems.add(
        "CONTRACT_ROUTE_KEY_INVALID",
        `Route ${quote(key)}: ${parts}.`,
        'Write  "GET /api/products/:id": { … }',
      );
      continue;
    }
    const shape = `${parts.method} ${parts.segments.map((segment) => ("text" in segment ? segment.text : ":")).join("/")}`;
    const twin = shapes.get(shape);
    if (twin !== undefined)
      problems.add(
        "CONTRACT_ROUTE_CONFLICT",
        `Routes ${quote(twin)} and ${quote(key)} match the same requests.`,
      );
    shapes.set(shape, key);
    if (!isMembers(options))
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `Route ${quote(key)} must be an object, not ${quote(options)}.`,
      );
    else routes.push(parseRoute(problems, key, parts, options, surroundings));
  }
  return routes;
}

function parseRoute(
  problems: Problems,
  key: string,
  parts: RouteKeyParts,
  options: Members,
  { upstreams, hasIdentity }: RouteSurroundings,
): ContractRoute {
  const where = `Route ${quote(key)}`;
  const at = `routes[${quote(key)}]`;
  checkNames(problems, where, options, routeOptions);
  const acceptsOpen = weakened(problems, `${at}.insecureOpenInput`, options.insecureOpenInput);
  const input = (name: string, schema: unknown): Schema | undefined =>
    closedInput(problems, `${where}, ${name}`, schema, acceptsOpen);
  const to = typeof options.to === "string" ? options.to : "";
  if (options.to === undefined) {
    problems.add(
      "CONTRACT_ROUTE_INCOMPLETE",
      `${where} does not say who answers it.`,
      `Add  to: "${upstreams.keys().next().value ?? "…"}",`,
    );
  } else if (!upstreams.has(to)) {
    problems.add(
      "CONTRACT_REFERENCE_UNKNOWN",
      `${where} is sent to ${quote(options.to)}, which is not among the upstreams.`,
      `Upstreams: ${[...upstreams.keys()].join(", ") || "none"}`,
    );
  }
  const takesBody = parts.method === "POST" || parts.method === "PUT" || parts.method === "PATCH";
  return {
    key,
    ...parts,
    access: parseAccess(problems, where, options.access, parts, hasIdentity),
    limits: parseLimits(problems, where, options.limit, options.access),
    params: parseParams(problems, where, options.params, parts, input),
    query:
      options.query === undefined ? undefined : fields(problems, `${where}, query`, options.query, input),
    body: parseBody(problems, where, options.body, takesBody, input),
    response: parseResponse(problems, where, options.response),
    to,
    summary: optionalText(problems, `${where}, summary`, options.summary),
    maxBodyBytes: number(problems, `${where}, maxBodyBytes`, options.maxBodyBytes, {
      min: 1,
      max: 67_108_864,
      fallback: 65_536,
    }),
    timeoutMs: number(problems, `${where}, timeoutMs`, options.timeoutMs, {
      min: 1,
      max: 300_000,
      fallback: upstreams.get(to)?.timeoutMs ?? 5000,
    }),
  };
}

const accessKinds = new Set(["everyone", "signedIn", "role", "owner", "ownerField"]);
const refused: Access = { kind: "role", role: "" };

function parseAccess(
  problems: Problems,
  where: string,
  value: unknown,
  parts: RouteKeyParts,
  hasIdentity: boolean,
): Access {
  if (value === undefined) {
    problems.add(
      "CONTRACT_ROUTE_INCOMPLETE",
      `${where} does not say who may call it.`,
      'Add  access: everyone,   // or signedIn, role("…"), owner("…"), ownerField("…")',
    );
    return refused;
  }
  if (!isMembers(value) || typeof value.kind !== "string" || !accessKinds.has(value.kind)) {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: access must be everyone, signedIn, role("…"), owner("…") or ownerField("…"), not ${quote(value)}.`,
    );
    return refused;
  }
  const access = value as Access;
  const params = paramNames(parts.segments);
  if (access.kind === "owner" && !params.includes(access.param)) {
    problems.add(
      "CONTRACT_REFERENCE_UNKNOWN",
      `${where}: owner(${quote(access.param)}) names no parameter of the path.`,
      `Parameters: ${params.join(", ") || "none"}`,
    );
  }
  if (access.kind === "ownerField" && parts.method !== "GET") {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: ownerField() reads the answer, and by then a ${parts.method} has happened.`,
      'Use  access: owner("…")  or  role("…")',
    );
  }
  if (
    (access.kind === "role" && !isName(access.role, /./)) ||
    (access.kind === "ownerField" && !isName(access.field, /^[\w-]+(\.[\w-]+)*$/))
  ) {
    problems.add("CONTRACT_OPTION_INVALID", `${where}: ${access.kind}() needs a name.`);
  }
  if (access.kind !== "everyone" && !hasIdentity) {
    problems.add(
      "CONTRACT_ROUTE_INCOMPLETE",
      `${where} needs to know who calls, and the contract names no issuer of tokens.`,
      'Add  identity: { issuer: "https://login.example.com/", audience: "…" },',
    );
  }
  return access;
}

const isName = (value: unknown, grammar: RegExp): boolean => typeof value === "string" && grammar.test(value);

function parseLimits(problems: Problems, where: string, value: unknown, access: unknown): Limit[] {
  if (value === undefined) {
    problems.add(
      "CONTRACT_ROUTE_INCOMPLETE",
      `${where} does not say how often it may be called.`,
      'Add  limit: "120/min per client",',
    );
    return [];
  }
  const limits: Limit[] = [];
  for (const entry of Array.isArray(value) ? value : [value]) {
    try {
      limits.push(parseLimit(entry));
    } catch (error) {
      problems.add("CONTRACT_OPTION_INVALID", `${where}: ${(error as Error).message}`);
    }
  }
  if (limits.some((limit) => limit.by === "user") && isMembers(access) && access.kind === "everyone") {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: a limit per user needs a user, and access is everyone.`,
      'Write  limit: "120/min per client",',
    );
  }
  return limits;
}

type InputReader = (name: string, schema: unknown) => Schema | undefined;

function closedInput(
  problems: Problems,
  where: string,
  schema: unknown,
  acceptsOpen: boolean,
): Schema | undefined {
  if (!isSchema(schema))
    return problems.add("CONTRACT_OPTION_INVALID", `${where} must be a Zod schema, not ${quote(schema)}.`);
  for (const problem of inspectSchema(schema, "input")) {
    if (problem.kind === "unsupported")
      problems.add("CONTRACT_SCHEMA_UNSUPPORTED", `${where}, at ${problem.at}: ${problem.message}.`);
    else if (!acceptsOpen)
      problems.add(
        "CONTRACT_SCHEMA_OPEN",
        `${where}, at ${problem.at}: ${problem.message}.`,
        'Declare the fields, or say why not:  insecureOpenInput: "…"',
      );
  }
  return acceptsOpen ? schema : closeObjects(schema, "refuse");
}

/** One strict object from schemas by name. */
function fields(problems: Problems, where: string, value: unknown, input: InputReader): Schema | undefined {
  if (!isMembers(value) || isSchema(value))
    return problems.add("CONTRACT_OPTION_INVALID", `${where} must be an object of Zod schemas, by name.`);
  const shape: Record<string, Schema> = {};
  for (const [name, schema] of Object.entries(value)) {
    const closed = input(`${where.split(", ")[1]}.${name}`, schema);
    if (closed !== undefined) shape[name] = closed;
  }
  return z.strictObject(shape);
}

function parseParams(
  problems: Problems,
  where: string,
  value: unknown,
  parts: RouteKeyParts,
  input: InputReader,
): Schema | undefined {
  const names = paramNames(parts.segments);
  if (new Set(names).size !== names.length)
    problems.add("CONTRACT_ROUTE_KEY_INVALID", `${where} names a parameter twice.`);
  if (value === undefined && names.length === 0) return undefined;
  const given = isMembers(value) ? Object.keys(value) : [];
  const missing = names.filter((name) => !given.includes(name));
  if (missing.length > 0) {
    return problems.add(
      "CONTRACT_ROUTE_INCOMPLETE",
      `${where} does not say what its parameter ${missing.map(quote).join(", ")} looks like.`,
      `Add  params: { ${missing.map((name) => `${name}: z.string().max(40)`).join(", ")} },`,
    );
  }
  const extra = given.filter((name) => !names.includes(name));
  if (extra.length > 0)
    problems.add(
      "CONTRACT_OPTION_UNKNOWN",
      `${where} describes ${extra.map(quote).join(", ")}, which its path does not name.`,
    );
  return fields(problems, `${where}, params`, value, input);
}

function parseBody(
  problems: Problems,
  where: string,
  value: unknown,
  takesBody: boolean,
  input: InputReader,
): Schema | undefined {
  if (takesBody && value === undefined) {
    return problems.add(
      "CONTRACT_ROUTE_INCOMPLETE",
      `${where} does not say what its body is.`,
      "Add  body: z.object({ … }),   // or none",
    );
  }
  if (!takesBody && value !== undefined)
    return problems.add("CONTRACT_OPTION_INVALID", `${where}: only POST, PUT and PATCH have a body.`);
  return value === undefined || value === none ? undefined : input("body", value);
}

function parseResponse(problems: Problems, where: string, value: unknown): Schema | undefined {
  if (value === undefined) {
    return problems.add(
      "CONTRACT_ROUTE_INCOMPLETE",
      `${where} does not say what it answers.`,
      "Add  response: z.object({ … }),   // or none",
    );
  }
  if (value === none) return undefined;
  if (!isSchema(value))
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}, response must be a Zod schema or none, not ${quote(value)}.`,
    );
  for (const problem of inspectSchema(value, "output")) {
    const code = problem.kind === "open" ? "CONTRACT_SCHEMA_OPEN" : "CONTRACT_SCHEMA_UNSUPPORTED";
    problems.add(
      code,
      `${where}, response, at ${problem.at}: ${problem.message}.`,
      problem.kind === "open"
        ? "Declare the fields that may leave: what is not declared is dropped"
        : undefined,
    );
  }
  return closeObjects(value, "strip");
}
