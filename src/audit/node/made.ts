import type { ContractRoute } from "../../contract/index.ts";
import { reasonOf } from "../check.ts";
import type { AuditContext } from "../context.ts";
import type { AuditMade, AuditPlan } from "../plan/plan.ts";
import type { Caller } from "../requests/caller.ts";
import { isSuccess } from "../rules/shared.ts";
import { withTimeout } from "./clock.ts";
import type { TimePlan } from "./ending.ts";
import { openJournal } from "./journal.ts";
import type { ContextOptions } from "./run.ts";

/** What was made, and what became of it. */
export interface CleanedUp extends AuditMade {
  /** It is what an earlier run left that was killed, and not what this one made. */
  readonly isFormer: boolean;
  /** Why it is still there: the plan's `cleanUp` failed, or there is none. Undefined: it was taken away. */
  readonly problem: "no cleanUp" | { readonly failed: string } | undefined;
}

/** What a run makes of what the plan's samples ask for, from its first request until it was taken away. */
export interface Made {
  /** The plan, which gives nothing more once it is over: asking for a sample may make something too. */
  readonly plan: AuditPlan;
  /** Requests that routes which write took, by route. */
  readonly left: Readonly<Record<string, number>>;
  /** The context, with what it makes noted and counted. From `over` on it makes no calls. */
  watch(context: AuditContext, over: Promise<never>): AuditContext;
  /** Waits, not for long, for calls that are under way: what comes of them is to be taken away too. */
  settle(): Promise<void>;
  /** Takes away what was made. Where nothing was asked for that could make something, the plan's `cleanUp` is not called. */
  cleanUp(): Promise<CleanedUp>;
}

/**
 * Takes away what an earlier run left that was killed, and notes that from now on this one makes something.
 *
 * @param time how long to wait for what is under way, and for the plan's `cleanUp`
 */
export async function openMade(
  {
    plan = {},
    journal: file,
    now = Date.now,
    onCleanUp,
  }: Pick<ContextOptions, "plan" | "journal" | "now" | "onCleanUp">,
  { settleMs, cleanUpMs }: Pick<TimePlan, "settleMs" | "cleanUpMs">,
): Promise<Made> {
  const journal = openJournal(file);
  const { former } = journal;
  let since = new Date(now()).toISOString();
  let mayHaveMade = false;
  if (former !== undefined) {
    const problem = await takeAway(plan, former, cleanUpMs);
    onCleanUp?.({ ...former, isFormer: true, problem });
    // What could not be taken away is part of what this run leaves.
    mayHaveMade = typeof problem === "object";
    if (mayHaveMade) since = former.since;
    else journal.clear();
  }
  journal.begin(new Date(since));
  const left: Record<string, number> = {};
  const underWay = new Set<Promise<unknown>>();
  let end: unknown;

  const assertGoesOn = (): void => {
    if (end !== undefined) throw end as Error;
  };
  const beginMaking = (): void => {
    assertGoesOn();
    mayHaveMade = true;
  };
  const track =
    <Input extends unknown[], Answer>(ask: (...input: Input) => Promise<Answer>) =>
    (...input: Input): Promise<Answer> => {
      const asking = ask(...input);
      const settled: Promise<unknown> = asking.catch(() => undefined).then(() => underWay.delete(settled));
      underWay.add(settled);
      return asking;
    };
  const watchCaller = (caller: Caller): Caller => ({
    ...caller,
    send: track(caller.send),
    call: track(async (call) => {
      assertGoesOn();
      const { key } = call.route;
      if (writes(call.route)) {
        mayHaveMade = true;
        journal.note(key);
      }
      const exchange = await caller.call(call);
      if (writes(call.route) && isSuccess(exchange.response.status)) left[key] = (left[key] ?? 0) + 1;
      return exchange;
    }),
  });
  return {
    plan: guarded(plan, beginMaking),
    left,
    watch(context, over) {
      over.catch((error: unknown) => void (end = error));
      const { wire } = context;
      return {
        ...context,
        wire: {
          ...wire,
          abandon: track(wire.abandon),
          send: track(wire.send),
          sendRaw: track(wire.sendRaw),
        },
        caller: watchCaller(context.caller),
        alone: (work) => context.alone((caller, tls) => work(watchCaller(caller), tls)),
      };
    },
    settle: async () => void (await withTimeout(Promise.all(underWay), settleMs).catch(() => undefined)),
    async cleanUp() {
      const made = { since, routes: Object.keys(left) };
      const problem = mayHaveMade ? await takeAway(plan, made, cleanUpMs) : undefined;
      if (typeof problem !== "object") journal.clear();
      return { ...made, isFormer: false, problem };
    },
  };
}

const writes = ({ method }: ContractRoute): boolean => method !== "GET";

async function takeAway(
  { cleanUp }: AuditPlan,
  made: AuditMade,
  withinMs: number,
): Promise<CleanedUp["problem"]> {
  if (cleanUp === undefined) return "no cleanUp";
  try {
    await withTimeout(cleanUp(made), withinMs);
    return undefined;
  } catch (error) {
    return { failed: reasonOf(error) };
  }
}

/** The members of a plan that say what to send. */
const samples = ["samples", "failures", "errors", "hidden", "guesses", "lies"] as const;

/** A plan whose functions, where they say what to send, first tell so: whoever hears it may refuse. */
function guarded(plan: AuditPlan, beginMaking: () => void): AuditPlan {
  const guard = (value: unknown): unknown => {
    if (typeof value === "function")
      return (...input: unknown[]): unknown => {
        beginMaking();
        return (value as (...given: unknown[]) => unknown)(...input);
      };
    if (Array.isArray(value)) return value.map(guard);
    return isPlain(value)
      ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, guard(member)]))
      : value;
  };
  const own = samples.filter((name) => plan[name] !== undefined);
  return { ...plan, ...Object.fromEntries(own.map((name) => [name, guard(plan[name])])) };
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
