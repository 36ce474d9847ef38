import { accessParts } from "../../contract/index.ts";
import type { ContractBudget, ContractRoute, ContractUpstream, EventSink } from "../../contract/index.ts";
import type { Passage, RouteAnswers } from "../answers/route-answers.ts";
import type { LimitStore } from "../types.ts";
import { compileSpending } from "./budgets.ts";
import type { CountedBudget } from "./budgets.ts";
import { countedLimit, createLocalCounting } from "./counting.ts";
import type { CountedLimit, Counting } from "./counting.ts";
import { compileDoors } from "./doors.ts";
import { compileFailures } from "./failures.ts";
import type { Door, Gates } from "./gates.ts";
import { holdBefore } from "./hold.ts";
import type { Hold, Send } from "./hold.ts";
import { compileLimits } from "./limits.ts";
import type { LimitRow } from "./limits.ts";
import type { LoadMeter } from "./load-meter.ts";
import { createPacer } from "./pace.ts";
import type { Pacer, Schedule } from "./pace.ts";
import { nameSubject, needsCaller } from "./subjects.ts";

/** What limiting needs. */
export interface LimitingOptions {
  readonly contract: {
    readonly upstreams: ReadonlyMap<string, ContractUpstream>;
    readonly budgets: ReadonlyMap<string, ContractBudget>;
  };
  readonly limits: LimitStore;
  readonly gates: Gates;
  /** Where all hosts count together. Undefined: this one counts alone. */
  readonly shared: Counting | undefined;
  readonly load: LoadMeter | undefined;
  readonly schedule: Schedule;
  readonly events: EventSink;
  readonly now: () => number;
  readonly ipv6Prefix: number;
}

type Next = (passage: Passage) => void;
interface Answers extends Pick<RouteAnswers, "refuse" | "refuseThrown" | "fail"> {
  /** Lets pass what comes too often after all, and tells; absent: nothing does. */
  passes?: (() => boolean) | undefined;
}

/** A route's limits, compiled: each part is put before what follows it, and is that itself where there is nothing to check. */
export interface RouteLimits {
  /** What the route promises, as the value of `RateLimit-Policy`. */
  readonly policy: string;
  /** Before it is known who calls: load, limits by client and route, their pace. */
  arrive(answers: Answers, newId: () => string, next: Next): Next;
  /** Once it is known: limits by user, key and tenant, their pace. */
  known(answers: Answers, next: Next): Next;
  /** Before the upstream is asked: who is under way, what of the access is still to be asked, failures, budgets. */
  ready(answers: Answers, next: Send, access?: Hold): Send;
}

/** The limits of one gateway. */
export interface Limiting {
  compile(route: ContractRoute): RouteLimits;
  /** Refuses those that wait for their turn. */
  close(): void;
}

/** Puts the limits of a gateway together: what its routes share, numbered alike in all threads. */
export function createLimiting(options: LimitingOptions): Limiting {
  const { contract, limits: store, gates, shared, load, schedule, events, now, ipv6Prefix } = options;
  const counting = shared ?? createLocalCounting(now);
  const numbers = { limit: 0, counter: 0, door: 0 };
  const nextId = (): number => ++numbers.limit;
  const nextCounter = (): number => numbers.counter++;
  const nextDoor = (most: number): Door => gates.door(numbers.door++, most);
  const places = { store, nextId, counters: gates.counters, nextCounter, ipv6Prefix };
  const pacers: Pacer[] = [];
  const upstreamDoors = new Map(
    [...contract.upstreams.values()].flatMap(({ name, concurrency }) =>
      concurrency === undefined ? [] : [[name, nextDoor(concurrency)] as const],
    ),
  );
  const budgets = new Map([...contract.budgets.values()].map((budget) => [budget.name, countBudget(budget)]));

  function countBudget(budget: ContractBudget): CountedBudget {
    const limit = countedLimit(budget, `budget ${budget.name}`, gates.counters, nextCounter());
    const often = Math.min(86_400, Math.max(60, budget.windowSeconds)) * 1000;
    const telling = { id: nextCounter(), burst: 1, intervalMs: often };
    return {
      limit,
      exhausted(route) {
        const time = now();
        if (gates.counters.take(telling, "", time) < 0) return;
        events({ type: "gateway.budget.exhausted", time, budget: budget.name, route });
      },
    };
  }

  function charge(row: LimitRow | undefined, { refuse, refuseThrown, passes }: Answers, next: Next): Next {
    if (row === undefined) return next;
    function judge(passage: Passage, { state, retryAfterSeconds }: ReturnType<LimitRow["read"]>): void {
      passage.rateLimit = passage.rateLimit === "" ? state : `${passage.rateLimit}, ${state}`;
      if (retryAfterSeconds === 0 || passes?.() === true) return next(passage);
      refuse(passage, { code: "GATEWAY_LIMIT_REACHED", headers: ["retry-after", String(retryAfterSeconds)] });
    }
    if (shared === undefined) return (passage) => judge(passage, row.chargeHere(passage, now()));
    return (passage) =>
      shared.charge(row.chargesOf(passage), (left) => {
        try {
          judge(passage, row.read(left));
        } catch (error) {
          refuseThrown(passage, error);
        }
      });
  }

  function keepPace(
    { key, pace }: ContractRoute,
    limit: CountedLimit | undefined,
    { refuse, refuseThrown }: Answers,
    next: Next,
  ): Next {
    if (pace === undefined || limit === undefined) return next;
    const pacer = createPacer({ pace, limit, counting, schedule });
    pacers.push(pacer);
    const nameOf = nameSubject(pace.by, ipv6Prefix);
    const clientOf = nameSubject("client", ipv6Prefix);
    const reason = `the pace of ${key}`;
    return (passage) => {
      const { request } = passage;
      pacer.offer({
        key: nameOf(passage),
        client: clientOf(passage),
        pass() {
          try {
            next(passage);
          } catch (error) {
            refuseThrown(passage, error);
          }
        },
        refuse(seconds) {
          refuse(passage, { code: "GATEWAY_QUEUE_FULL", reason, headers: ["retry-after", String(seconds)] });
        },
        ...(request.onAbort === undefined ? {} : { onAbort: (listener) => request.onAbort?.(listener) }),
      });
    };
  }

  function shed({ priority }: ContractRoute, { fail }: Answers, newId: () => string, next: Next): Next {
    if (load === undefined || priority === "high") return next;
    return (passage) => {
      // Told as a number: an event for each would be more of what there is too much of.
      if (load.sheds(priority)) fail(passage, "GATEWAY_OVERLOADED", newId(), retrySoon);
      else next(passage);
    };
  }

  return {
    compile(route) {
      const { key, limits, pace, concurrency, failures } = route;
      const { policy, arrival, known } = compileLimits(key, limits, places);
      const paced =
        pace === undefined
          ? undefined
          : pace.by === "route"
            ? countedLimit(pace, `${key} pace`, gates.counters, nextCounter())
            : countedLimit(pace, `${key} pace ${pace.by}`, store, nextId());
      const isPacedLate = pace !== undefined && needsCaller(pace.by);
      const counted = (failures?.limits ?? []).map((failure) => {
        const name = `${key} failures ${[failure.by, ...failure.field].join(".")}`;
        return failure.by === "route"
          ? { failure, limit: countedLimit(failure, name, gates.counters, nextCounter()) }
          : { failure, limit: countedLimit(failure, name, store, nextId()) };
      });
      const doors = [
        ...(concurrency === undefined ? [] : [nextDoor(concurrency)]),
        ...askedUpstreams(route).flatMap((name) => upstreamDoors.get(name) ?? []),
      ];
      const underWay = compileDoors(doors);
      const holds: (Hold | undefined)[] = [
        failures && compileFailures(route, failures, counted, counting, ipv6Prefix),
        compileSpending(route, (name) => budgets.get(name) as CountedBudget, counting),
      ];
      return {
        policy,
        arrive(answers, newId, next) {
          const then = isPacedLate ? next : keepPace(route, paced, answers, next);
          return shed(route, answers, newId, charge(arrival, answers, then));
        },
        known(answers, next) {
          return charge(known, answers, isPacedLate ? keepPace(route, paced, answers, next) : next);
        },
        ready: (answers, next, access) =>
          holdBefore(
            [underWay, access, ...holds].filter((hold) => hold !== undefined),
            answers,
            next,
          ),
      };
    },
    close() {
      for (const pacer of pacers) pacer.close();
    },
  };
}

/** Each upstream that a route's requests ask something of, once. */
function askedUpstreams({ to, access }: ContractRoute): string[] {
  const lookedUp = accessParts(access).map((part) => (part.kind === "ownerLookup" ? (part.from ?? to) : to));
  return [...new Set([to, ...lookedUp])];
}

const retrySoon = ["retry-after", "1"];
