import { invalidPlan, shapeProblems } from "./plan-problems.ts";
import type { UpstreamWitness } from "../probes/upstream-witness.ts";

/** Where an access token comes from. Called when one is needed, again shortly before it expires, and once for a second one: two of a user count as one. */
export type TokenSource = () => Promise<string>;

/** Somebody in whose name the audit makes requests: a real account of a real issuer, or a program with a real key. */
export type AuditIdentity = AuditUser | AuditProgram;

/** What is true of a caller: what the contract's conditions look at. */
export interface AuditCaller {
  /** The `sub` of its tokens; of a key what it was made for, `key:` and its name unless it was made with `--subject`. */
  subject: string;
  /** The roles in its tokens. A key has none. Default: none. */
  roles?: readonly string[];
  /** The scopes of its tokens, or of its key. Default: none. */
  scopes?: readonly string[];
  /** The tenant that it belongs to. Default: none. */
  tenant?: string;
}

/** Somebody who calls with access tokens. */
export interface AuditUser extends AuditCaller {
  /** A valid access token; see {@link authorizationCode} and {@link clientCredentials}. */
  token: TokenSource;
  /** A genuine token that has expired or is about to: the audit waits up to 30 seconds for it. */
  expiredToken?: TokenSource;
  /** A genuine token of the same issuer for another audience. */
  otherAudienceToken?: TokenSource;
}

/** A program that calls with an API key. It is asked for on routes alone that a key opens. */
export interface AuditProgram extends AuditCaller {
  /** A key that `curtainwall api-key create` made, from wherever its secret is kept. */
  apiKey: TokenSource;
  /** A key that was good and has been revoked. */
  revokedKey?: TokenSource;
}

/** Somebody with a token who is nobody among the identities: what they were signed in with ends while the audit looks. */
export interface AuditRevocable extends AuditCaller {
  /** A valid access token, a new one each time. */
  token: TokenSource;
  /** Revokes what was issued to them until now, as `curtainwall revoke` does. */
  revoke: () => Promise<void>;
}

/** A request that a route accepts. */
export interface AuditInput {
  /** Values of the path's parameters, decoded. */
  params?: Readonly<Record<string, string>>;
  /** A list is written as a key that stands several times. */
  query?: Readonly<Record<string, string | readonly string[]>>;
  /** Headers that the route takes, by name. */
  headers?: Readonly<Record<string, string>>;
  /** Cookies that the route takes, by name. */
  cookies?: Readonly<Record<string, string>>;
  /**
   * Sent as JSON, or as a form where the route takes one: an object then, its lists as fields that stand several times. A function is called for
   * each request: for what may be sent only once.
   */
  body?: unknown;
}

/** A request for something that one identity owns. */
export interface AuditOwnedInput extends AuditInput {
  /** Text that the answer for this object contains and no other identity's answer may. At least 4 characters. */
  canary?: string;
}

type SampleParams = Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>);

/** A request for something that one identity owns, as a sample has it. */
export interface AuditOwnedSample extends Omit<AuditOwnedInput, "params"> {
  /** A function is called for each request: for what is there only once, like something that is deleted. */
  params?: SampleParams;
}

/** Requests that a route accepts: the same for everybody, or one an identity where each owns its own object. */
export interface AuditSample extends Omit<AuditInput, "params"> {
  /** Values of the path's parameters, decoded. A function is called for each request. */
  params?: SampleParams;
  /** By identity. Laid over the other members. */
  as?: Readonly<Record<string, AuditOwnedSample>>;
}

/** Input that a route accepts and its upstream answers wrongly. */
export interface AuditLie extends AuditSample {
  /** What is wrong with the answer, for the report: `a column of its own`, `HTML`. */
  what: string;
  /**
   * It is longer than the upstream's `maxResponseBytes`, or than a download's `maxBytes`, and declared in all else: none of it may be used, or a download is cut
   * off. Default false.
   */
  isTooLong?: boolean;
  /**
   * It does not say what lets somebody have it: it names no owner, lacks the field of `visible`, or the upstream fails where it is asked whose something
   * is. Whoever asks is refused. Default false.
   */
  isRefused?: boolean;
}

/**
 * Signs as a route's sender does: returns the headers that stand beside a body, signed at that time. It is called for each request, so that each is a delivery of
 * its own.
 */
export type AuditSigner = (
  body: Uint8Array,
  at: Date,
) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;

/**
 * Signs as the issuer of access tokens does: given a token's first two parts, `header.payload` as they are to stand in it, returns its third. For
 * an issuer that runs in tests; nobody else has its key.
 */
export type TokenSigner = (signed: string) => string | Promise<string>;

/** Somebody in a service's place. */
export interface AuditImpostor {
  /**
   * What came to it until now: connections on which TLS was begun, so that it has shown its certificate (Node: the `keylog` events of a server, a socket
   * counted once), and requests that it could read.
   */
  seen(): Promise<{ hellos: number; requests: number }>;
  /** Gives the place back. Whoever is real takes it back without this too, seconds after an audit was killed. */
  leave(): Promise<void>;
}

/** Who can be put in a service's place for a moment, by what is wrong with them. Each settles once the connections to who is real have ended. */
export interface AuditImpostors {
  /** Has a certificate for the service's name, of an authority that the contract does not name. */
  wrongAuthority: () => Promise<AuditImpostor>;
  /**
   * Has a certificate of the service's own authority, for another name. Default: nobody can have one, and nothing shows that the name is looked at: the check
   * is missing.
   */
  wrongName?: () => Promise<AuditImpostor>;
}

/** What is to be taken away. */
export interface AuditMade {
  /** When the first of it may have been made, ISO 8601: where an earlier attack or audit was killed, when that one began. */
  readonly since: string;
  /** Keys of the routes that were asked to write. */
  readonly routes: readonly string[];
}

/** What an audit needs to know beyond the contract: who to be and what to ask for. Never loaded by the edge. */
export interface AuditPlan {
  /** By name; the name stands in the report, the token never does. */
  identities?: Readonly<Record<string, AuditIdentity>>;
  /** By route key. A route that takes no input needs none. Write routes are really called. */
  samples?: Readonly<Record<string, AuditSample>>;
  /**
   * By route key: input that the contract accepts and an upstream that is prepared for it answers wrongly: with more than is declared, as something
   * else, with a cookie, elsewhere, without end. Plant a canary in each, so that what leaves of it is seen.
   */
  lies?: Readonly<Record<string, readonly AuditLie[]>>;
  /** By route key: a request that the contract accepts and the upstream fails on, so that a real 5xx is seen. */
  failures?: Readonly<Record<string, AuditSample>>;
  /**
   * By key of a route with `visible`: an object that it hides, with a text of it that nobody else's answer has. Somebody among the identities
   * must be one who may see it.
   */
  hidden?: Readonly<Record<string, AuditOwnedInput>>;
  /**
   * By key of a route with `failures`: input that the contract accepts and the upstream answers with a failure, like a wrong code. No two that are sent are
   * alike: unless `body` is a function that makes another each time, one of the texts is made another that the contract takes.
   */
  guesses?: Readonly<Record<string, AuditInput>>;
  /**
   * By key of a route with `errors`, by status: input that the contract accepts and the upstream refuses with that status, so that what leaves then
   * is seen.
   */
  errors?: Readonly<Record<string, Readonly<Record<number, AuditSample>>>>;
  /**
   * By key of a route that writes: how to read what it writes. Either the key of a GET route, asked as each identity that
   * wrote, or a function that reads it directly (a row count, say); its results are compared as JSON.
   */
  state?: Readonly<Record<string, string | (() => Promise<unknown>)>>;
  /**
   * By key of a route with `webhook`: how its sender signs. All that is sent there is signed so, what the schema has to refuse too: else it would
   * be the signature that is refused. Where a scheme signs no name of a delivery (all but `standardWebhook`), the sample's `body` must be
   * another one each time.
   */
  signatures?: Readonly<Record<string, AuditSigner>>;
  /**
   * Signs with the issuer's own key, by the algorithm of its tokens. With it tokens are tried that only an issuer could have made: of another type,
   * for nobody, without end. Default: none, and such tokens are not tried.
   */
  signToken?: TokenSigner;
  /**
   * Somebody whose tokens the audit may have revoked, to see that one which was taken before is refused from then on. Somebody who may read something without a
   * sample of their own. Default: nobody, and it is not tried.
   */
  revocable?: AuditRevocable;
  /** Where other hosts of the same stack listen on this machine, as origins: `["https://127.0.0.1:9443"]`. Their limits have to count together. */
  otherAddresses?: readonly string[];
  /**
   * A network of IPv6 addresses that this machine can connect from, at most 64 bits of it given: `"2001:db8:1:2::/64"`. The audit changes no machine's
   * addresses: in a network namespace of its own, `ip -6 route add local 2001:db8:1:2::/64 dev lo` with `net.ipv6.ip_nonlocal_bind=1` leads there.
   */
  ipv6Prefix?: string;
  /**
   * By origin of an upstream, or of a service that egress reaches: who can take its place. Default: none, and nobody sees what an impostor would be
   * told.
   */
  impostors?: Readonly<Record<string, AuditImpostors>>;
  /**
   * By name of an upstream on this machine: how to read what it was sent lately, so that what arrives there is seen, and what must not. Default: none,
   * and nobody sees what the gateway tells an upstream.
   */
  upstreams?: Readonly<Record<string, UpstreamWitness>>;
  /** Texts planted where they must never leave: in internal columns, in exceptions. At least 6 characters each. */
  canaries?: readonly string[];
  /**
   * Takes away what the samples made. Called once when an attack ends, or an audit of this machine, if it asked for anything that may make something; and when
   * the next one begins after one that was killed. It has ten seconds, and less where the budget is less than a minute.
   */
  cleanUp?: (made: AuditMade) => Promise<void>;
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
