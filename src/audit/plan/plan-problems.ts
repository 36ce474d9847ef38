import { CurtainwallError, parseAddress } from "../../shared/index.ts";
import { isLoopbackHost } from "../../contract/index.ts";
import type { Contract } from "../../contract/index.ts";
import type { AuditIdentity, AuditImpostors, AuditLie, AuditPlan, AuditSample } from "./plan.ts";

/**
 * Checks a plan against the contract that it is for.
 *
 * @throws {CurtainwallError} `AUDIT_PLAN_INVALID` when it names a route or an identity that does not exist.
 */
export function assertPlanFits(plan: AuditPlan, contract: Contract): void {
  const problems = shapeProblems(plan);
  if (problems.length === 0) problems.push(...fitProblems(plan, contract));
  if (problems.length > 0) throw invalidPlan(problems);
}

/** The error of a plan, with everything that is wrong. */
export function invalidPlan(problems: readonly string[]): CurtainwallError {
  return new CurtainwallError("AUDIT_PLAN_INVALID", `The audit plan is not usable: ${problems.join("; ")}.`, {
    hint: "Correct curtainwall.audit.ts",
  });
}

const memberKinds = {
  identities: true,
  samples: true,
  failures: true,
  lies: true,
  hidden: true,
  guesses: true,
  errors: true,
  state: true,
  signatures: true,
  signToken: true,
  revocable: true,
  otherAddresses: true,
  ipv6Prefix: true,
  impostors: true,
  upstreams: true,
  canaries: true,
  cleanUp: true,
  start: true,
} as const satisfies Record<keyof AuditPlan, true>;
const members = new Set(Object.keys(memberKinds));
const callerMembers = ["subject", "roles", "scopes", "tenant"];
const userMembers = new Set([...callerMembers, "token", "expiredToken", "otherAudienceToken"]);
const programMembers = new Set([...callerMembers, "apiKey", "revokedKey"]);
const inputMembers = ["params", "query", "headers", "cookies", "body"];
const inputOnly = new Set(inputMembers);
const ownedMembers = new Set([...inputMembers, "canary"]);
const impostorMembers = new Set(["wrongAuthority", "wrongName"]);
const sampleMembers = new Set([...inputMembers, "as"]);

const inBrackets = (member: string, key: string | number): string => `${member}[${JSON.stringify(key)}]`;

function unknownMembers(where: string, value: object, known: ReadonlySet<string>): string[] {
  return Object.keys(value)
    .filter((name) => !known.has(name))
    .map((name) => `${where} has no member "${name}" (there are ${[...known].join(", ")})`);
}

/** Everything that is wrong with a plan by itself. */
export function shapeProblems(plan: AuditPlan): string[] {
  if (typeof plan !== "object" || plan === null) return ["it is not an object"];
  const problems = unknownMembers("the plan", plan, members);
  for (const [name, identity] of Object.entries(plan.identities ?? {}))
    problems.push(...identityProblems(`identities.${name}`, identity));
  for (const [where, sample] of samplesOf(plan)) problems.push(...sampleProblems(where, sample));
  for (const [key, list] of Object.entries(plan.lies ?? {}))
    for (const [index, { what }] of list.entries())
      if (typeof what !== "string" || what === "")
        problems.push(`${inBrackets("lies", key)}[${index}] must say what is wrong with the answer`);
  for (const [key, hidden] of Object.entries(plan.hidden ?? {})) {
    const where = inBrackets("hidden", key);
    problems.push(...unknownMembers(where, hidden, ownedMembers));
    if (hidden.canary === undefined || hidden.canary.length < 4)
      problems.push(`${where} needs a canary of at least 4 characters`);
  }
  for (const [key, input] of Object.entries(plan.guesses ?? {}))
    problems.push(...unknownMembers(inBrackets("guesses", key), input, inputOnly));
  for (const [key, signer] of Object.entries(plan.signatures ?? {}))
    if (typeof signer !== "function")
      problems.push(`${inBrackets("signatures", key)} must be a function that returns headers`);
  for (const [origin, places] of Object.entries(plan.impostors ?? {}))
    problems.push(...impostorProblems(inBrackets("impostors", origin), places));
  for (const [name, { received }] of Object.entries(plan.upstreams ?? {}))
    if (typeof received !== "function")
      problems.push(`upstreams.${name}.received must be a function that returns requests`);
  for (const address of plan.otherAddresses ?? [])
    if (!isLoopbackOrigin(address))
      problems.push(
        `otherAddresses has ${JSON.stringify(address)}, which is no origin of this machine (https://127.0.0.1:9443)`,
      );
  if (plan.ipv6Prefix !== undefined && !isNetwork64(plan.ipv6Prefix))
    problems.push('ipv6Prefix must be a network of IPv6 with 64 bits, like "2001:db8:1:2::/64"');
  if (plan.signToken !== undefined && typeof plan.signToken !== "function")
    problems.push("signToken must be a function that returns a signature");
  problems.push(...revocableProblems(plan));
  if (plan.cleanUp !== undefined && typeof plan.cleanUp !== "function")
    problems.push("cleanUp must be a function");
  if (plan.start !== undefined && (typeof plan.start !== "string" || plan.start === ""))
    problems.push("start must be a command");
  for (const canary of plan.canaries ?? []) {
    if (typeof canary !== "string" || canary.length < 6)
      problems.push("a canary needs at least 6 characters to be told apart");
  }
  return problems;
}

function impostorProblems(where: string, places: AuditImpostors): string[] {
  if (typeof places !== "object" || places === null)
    return [`${where} must be an object with ${[...impostorMembers].join(" and ")}`];
  const { wrongAuthority, wrongName = wrongAuthority } = places;
  return [
    ...unknownMembers(where, places, impostorMembers),
    ...Object.entries({ wrongAuthority, wrongName })
      .filter(([, place]) => typeof place !== "function")
      .map(([name]) => `${where}.${name} must be a function that puts an impostor there`),
  ];
}

function isLoopbackOrigin(address: unknown): boolean {
  const url = typeof address === "string" ? URL.parse(address) : null;
  return url !== null && url.origin === address && isLoopbackHost(url.hostname);
}

function isNetwork64(network: unknown): boolean {
  const [text = "", length, ...rest] = String(network).split("/");
  return length === "64" && rest.length === 0 && parseAddress(text)?.length === 16;
}

function identityProblems(where: string, identity: AuditIdentity): string[] {
  const isProgram = "apiKey" in identity;
  const problems = unknownMembers(where, identity, isProgram ? programMembers : userMembers);
  const { subject, roles, scopes, tenant } = identity;
  if (typeof subject !== "string" || subject === "") problems.push(`${where}.subject must be a text`);
  for (const [member, list] of [
    ["roles", roles],
    ["scopes", scopes],
  ] as const)
    if (list !== undefined && !(Array.isArray(list) && list.every((name) => typeof name === "string")))
      problems.push(`${where}.${member} must be a list of texts`);
  if (tenant !== undefined && (typeof tenant !== "string" || tenant === ""))
    problems.push(`${where}.tenant must be a text`);
  const [needed, ...others] = isProgram
    ? (["apiKey", "revokedKey"] as const)
    : (["token", "expiredToken", "otherAudienceToken"] as const);
  const sources: Readonly<Record<string, unknown>> = { ...identity };
  for (const source of [needed, ...others]) {
    const value = sources[source];
    if (typeof value !== "function" && (value !== undefined || source === needed))
      problems.push(`${where}.${source} must be a function that returns a ${isProgram ? "key" : "token"}`);
  }
  return problems;
}

/** They are a user who is nobody else, with what revokes their tokens. */
function revocableProblems({ revocable, identities = {} }: AuditPlan): string[] {
  if (revocable === undefined) return [];
  const { revoke, ...user } = revocable;
  const problems = identityProblems("revocable", user);
  if (typeof revoke !== "function") problems.push("revocable.revoke must be a function");
  if (Object.values(identities).some(({ subject }) => subject === revocable.subject))
    problems.push("revocable is one of the identities, whose tokens have to go on");
  return problems;
}

/** All samples of a plan, with where they stand. */
function samplesOf({
  samples = {},
  failures = {},
  lies = {},
  errors = {},
}: AuditPlan): [string, AuditSample][] {
  const of = (member: string, by: Readonly<Record<string, AuditSample>>): [string, AuditSample][] =>
    Object.entries(by).map(([key, sample]) => [inBrackets(member, key), sample]);
  return [
    ...of("samples", samples),
    ...of("failures", failures),
    ...Object.entries(lies).flatMap(([key, list]) =>
      list.map((lie, index): [string, AuditSample] => [
        `${inBrackets("lies", key)}[${index}]`,
        sampleOf(lie),
      ]),
    ),
    ...Object.entries(errors).flatMap(([key, byStatus]) => of(inBrackets("errors", key), byStatus)),
  ];
}

/** What a lie asks for, without what it says of the answer. */
function sampleOf(lie: AuditLie): AuditSample {
  const { what: _, isTooLong: _length, isRefused: _refused, ...sample } = lie;
  return sample;
}

function sampleProblems(where: string, sample: AuditSample): string[] {
  const problems = unknownMembers(where, sample, sampleMembers);
  for (const [name, own] of Object.entries(sample.as ?? {})) {
    problems.push(...unknownMembers(`${where}.as.${name}`, own, ownedMembers));
    if (own.canary !== undefined && own.canary.length < 4)
      problems.push(`${where}.as.${name}.canary is too short to be told apart`);
  }
  return problems;
}

/** Everything that a plan names and a contract lacks. */
function fitProblems(plan: AuditPlan, contract: Contract): string[] {
  const { routes, apiKeys } = contract;
  const byKey = new Map(routes.map((route) => [route.key, route]));
  const names = new Set(Object.keys(plan.identities ?? {}));
  const problems: string[] = [];
  const isNone = (where: string, what = ""): number =>
    problems.push(`${where} is no route of the contract${what}`);
  for (const member of ["samples", "failures", "lies", "state"] as const)
    for (const key of Object.keys(plan[member] ?? {})) if (!byKey.has(key)) isNone(inBrackets(member, key));
  for (const [where, sample] of samplesOf(plan))
    for (const name of Object.keys(sample.as ?? {}))
      if (!names.has(name)) problems.push(`${where}.as.${name} is no identity`);
  for (const [member, option] of [
    ["hidden", "visible"],
    ["guesses", "failures"],
    ["signatures", "webhook"],
  ] as const)
    for (const key of Object.keys(plan[member] ?? {}))
      if (byKey.get(key)?.[option] === undefined) isNone(inBrackets(member, key), ` with ${option}`);
  for (const [key, byStatus] of Object.entries(plan.errors ?? {}))
    for (const status of Object.keys(byStatus))
      if (byKey.get(key)?.errors.has(Number(status)) !== true)
        isNone(inBrackets(inBrackets("errors", key), status), ` that declares this error`);
  for (const [key, reader] of Object.entries(plan.state ?? {}))
    if (typeof reader === "string" && !(byKey.has(reader) && reader.startsWith("GET ")))
      problems.push(`${inBrackets("state", key)} names ${JSON.stringify(reader)}, which is no GET route`);
  for (const name of Object.keys(plan.upstreams ?? {}))
    if (!contract.upstreams.has(name)) problems.push(`upstreams.${name} is no upstream of the contract`);
  const services = serviceOrigins(contract);
  for (const origin of Object.keys(plan.impostors ?? {}))
    if (!services.has(origin))
      problems.push(
        `${inBrackets("impostors", origin)} is the origin of no upstream, and of no service that egress reaches`,
      );
  for (const [name, identity] of Object.entries(plan.identities ?? {}))
    if ("apiKey" in identity && apiKeys === undefined)
      problems.push(`identities.${name} has an API key, and the contract takes none`);
  return problems;
}

const serviceOrigins = ({ upstreams, egressOrigins }: Contract): ReadonlySet<string> =>
  new Set([
    ...[...upstreams.values()].flatMap(({ url, alternates = [] }) =>
      [url, ...alternates].map(({ origin }) => origin),
    ),
    ...egressOrigins.keys(),
  ]);
