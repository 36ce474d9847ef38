import type { ContractSource } from "../contract.ts";
import type { Schema } from "../define.ts";
import { looksSecretName } from "../environment.ts";
import type { ContractEnvironment } from "../environment.ts";
import { isLoopbackHost } from "../loopback.ts";
import { closeObjects } from "../schema.ts";
import type { Problems } from "./problems.ts";
import {
  checkNames,
  isMembers,
  isSchema,
  number,
  optionalText,
  quote,
  section,
  text,
  weakened,
} from "./values.ts";
import type { Members } from "./values.ts";

/** Collections, by name: what their entries must be, and where those come from that are no files. */
export interface Collections {
  readonly collections: ReadonlyMap<string, Schema>;
  readonly sources: ReadonlyMap<string, ContractSource>;
}

/** Reads what each collection's entries must be. */
export function parseCollections(
  problems: Problems,
  value: unknown,
  environment: ContractEnvironment,
): Collections {
  const collections = new Map<string, Schema>();
  const sources = new Map<string, ContractSource>();
  if (!isMembers(value)) {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      "site.collections must name each collection's front matter.",
      "collections: { pages: z.object({ title: z.string() }) },",
    );
    return { collections, sources };
  }
  for (const [name, member] of Object.entries(value)) {
    const where = `site.collections.${name}`;
    if (isSchema(member)) collections.set(name, closeObjects(member, "refuse"));
    else if (isMembers(member) && member.kind === "source") {
      const parsed = parseSource(problems, where, member, environment);
      if (name === "pages")
        problems.add(
          "CONTRACT_OPTION_INVALID",
          `${where} can't be a source: its pages are the site's root, and files.`,
        );
      else if (parsed !== undefined) sources.set(name, parsed);
      if (isSchema(member.schema)) collections.set(name, closeObjects(member.schema, "strip"));
    } else
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `${where} must be a Zod schema or source(…), not ${quote(member)}.`,
      );
  }
  return { collections, sources };
}

const names = [
  "kind",
  "url",
  "schema",
  "at",
  "slug",
  "body",
  "token",
  "timeoutMs",
  "maxBytes",
  "caFile",
  "insecurePrivateAddresses",
];

function parseSource(
  problems: Problems,
  where: string,
  options: Members,
  environment: ContractEnvironment,
): ContractSource | undefined {
  checkNames(problems, where, options, names);
  if (!isSchema(options.schema))
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: its schema must be a Zod schema, not ${quote(options.schema)}.`,
    );
  const url = parseAddress(problems, where, options.url);
  const { at = [], token } = options;
  if (!Array.isArray(at) || !at.every((field) => typeof field === "string"))
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}.at must be a list of fields, not ${quote(at)}.`,
      'at: ["data"],',
    );
  if (token !== undefined && (typeof token !== "string" || !environment.private.has(token)))
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}.token must name a variable of privateEnv, not ${quote(token)}.`,
      `privateEnv: z.object({ ${typeof token === "string" && /^\w+$/.test(token) ? token : "CMS_TOKEN"}: z.string().min(20) }),`,
    );
  const parsed = {
    at: Array.isArray(at) ? (at as string[]) : [],
    slug: options.slug === undefined ? "slug" : text(problems, `${where}.slug`, options.slug),
    body: parseBody(problems, `${where}.body`, options.body),
    token: typeof token === "string" ? token : undefined,
    timeoutMs: number(problems, `${where}.timeoutMs`, options.timeoutMs, {
      min: 100,
      max: 300_000,
      fallback: 10_000,
    }),
    maxBytes: number(problems, `${where}.maxBytes`, options.maxBytes, {
      min: 1,
      max: 268_435_456,
      fallback: 8_388_608,
    }),
    caFile: optionalText(problems, `${where}.caFile`, options.caFile),
    allowPrivate: weakened(problems, `${where}.insecurePrivateAddresses`, options.insecurePrivateAddresses),
  };
  return url === undefined ? undefined : { url, ...parsed };
}

/** Its query may ask for things, but secrets don't travel in it: addresses are logged, and this one is in the repository. */
function parseAddress(problems: Problems, where: string, value: unknown): URL | undefined {
  const url = typeof value === "string" ? URL.parse(value) : null;
  if (url === null)
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where} must be read from an absolute URL, not ${quote(value)}.`,
    );
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopbackHost(url.hostname)))
    return problems.add(
      "CONTRACT_HTTP_REFUSED",
      `${where} must be read over https: what travels over http can be read and changed on the way.`,
      "Only this machine's own address, http://localhost, may be plain",
    );
  if (url.username !== "" || url.password !== "" || url.hash !== "")
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: its URL must not hold a user, password or fragment.`,
    );
  const secret = [...url.searchParams.keys()].find((name) => looksSecretName(name.replaceAll("-", "_")));
  if (secret !== undefined)
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}: its URL has the query ${quote(secret)}, which looks like a secret.`,
      'Declare it in privateEnv, and write  token: "CMS_TOKEN": it is sent as a bearer token and stands nowhere',
    );
  return url;
}

function parseBody(problems: Problems, where: string, value: unknown): ContractSource["body"] {
  const options = section(problems, where, value, ["field", "format"]);
  if (options === undefined) return undefined;
  const { format } = options;
  if (format !== "markdown" && format !== "html") {
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where}.format must say what the text is written in, not ${quote(format)}.`,
      'body: { field: "text", format: "markdown" },  or  format: "html"',
    );
  }
  return { field: text(problems, `${where}.field`, options.field), format };
}
