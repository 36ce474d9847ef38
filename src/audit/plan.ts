import { CurtainwallError } from "../shared/index.ts";
import type { Contract } from "../contract/index.ts";

/** Where an access token comes from. Called when one is needed, and again shortly before it expires. */
export type TokenSource = () => Promise<string>;

/** Somebody in whose name the audit makes requests: a real account of a real issuer. */
export interface AuditIdentity {
  /** The `sub` of its tokens. */
  subject: string;
  /** The roles in its tokens. Default: none. */
  roles?: readonly string[];
  /** A valid access token; see {@link authorizationCode} and {@link clientCredentials}. */
  token: TokenSource;
  /** A genuine token that has expired or is about to: the audit waits up to 30 seconds for it. */
  expiredToken?: TokenSource;
  /** A genuine token of the same issuer for another audience. */
  otherAudienceToken?: TokenSource;
}

/** A request that a route accepts. */
export interface AuditInput {
  /** Values of the path's parameters, decoded. */
  params?: Readonly<Record<string, string>>;
  query?: Readonly<Record<string, string>>;
  /** Sent as JSON. A function is called for each request: for what may be sent only once. */
  body?: unknown;
}

/** A request for something that one identity owns. */
export interface AuditOwnedInput extends AuditInput {
  /** Text that the answer for this object contains and no other identity's answer may. At least 4 characters. */
  canary?: string;
}

/** Requests that a route accepts: the same for everybody, or one an identity where each owns its own object. */
export interface AuditSample extends AuditInput {
  /** By identity. Laid over the other members. */
  as?: Readonly<Record<string, AuditOwnedInput>>;
}

/** What an audit needs to know beyond the contract: who to be and what to ask for. Never loaded by the edge. */
export interface AuditPlan {
  /** By name; the name stands in the report, the token never does. */
  identities?: Readonly<Record<string, AuditIdentity>>;
  /** By route key. A route that takes no input needs none. Write routes are really called. */
  samples?: Readonly<Record<string, AuditSample>>;
  /** By route key: a request that the contract accepts and the upstream fails on, so that a real 5xx is seen. */
  failures?: Readonly<Record<string, AuditSample>>;
  /**
   * By key of a route with `visible`: an object that it hides, with a text of it that nobody else's answer has. Somebody among the identities
   * must be one who may see it.
   */
  hidden?: Readonly<Record<string, AuditOwnedInput>>;
  /** By key of a route with `failures`: input that the contract accepts and the upstream answers with a failure, like a wrong code. */
  guesses?: Readonly<Record<string, AuditInput>>;
  /**
   * By key of a route that writes: how to read what it writes. Either the key of a GET route, asked as each identity that
   * wrote, or a function that reads it directly (a row count, say); its results are compared as JSON.
   */
  state?: Readonly<Record<string, string | (() => Promise<unknown>)>>;
  /** Texts planted where they must never leave: in internal columns, in exceptions. At least 6 characters each. */
  canaries?: readonly string[];
  /** The command that starts the target, for whoever finds it silent. Default: `npx curtainwall start` and the folder. */
  start?: string;
}

/**
 * Describes the identities, samples and canaries of an audit.
 *
 * @throws {CurtainwallError} `AUDIT_PLAN_INVALID` with everything that is wrong.
 * @example
 * ```ts
 * import { authorizationCode, defineAudit } from "curtainwall/audit";
 *
 * export default defineAudit({
 *   identities: {
 *     alice: {
 *       subject: "0b1f6c0e-5d1c-4a55-8f3e-6f8f4f0f8a11",
 *       token: authorizationCode({
 *         issuer: "https://login.example.com/",
 *         clientId: "audit",
 *         redirectUri: "https://www.example.com/signed-in",
 *         username: "alice",
 *         password: process.env.AUDIT_PASSWORD ?? "",
 *       }),
 *     },
 *   },
 *   samples: { "GET /api/orders/:id": { as: { alice: { params: { id: "1001" }, canary: "order 1001" } } } },
 * });
 * ```
 */
export function defineAudit(plan: AuditPlan): AuditPlan {
  const problems = shapeProblems(plan);
  if (problems.length > 0) throw invalidPlan(problems);
  return Object.freeze({ ...plan });
}

/**
 * Checks a plan against the contract that it is for.
 *
 * @throws {CurtainwallError} `AUDIT_PLAN_INVALID` when it names a route or an identity that does not exist.
 */
export function assertPlanFits(plan: AuditPlan, contract: Contract): void {
  const keys = new Set(contract.routes.map((route) => route.key));
  const names = new Set(Object.keys(plan.identities ?? {}));
  const problems = shapeProblems(plan);
  for (const member of ["samples", "failures"] as const) {
    for (const [key, sample] of Object.entries(plan[member] ?? {})) {
      if (!keys.has(key)) problems.push(`${member}[${JSON.stringify(key)}] is no route of the contract`);
      for (const name of Object.keys(sample.as ?? {})) {
        if (!names.has(name)) problems.push(`${member}[${JSON.stringify(key)}].as.${name} is no identity`);
      }
    }
  }
  for (const [member, said, option] of [
    ["hidden", plan.hidden, "visible"],
    ["guesses", plan.guesses, "failures"],
  ] as const) {
    for (const key of Object.keys(said ?? {})) {
      const found = contract.routes.find((route) => route.key === key);
      if (found?.[option] === undefined)
        problems.push(`${member}[${JSON.stringify(key)}] is no route of the contract with ${option}`);
    }
  }
  for (const [key, reader] of Object.entries(plan.state ?? {})) {
    if (!keys.has(key)) problems.push(`state[${JSON.stringify(key)}] is no route of the contract`);
    if (typeof reader === "string" && !(keys.has(reader) && reader.startsWith("GET ")))
      problems.push(`state[${JSON.stringify(key)}] names ${JSON.stringify(reader)}, which is no GET route`);
  }
  if (problems.length > 0) throw invalidPlan(problems);
}

function invalidPlan(problems: readonly string[]): CurtainwallError {
  return new CurtainwallError("AUDIT_PLAN_INVALID", `The audit plan is not usable: ${problems.join("; ")}.`, {
    hint: "Correct curtainwall.audit.ts",
  });
}

const members = new Set([
  "identities",
  "samples",
  "failures",
  "hidden",
  "guesses",
  "state",
  "canaries",
  "start",
]);
const identityMembers = new Set(["subject", "roles", "token", "expiredToken", "otherAudienceToken"]);
const inputMembers = ["params", "query", "body"];
const sampleMembers = new Set([...inputMembers, "as", "canary"]);

function unknownMembers(where: string, value: object, known: ReadonlySet<string>): string[] {
  return Object.keys(value)
    .filter((name) => !known.has(name))
    .map((name) => `${where} has no member "${name}" (there are ${[...known].join(", ")})`);
}

function shapeProblems(plan: AuditPlan): string[] {
  if (typeof plan !== "object" || plan === null) return ["it is not an object"];
  const problems = unknownMembers("the plan", plan, members);
  for (const [name, identity] of Object.entries(plan.identities ?? {})) {
    const where = `identities.${name}`;
    problems.push(...unknownMembers(where, identity, identityMembers));
    if (typeof identity.subject !== "string" || identity.subject === "")
      problems.push(`${where}.subject must be a text`);
    for (const source of ["token", "expiredToken", "otherAudienceToken"] as const) {
      const value = identity[source];
      if (typeof value !== "function" && (value !== undefined || source === "token"))
        problems.push(`${where}.${source} must be a function that returns a token`);
    }
  }
  for (const member of ["samples", "failures"] as const) {
    for (const [key, sample] of Object.entries(plan[member] ?? {})) {
      problems.push(...unknownMembers(`${member}[${JSON.stringify(key)}]`, sample, sampleMembers));
      for (const [name, own] of Object.entries(sample.as ?? {})) {
        if (own.canary !== undefined && own.canary.length < 4)
          problems.push(`${member}[${JSON.stringify(key)}].as.${name}.canary is too short to be told apart`);
      }
    }
  }
  for (const [key, { canary, ...input }] of Object.entries(plan.hidden ?? {})) {
    const where = `hidden[${JSON.stringify(key)}]`;
    problems.push(...unknownMembers(where, input, new Set(inputMembers)));
    if (canary === undefined || canary.length < 4)
      problems.push(`${where} needs a canary of at least 4 characters`);
  }
  for (const [key, input] of Object.entries(plan.guesses ?? {}))
    problems.push(...unknownMembers(`guesses[${JSON.stringify(key)}]`, input, new Set(inputMembers)));
  if (plan.start !== undefined && (typeof plan.start !== "string" || plan.start === ""))
    problems.push("start must be a command");
  for (const canary of plan.canaries ?? []) {
    if (typeof canary !== "string" || canary.length < 6)
      problems.push("a canary needs at least 6 characters to be told apart");
  }
  return problems;
}
