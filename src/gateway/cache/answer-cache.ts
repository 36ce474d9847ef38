import type { ContractRoute } from "../../contract/index.ts";
import { compileAnswer } from "../answers/released-answer.ts";
import type { AnswerRules } from "../answers/released-answer.ts";
import type { AnswerHeaders } from "../answers/response-headers.ts";
import type { CallOff, Destination, ForwardedAnswer, ForwardedRequest } from "../types.ts";
import { createAnswerStore } from "./answer-store.ts";
import type { AnswerStoreOptions, StoredAnswer } from "./answer-store.ts";
import { keyOf, pathOf } from "./cache-key.ts";
import { compileLifetime } from "./storable.ts";

/** Options of {@link createAnswerCache}. */
export interface AnswerCacheOptions extends AnswerRules, Partial<AnswerStoreOptions> {
  readonly routes: readonly ContractRoute[];
  readonly now: () => number;
  /** Told of each path whose answers are old now, so that other threads can be. */
  readonly onForget?: ((path: string) => void) | undefined;
  /** Requests that may wait for an answer that somebody else asked for. Default 1 024. */
  readonly maxWaiting?: number;
}

/** Answers of upstreams that may be used again; made by {@link createAnswerCache}. */
export interface AnswerCache {
  /** What answers a route's requests, given what asks the upstream. The same, if the route has nothing to do with the cache. */
  before(route: ContractRoute, destination: Destination): Destination;
  /** Forgets all answers of a path: something there has changed. */
  forget(path: string): void;
}

type Done = (answer: ForwardedAnswer) => void;
type Answer = Extract<ForwardedAnswer, { kind: "answer" }>;

interface Waiter {
  readonly request: ForwardedRequest;
  readonly done: Done;
  callOff: CallOff | undefined;
}

/** What an upstream is being asked. */
interface Question {
  readonly path: string;
  /** Something has changed since it was asked: the answer is for those who wait, and for nobody later. */
  isOutdated: boolean;
}

/** A question that is asked for all who wait for its answer. */
interface Flight extends Question {
  readonly waiters: Set<Waiter>;
  callOff: CallOff | undefined;
}

/** How long requests for what may not be kept are not asked to wait for one another. */
const ownForMs = 10_000;

/**
 * Keeps answers of routes that declare it. What is kept is what the upstream answered, found again by all of the request that the upstream
 * can see; what of it may leave, and to whom, is judged for each request anew. Each thread keeps its own.
 *
 * @see RFC 9111
 */
export function createAnswerCache(options: AnswerCacheOptions): AnswerCache {
  const { routes, now, onForget, maxWaiting = 1024, maxBytes = 16_777_216, maxEntries = 10_000 } = options;
  const store = createAnswerStore({ maxBytes, maxEntries });
  const flights = new Map<string, Flight>();
  /** Those that are asked for one request alone. */
  const alone = new Set<Question>();
  let waiting = 0;

  function keep(route: ContractRoute, destination: Destination): Destination {
    const lifetimeOf = compileLifetime(route);
    // Whoever asked: what would be refused to everybody is not worth keeping.
    const judge = compileAnswer({ ...route, access: { kind: "everyone" }, visible: undefined }, options);
    const names = [...route.responseHeaders.keys()];

    /** A check of the contract's own may throw; whoever asked is told of that when it is judged for them. */
    function tryJudge(answer: Answer): string | undefined {
      try {
        return judge(answer, { caller: undefined, mustOwn: false }).kind;
      } catch {
        return undefined;
      }
    }

    /** What is to be kept of an answer, if it may be. */
    function toStore(request: ForwardedRequest, answer: Answer, key: string): StoredAnswer | undefined {
      const lifetime = lifetimeOf(answer.status, answer.headers);
      const verdict = tryJudge(answer);
      if (lifetime === undefined || (verdict !== "released" && verdict !== "missing")) return undefined;
      const storedAt = now();
      const freshUntil = storedAt + lifetime.freshMs;
      const staleUntil = freshUntil + lifetime.staleMs;
      const content = { status: answer.status, text: answer.text, headers: pick(answer.headers, names) };
      if (answer.value !== undefined && answer.text === undefined) return undefined;
      return {
        key,
        path: pathOf(request.target),
        storedAt,
        freshUntil,
        staleUntil,
        ageMs: lifetime.ageMs,
        answer: content,
      };
    }

    function use(stored: StoredAnswer, detail = ""): ForwardedAnswer {
      const { status, text, headers } = stored.answer as NonNullable<StoredAnswer["answer"]>;
      const age = Math.floor((now() - stored.storedAt + stored.ageMs) / 1000);
      const ttl = Math.floor((stored.freshUntil - now()) / 1000);
      const value: unknown = text === undefined ? undefined : JSON.parse(text);
      const about = ["age", String(age), "cache-status", `curtainwall; hit; ttl=${ttl}${detail}`];
      return { kind: "answer", status, value, text, headers, about };
    }

    /** Asks for one request alone. */
    function askAlone(request: ForwardedRequest, key: string, done: Done): CallOff | undefined {
      const question: Question = { path: pathOf(request.target), isOutdated: false };
      alone.add(question);
      const callOff = destination(request, (answer) => {
        alone.delete(question);
        const isKeepable = answer.kind === "answer" && !question.isOutdated;
        const stored = isKeepable ? toStore(request, answer, key) : undefined;
        if (stored !== undefined) store.put(stored);
        done(answer.kind === "answer" ? { ...answer, about: asked(stored !== undefined) } : answer);
      });
      return callOff ?? undefined;
    }

    function launch(key: string, first: Waiter): Flight {
      const { request } = first;
      const path = pathOf(request.target);
      const flight: Flight = { path, waiters: new Set([first]), callOff: undefined, isOutdated: false };
      flights.set(key, flight);
      flight.callOff = destination(request, (answer) => land(key, flight, request, answer)) ?? undefined;
      return flight;
    }

    function land(key: string, flight: Flight, request: ForwardedRequest, answer: ForwardedAnswer): void {
      if (flights.get(key) === flight) flights.delete(key);
      const waiters = [...flight.waiters];
      flight.waiters.clear();
      waiting -= waiters.length;
      if (answer.kind === "stream") answer.stream.cancel();
      if (answer.kind !== "answer" || answer.status >= 500) return giveFailure(key, waiters, answer);
      const stored = toStore(request, answer, key);
      if (stored !== undefined) {
        if (!flight.isOutdated) store.put(stored);
        const about = asked(!flight.isOutdated);
        for (const [index, { done }] of waiters.entries())
          done(
            index === 0 ? { ...answer, about } : ({ ...use(stored), about: collapsed } as ForwardedAnswer),
          );
        return;
      }
      if (!flight.isOutdated) store.put(markOwn(key, flight.path));
      // It is one's own: the others ask for theirs.
      const [first, ...others] = waiters;
      first?.done({ ...answer, about: asked(false) });
      for (const other of others) other.callOff = askAlone(other.request, key, other.done);
    }

    function giveFailure(key: string, waiters: readonly Waiter[], answer: ForwardedAnswer): void {
      const stored = store.get(key);
      const isUsable = stored?.answer !== undefined && isWithin(stored, stored.staleUntil, now());
      for (const { done } of waiters) done(isUsable ? use(stored, "; detail=stale-if-error") : answer);
    }

    const markOwn = (key: string, path: string): StoredAnswer => {
      const storedAt = now();
      const until = storedAt + ownForMs;
      return { key, path, storedAt, freshUntil: until, staleUntil: until, ageMs: 0, answer: undefined };
    };

    return (request, done) => {
      const key = keyOf(request);
      const stored = store.get(key);
      if (stored !== undefined && isWithin(stored, stored.freshUntil, now())) {
        if (stored.answer === undefined) return askAlone(request, key, done);
        return done(use(stored));
      }
      let flight = flights.get(key);
      if (flight !== undefined && waiting >= maxWaiting) return done(tooMany);
      const waiter: Waiter = { request, done, callOff: undefined };
      waiting++;
      if (flight === undefined) flight = launch(key, waiter);
      else flight.waiters.add(waiter);
      const joined = flight;
      return () => {
        if (waiter.callOff !== undefined) return waiter.callOff();
        if (!joined.waiters.delete(waiter)) return;
        waiting--;
        done(gone);
        if (joined.waiters.size > 0) return;
        if (flights.get(key) === joined) flights.delete(key);
        joined.callOff?.();
      };
    };
  }

  function forget(path: string): void {
    store.forget(path);
    for (const [key, flight] of flights) {
      if (flight.path !== path) continue;
      flight.isOutdated = true;
      flights.delete(key);
    }
    for (const question of alone) if (question.path === path) question.isOutdated = true;
  }

  /** What changes something makes answers old, unless it was refused. Of what failed, nobody knows whether it was done (RFC 9111 §4.4). */
  function forgetAfter(destination: Destination): Destination {
    return (request, done) => {
      const path = pathOf(request.target);
      return destination(request, (answer) => {
        if (answer.kind !== "answer" || answer.status < 400 || answer.status > 499) {
          forget(path);
          onForget?.(path);
        }
        done(answer);
      });
    };
  }

  return {
    forget,
    before(route, destination) {
      if (route.cache !== undefined) return keep(route, destination);
      const changes =
        route.method !== "GET" && routes.some((other) => other.cache !== undefined && mayMeet(route, other));
      return changes ? forgetAfter(destination) : destination;
    },
  };
}

/** Whether two routes can be asked for the same path, be it of two upstreams: one may read what the other writes. */
function mayMeet(left: ContractRoute, right: ContractRoute): boolean {
  if (left.segments.length !== right.segments.length) return false;
  return left.segments.every((segment, index) => {
    const other = right.segments[index] as (typeof right.segments)[number];
    return !("text" in segment) || !("text" in other) || segment.text === other.text;
  });
}

/** A clock that was set back makes all of it old. */
const isWithin = ({ storedAt }: StoredAnswer, until: number, nowMs: number): boolean =>
  nowMs >= storedAt && nowMs < until;

function pick(headers: AnswerHeaders | undefined, names: readonly string[]): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of names) {
    const value = headers?.[name];
    if (typeof value === "string") kept[name] = value;
  }
  return kept;
}

const asked = (isStored: boolean): readonly string[] => (isStored ? missStored : miss);
const miss = ["cache-status", "curtainwall; fwd=miss"];
const missStored = ["cache-status", "curtainwall; fwd=miss; stored"];
const collapsed = ["cache-status", "curtainwall; fwd=miss; stored; collapsed"];

const tooMany: ForwardedAnswer = {
  kind: "failed",
  code: "GATEWAY_UPSTREAM_UNAVAILABLE",
  reason: "too many requests wait for the same answer",
};
const gone: ForwardedAnswer = {
  kind: "failed",
  code: "GATEWAY_UPSTREAM_UNAVAILABLE",
  reason: "who asked has gone",
  isCancelled: true,
};
