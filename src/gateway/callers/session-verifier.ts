import type { EventSink } from "../../contract/index.ts";
import type { Schedule } from "../limits/pace.ts";
import type { Caller, TokenVerdict } from "../types.ts";
import type { Revocations } from "./revocations.ts";

/** A signed-in visitor's session, as whoever keeps it tells it. */
export interface Session {
  readonly caller: Pick<Caller, "subject" | "roles" | "scopes" | "tenant">;
  /** When its visitor signed in, in seconds since 1970: a revocation ends what began until its time. */
  readonly issuedAt: number;
  /** The first millisecond, since 1970, at which it does not count any more. */
  readonly expiresMs: number;
}

/** Whoever keeps sessions. */
export interface SessionStore {
  /**
   * Finds a session by the SHA-256 (base64url) of its cookie's value: what is kept is of no use to whoever reads it.
   *
   * @returns undefined if there is none, or none any more. Throws or rejects if that can't be known now.
   */
  find(idDigest: string): Session | undefined | Promise<Session | undefined>;
}

/** Options of {@link createSessionVerifier}. */
export interface SessionVerifierOptions {
  readonly store: SessionStore;
  /** SHA-256, base64url. */
  readonly digest: (text: string) => string;
  /** Whose sessions do not count any more. Each change of its epoch makes all sessions be looked up again. Default: nobody's. */
  readonly revocations?: Pick<Revocations, "epoch" | "issuedUntil"> | undefined;
  readonly events: EventSink;
  /** How long a session is not looked up again, in milliseconds, 0 to 60 000. Default 2 000. */
  readonly cacheMs?: number;
  /** Sessions remembered; the oldest is forgotten first. Default 10 000. */
  readonly maxCached?: number;
  /** How long a look-up may take, in milliseconds. Default 2 000. */
  readonly timeoutMs?: number;
  /** The present in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
  /** Runs something after so many milliseconds, and returns what calls it off. Default: timers. */
  readonly schedule?: Schedule;
}

/** Finds out whose session a cookie names. */
export interface SessionVerifier {
  verify(id: string): TokenVerdict | Promise<TokenVerdict>;
}

interface KnownSession {
  readonly verdict: TokenVerdict & { kind: "valid" };
  readonly epoch: number;
  readonly untilMs: number;
}

/** 192 bits at least, if whoever made it drew it at random, and nothing that could be written in two ways. */
const idForm = /^[\w-]{32,128}$/;

const invalid = (reason: string): TokenVerdict => ({ kind: "invalid", reason });
const unavailable = (reason: string): TokenVerdict => ({ kind: "unavailable", reason });

/**
 * Looks sessions up, and remembers for a moment those that there are, by digest: what this holds is worth nothing either. That there is none
 * is never remembered. A store that fails, takes too long or tells nonsense is no reason to take a visitor for nobody: `unavailable`.
 */
export function createSessionVerifier({
  store,
  digest,
  revocations,
  events,
  cacheMs = 2000,
  maxCached = 10_000,
  timeoutMs = 2000,
  now = Date.now,
  schedule = after,
}: SessionVerifierOptions): SessionVerifier {
  const cache = new Map<string, KnownSession>();
  const pending = new Map<string, Promise<TokenVerdict>>();
  let isFailing = false;

  function judge(key: string, found: unknown, epoch: number): TokenVerdict {
    if (found === undefined) return told(invalid("there is no such session"));
    const session = readSession(found);
    if (session === undefined) return failed("it told something that is no session");
    told(undefined);
    const { caller, issuedAt, expiresMs } = session;
    const time = now();
    if (time >= expiresMs) return invalid("the session has expired");
    if (revocations !== undefined && issuedAt <= revocations.issuedUntil(caller.subject))
      return invalid("the session was revoked");
    const verdict = { kind: "valid", caller } as const;
    if (cache.size >= maxCached) cache.delete(cache.keys().next().value ?? "");
    cache.set(key, { verdict, epoch, untilMs: Math.min(time + cacheMs, expiresMs) });
    return verdict;
  }

  function told<Verdict>(verdict: Verdict): Verdict {
    isFailing = false;
    return verdict;
  }

  /** One event when it begins: a flood of visitors must not be a flood of alerts. */
  function failed(reason: string): TokenVerdict {
    if (!isFailing) events({ type: "gateway.sessions.unavailable", time: now(), reason });
    isFailing = true;
    return unavailable(`sessions can't be looked up: ${reason}`);
  }

  function lookUp(key: string, name: string, epoch: number): TokenVerdict | Promise<TokenVerdict> {
    let found: ReturnType<SessionStore["find"]>;
    try {
      found = store.find(key);
      if (!(found instanceof Promise)) return judge(key, found, epoch);
    } catch {
      return failed("it threw");
    }
    const looking = withinTime(found, key, epoch).finally(() => pending.delete(name));
    pending.set(name, looking);
    return looking;
  }

  function withinTime(
    found: Promise<Session | undefined>,
    key: string,
    epoch: number,
  ): Promise<TokenVerdict> {
    return new Promise((resolve) => {
      const callOff = schedule(timeoutMs, () => resolve(failed("it took too long")));
      found
        .then((session) => judge(key, session, epoch))
        .catch(() => failed("it refused"))
        .then(resolve, () => resolve(unavailable("sessions can't be looked up")))
        .finally(callOff);
    });
  }

  return {
    verify(id) {
      if (!idForm.test(id)) return invalid("it is no session's name");
      const key = digest(id);
      // Before the look-up: what is revoked meanwhile is found the next time.
      const epoch = revocations?.epoch() ?? 0;
      const known = cache.get(key);
      if (known !== undefined) {
        if (known.epoch === epoch && now() < known.untilMs) return known.verdict;
        cache.delete(key);
      }
      // One look-up for all that wait for it, but for nobody who comes after something was revoked.
      const name = `${epoch} ${key}`;
      return pending.get(name) ?? lookUp(key, name, epoch);
    },
  };
}

const maxNameLength = 255;

/**
 * What a store tells, or undefined if it is no session. A store is another program, perhaps in this one: what it tells is not believed to have a
 * form, nor to keep it, so each part is read once, and what counts is a copy.
 */
function readSession(value: unknown): Session | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { caller, issuedAt, expiresMs } = value as Session;
  if (typeof caller !== "object" || caller === null) return undefined;
  const { subject, roles, scopes, tenant } = caller;
  const [ownRoles, ownScopes] = [copyTexts(roles), copyTexts(scopes)];
  return isName(subject) &&
    ownRoles !== undefined &&
    (scopes === undefined || ownScopes !== undefined) &&
    (tenant === undefined || isName(tenant)) &&
    Number.isFinite(issuedAt) &&
    Number.isFinite(expiresMs)
    ? { caller: { subject, roles: ownRoles, scopes: ownScopes, tenant }, issuedAt, expiresMs }
    : undefined;
}

function copyTexts(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const copy: unknown[] = [...(value as unknown[])];
  return copy.every((entry) => typeof entry === "string") ? copy : undefined;
}

const isName = (value: unknown): boolean =>
  typeof value === "string" && value !== "" && value.length <= maxNameLength;

function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}
