import { setTimeout as sleep } from "node:timers/promises";
import { CurtainwallError } from "../../shared/index.ts";
import type { ContractRoute } from "../../contract/index.ts";
import { reasonOf } from "../check.ts";
import type { AuditContext } from "../context.ts";
import type { AuditMade, AuditPlan } from "../plan/plan.ts";
import type { Caller } from "../requests/caller.ts";
import { isSuccess } from "../rules/shared.ts";
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
  /** Takes away what was made. It has ten seconds. */
  cleanUp(): Promise<CleanedUp>;
}

const maxCleanUpMs = 10_000;
const maxSettleMs = 2000;

/** Takes away what an earlier run left that was killed, and notes that from now on this one makes something. */
export async function openMade({
  plan = {},
  journal: file,
  now = Date.now,
  onCleanUp,
}: Pick<ContextOptions, "plan" | "journal" | "now" | "onCleanUp">): Promise<Made> {
  const journal = openJournal(file);
  const { former } = journal;
  let since = new Date(now()).toISOString();
  if (former !== undefined) {
    const problem = await takeAway(plan, former);
    onCleanUp?.({ ...former, isFormer: true, problem });
    // What could not be taken away is part of what this run leaves.
    if (typeof problem === "object") since = former.since;
    else journal.clear();
  }
  journal.begin(new Date(since));
  const left: Record<string, number> = {};
  const underWay = new Set<Promise<unknown>>();
  let end: unknown;

  const assertGoesOn = (): void => {
    if (end !== undefined) throw end as Error;
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
      if (writes(call.route)) journal.note(key);
      const exchange = await caller.call(call);
      if (writes(call.route) && isSuccess(exchange.response.status)) left[key] = (left[key] ?? 0) + 1;
      return exchange;
    }),
  });
  return {
    plan: guarded(plan, assertGoesOn),
    left,
    watch(context, over) {
      over.catch((error: unknown) => void (end = error));
      const { wire } = context;
      return {
        ...context,
        wire: { ...wire, send: track(wire.send), sendRaw: track(wire.sendRaw) },
        caller: watchCaller(context.caller),
        alone: (work) => context.alone((caller, tls) => work(watchCaller(caller), tls)),
      };
    },
    settle: async () => void (await withTimeout(Promise.all(underWay), maxSettleMs).catch(() => undefined)),
    async cleanUp() {
      const made = { since, routes: Object.keys(left) };
      const problem = await takeAway(plan, made);
      if (typeof problem !== "object") journal.clear();
      return { ...made, isFormer: false, problem };
    },
  };
}

const writes = ({ method }: ContractRoute): boolean => method !== "GET";

async function takeAway({ cleanUp }: AuditPlan, made: AuditMade): Promise<CleanedUp["problem"]> {
  if (cleanUp === undefined) return "no cleanUp";
  try {
    await withTimeout(cleanUp(made), maxCleanUpMs);
    return undefined;
  } catch (error) {
    return { failed: reasonOf(error) };
  }
}

async function withTimeout<Result>(work: Promise<Result>, milliseconds: number): Promise<Result> {
  const waiting = new AbortController();
  try {
    const late = sleep(milliseconds, undefined, { signal: waiting.signal }).then(() => {
      throw new CurtainwallError("AUDIT_BUDGET_SPENT", `it took longer than ${milliseconds / 1000} seconds`);
    });
    return await Promise.race([work, late]);
  } finally {
    waiting.abort();
  }
}

/** The members of a plan that say what to send. */
const samples = ["samples", "failures", "errors", "hidden", "guesses", "lies"] as const;

/** A plan whose functions, where they say what to send, first ask whether it goes on. */
function guarded(plan: AuditPlan, assertGoesOn: () => void): AuditPlan {
  const guard = (value: unknown): unknown => {
    if (typeof value === "function")
      return (...input: unknown[]): unknown => {
        assertGoesOn();
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
