import { CurtainwallError } from "../../shared/index.ts";
import type { ContractRoute, Identity } from "../../contract/index.ts";
import type { AuditIdentity, AuditProgram, AuditUser, TokenSource } from "../plan/plan.ts";
import type { Exchange } from "../probes/probe.ts";

/** Header and claims of a JWT, unverified. */
export interface DecodedToken {
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
  /** The three parts as they stand in the token. */
  parts: readonly [header: string, payload: string, signature: string];
}

/** The tokens of a plan's identities. Each method throws `AUDIT_TOKEN_REFUSED` when the plan gives none that fits. */
export interface Tokens {
  valid(name: string): Promise<string>;
  /** One more, beside the valid one; undefined where the plan gives the same again. */
  second(name: string): Promise<string | undefined>;
  expired(name: string): Promise<string>;
  /** Whether the target had taken that token before it expired: what it remembers, it must forget. */
  wasTaken(name: string): boolean;
  /** What it was answered once it had expired, over the connections where it had been taken: nothing where it was not, or where they were closed. */
  afterwards(name: string): Promise<readonly UsedAfterwards[]>;
  otherAudience(name: string): Promise<string>;
  /** Whether an identity calls with an API key. */
  isProgram(name: string): boolean;
  apiKey(name: string): Promise<string>;
  revokedKey(name: string): Promise<string>;
}

/** A token that was used while it was good. */
export interface UsedToken {
  isTaken: boolean;
  /** Makes the same calls over the same connections. */
  askAgain(): Promise<readonly UsedAfterwards[]>;
  close(): void;
}

/** A call with a token that has expired, and what only who is let in is told. */
export interface UsedAfterwards {
  readonly exchange: Exchange;
  readonly told: {
    readonly canary: string | undefined;
    readonly control: Exchange | undefined;
    readonly route: ContractRoute;
  };
}

/** Tokens that are kept: beside those of each source one more of the first. */
type Kept = SourceMember | "second token";

type SourceMember = Exclude<keyof AuditUser | keyof AuditProgram, "subject" | "roles" | "scopes" | "tenant">;

/** Where an identity's token or key of one kind comes from, if it has one. */
export function sourceOf(identity: AuditIdentity | undefined, member: SourceMember): TokenSource | undefined {
  return (identity as Partial<Record<SourceMember, TokenSource>> | undefined)?.[member];
}

/** Options of {@link createTokens}. */
export interface TokensOptions {
  identities: Readonly<Record<string, AuditIdentity>>;
  issuer: Identity | undefined;
  now: () => number;
  sleep: (milliseconds: number) => Promise<void>;
  /** Calls with a token that is about to expire; undefined where it may be used for nothing. Default: it is not used. */
  useWhileValid?: (name: string, token: string) => Promise<UsedToken | undefined>;
}

const maxWaitMs = 30_000;
const idleMs = 3000;
const renewBeforeMs = 20_000;

/** Gets tokens from their sources, keeps them while they last, and checks that they are what they are said to be. */
export function createTokens({ identities, issuer, now, sleep, useWhileValid }: TokensOptions): Tokens {
  const kept = new Map<string, Promise<string>>();
  const taken = new Map<string, Promise<UsedToken | undefined>>();
  const known = new Set<string>();
  const afterwards = new Map<string, Promise<readonly UsedAfterwards[]>>();
  const get = (name: string, member: SourceMember, as: Kept = member): Promise<string> => {
    const key = `${as} ${name}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    const source = sourceOf(identities[name], member);
    const token =
      source === undefined
        ? Promise.reject(refused(`the plan has no ${member} for ${name}`))
        : fetchToken(source, name);
    // A failure is remembered too: asking a provider that refuses again and again would lock the account.
    token.catch(() => undefined);
    kept.set(key, token);
    return token;
  };

  /** One of an identity's tokens that will still be good when it is used. */
  const lasting = async (name: string, as: Kept): Promise<string> => {
    if (issuer?.dpop === "required")
      throw refused("the contract asks for proofs of possession (dpop), which are not made here");
    const token = await get(name, "token", as);
    const claims = decodeToken(token)?.claims;
    if (claims?.sub !== undefined && claims.sub !== identities[name]?.subject)
      throw refused(`the token of ${name} is for another subject than the plan says`);
    if (typeof claims?.exp !== "number" || claims.exp * 1000 - renewBeforeMs > now()) return token;
    kept.delete(`${as} ${name}`);
    return get(name, "token", as);
  };

  /** Whoever remembers what a token said has to forget it in time: that shows only of one that was seen while it was good. */
  const useOnce = async (
    name: string,
    token: string,
    goodUntilMs: number,
  ): Promise<UsedToken | undefined> => {
    if (useWhileValid === undefined || now() >= goodUntilMs) return undefined;
    const used = await useWhileValid(name, token);
    if (used?.isTaken === false && now() < goodUntilMs)
      throw refused(
        `the expiring token of ${name} is refused before it expires, so a refusal would prove nothing`,
      );
    return used?.isTaken === true ? used : undefined;
  };

  /** Waits until a token that was used has expired. A connection that nobody uses is closed meanwhile, by many after five seconds. */
  const askAtItsEnd = async (
    used: UsedToken | undefined,
    endMs: number,
  ): Promise<readonly UsedAfterwards[]> => {
    for (let restMs = endMs - now(); restMs > 0; restMs = endMs - now()) {
      await sleep(used === undefined ? restMs : Math.min(restMs, idleMs));
      if (now() < endMs) await used?.askAgain();
    }
    return (await used?.askAgain().finally(() => used.close())) ?? [];
  };

  const expired = async (name: string): Promise<string> => {
    const token = await get(name, "expiredToken");
    const claims = decodeToken(token)?.claims;
    if (typeof claims?.exp !== "number") throw refused(`the expired token of ${name} says no time of expiry`);
    const expiryMs = (claims.exp + (issuer?.clockToleranceSeconds ?? 0)) * 1000;
    const waitMs = expiryMs + 1000 - now();
    if (waitMs > maxWaitMs)
      throw refused(`the expired token of ${name} expires only in ${Math.ceil(waitMs / 1000)} s`);
    if (issuer !== undefined && !audiences(claims).includes(issuer.audience))
      throw refused(`the expired token of ${name} is for another audience, so a refusal would prove nothing`);
    const use = taken.get(name) ?? useOnce(name, token, claims.exp * 1000);
    taken.set(name, use);
    const used = await use;
    if (used !== undefined) known.add(name);
    const after = afterwards.get(name) ?? askAtItsEnd(used, expiryMs + 1000);
    afterwards.set(name, after);
    await after;
    return token;
  };

  return {
    expired,
    async afterwards(name) {
      await expired(name);
      return afterwards.get(name) ?? [];
    },
    wasTaken: (name) => known.has(name),
    isProgram: (name) => identities[name] !== undefined && "apiKey" in identities[name],
    apiKey: (name) => get(name, "apiKey"),
    revokedKey: (name) => get(name, "revokedKey"),
    valid: (name) => lasting(name, "token"),
    async second(name) {
      const first = await lasting(name, "token");
      const other = await lasting(name, "second token");
      return other === first ? undefined : other;
    },
    async otherAudience(name) {
      const token = await get(name, "otherAudienceToken");
      const claims = decodeToken(token)?.claims;
      if (claims === undefined || issuer === undefined)
        throw refused(`the other token of ${name} is not a JWT`);
      if (audiences(claims).includes(issuer.audience))
        throw refused(`the token of ${name} for another audience names this one`);
      if (typeof claims.exp === "number" && claims.exp * 1000 < now())
        throw refused(
          `the token of ${name} for another audience has expired, so a refusal would prove nothing`,
        );
      return token;
    },
  };
}

async function fetchToken(source: TokenSource, name: string): Promise<string> {
  let token: unknown;
  try {
    token = await source();
  } catch (error) {
    throw refused(`no token for ${name}: ${whyOf(error)}`, error);
  }
  if (typeof token !== "string" || token === "" || !/^[\w.~+/=-]+$/.test(token))
    throw refused(`the source of ${name}'s token gave none`);
  return token;
}

/** What an error says, and what its causes say: `fetch failed` alone names neither the address nor what is wrong there. */
function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Of a name with several addresses each has its own.
  const cause: unknown = error instanceof AggregateError ? error.errors[0] : error.cause;
  return [error.message, ...(cause === undefined ? [] : [whyOf(cause)])]
    .filter((text) => text !== "")
    .join(": ");
}

function refused(message: string, cause?: unknown): CurtainwallError {
  return new CurtainwallError("AUDIT_TOKEN_REFUSED", message, {
    hint: "See identities in curtainwall.audit.ts",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Reads a JWT without verifying it; undefined when it is none. */
export function decodeToken(token: string): DecodedToken | undefined {
  const [header, payload, signature, ...rest] = token.split(".");
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0)
    return undefined;
  try {
    return { header: decodePart(header), claims: decodePart(payload), parts: [header, payload, signature] };
  } catch {
    return undefined;
  }
}

function decodePart(part: string): Record<string, unknown> {
  const bytes = Uint8Array.fromBase64(part, { alphabet: "base64url" });
  return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
}

function audiences(claims: Record<string, unknown>): unknown[] {
  return Array.isArray(claims.aud) ? claims.aud : [claims.aud];
}
