import type { ContractRoute } from "../../contract/index.ts";
import type { Tally } from "../check.ts";
import type { AuditContext } from "../context.ts";
import type { Caller } from "../requests/caller.ts";
import type { ExchangeEvidence } from "../evidence.ts";
import type { Exchange } from "../probes/probe.ts";
import { countArrivals, effectsOf, honestUnseen, moreCame } from "./brought-about.ts";
import type { Effects } from "./brought-about.ts";
import { comesEachTime } from "./each-time.ts";
import { isRefusal, see } from "./shared.ts";
import { readState } from "./state.ts";

/** A delivery that has to be refused. */
export interface BadDelivery {
  /** What has to become of it, as evidence says it. */
  readonly about: string;
  send(caller: Caller): Promise<Exchange>;
}

/** Deliveries to one route that have to be refused, made anew each time: what was taken once need not be taken again. */
export interface BadDeliveries {
  readonly route: ContractRoute;
  /** Whatever it asks, it asks through the context that it is given. */
  make(context: AuditContext): Promise<readonly BadDelivery[]>;
  /** Whether a status refuses. Default: 401 and 403 do. */
  readonly refuses?: (status: number) => boolean;
}

/** How long is waited for what a delivery brings about, once it was answered: longer for a target that takes long, and where the plan's state alone shows it. */
const [patienceMs, unseenPatienceMs, mostPatienceMs] = [250, 1000, 5000];

/**
 * Sends deliveries that have to be refused, and sees by what they would bring about that none of them was taken all the same: a status alone may say no
 * to what is done. Upstreams that tell are asked what came to them, and what the plan says how to read is to be as it was.
 */
export async function refusedAndNotDone(
  context: AuditContext,
  tally: Tally,
  bad: BadDeliveries,
): Promise<void> {
  const { route, make, refuses = isRefusal } = bad;
  const deliveries = await make(context);
  if (deliveries.length === 0) return;
  const effects = await effectsOf(context, route);
  const [state, came] = [await readState(context, route), await effects?.came()];
  if (state === undefined && effects === undefined)
    tally.miss(`neither the plan's state nor an upstream that tells shows what ${route.key} brings about`);
  const { broken } = tally;
  let slowestMs = 0;
  for (const { about, send } of deliveries) {
    const exchange = await send(context.caller);
    slowestMs = Math.max(slowestMs, exchange.response.durationMs);
    tally.expect(refuses(exchange.response.status), see(context, about, exchange));
  }
  // What was taken openly has been told already.
  if (tally.broken > broken) return;
  const leastMs = effects === undefined ? unseenPatienceMs : patienceMs;
  const waitMs = Math.min(mostPatienceMs, Math.max(leastMs, 2 * slowestMs));
  await context.sleep(waitMs);
  if (state !== undefined) expectSame(tally, route, state, await readState(context, route));
  if (effects === undefined || came === undefined) return;
  const hasMoreCome = await moreCame(effects, context.caller, came);
  if (hasMoreCome === undefined) tally.miss(honestUnseen(route, effects));
  else if (hasMoreCome) await sendAlone(context, tally, bad, effects, waitMs);
  else tally.pass({ ...cameToThem(route, effects), value: 0, unit: "requests" });
}

const cameToThem = ({ key }: ContractRoute, { at }: Effects) =>
  ({
    kind: "measurement",
    about: `${key}: what comes to ${at} while nothing is delivered but what is refused`,
  }) as const;

function expectSame(tally: Tally, { key }: ContractRoute, before: string, after: string | undefined): void {
  if (after === undefined)
    return tally.miss(`${key}: what it writes could not be read again after it had refused deliveries`);
  tally.expect(after === before, {
    kind: "measurement",
    about: `${key}: what it writes, before and after`,
    value: after === before ? "the same" : "changed",
  });
}

/**
 * Something came, and it may have been brought about by somebody else: once more, while nobody else of the audit's asks for anything, first without a
 * delivery, then with all that have to be refused.
 */
async function sendAlone(
  context: AuditContext,
  tally: Tally,
  { route, make }: BadDeliveries,
  effects: Effects,
  waitMs: number,
): Promise<void> {
  await context.alone(async (caller) => {
    let deliveries: readonly BadDelivery[] = [];
    let done: ExchangeEvidence[] = [];
    let comesWhile = await countArrivals(effects);
    let isSeen = true;
    const comesOfOne = async (): Promise<number> => {
      const count = await comesWhile(() => effects.askHonestly(caller));
      isSeen &&= count > 0;
      return count;
    };
    const value = await comesEachTime({
      idle: async () => {
        deliveries = await make({ ...context, caller });
        // What an honest one among them brings about may stand in a queue.
        await context.sleep(waitMs);
        comesWhile = await countArrivals(effects);
        return comesWhile(() => context.sleep(waitMs));
      },
      busy: async () => {
        done = [];
        const ofOne = await comesOfOne();
        let came = 0;
        for (const { about, send } of deliveries) {
          const answers: Exchange[] = [];
          const count = await comesWhile(async () => answers.push(await send(caller)));
          came += count;
          for (const exchange of count > 0 ? answers : [])
            done.push(see(context, `${about}; it comes to ${effects.at} all the same`, exchange));
        }
        came += await comesWhile(() => context.sleep(waitMs));
        // Whatever was done has come when what is honest and was asked for later has.
        return came + Math.max(0, (await comesOfOne()) - ofOne);
      },
    });
    if (value === undefined)
      return tally.miss(`${route.key}: somebody else goes on asking ${effects.at} for the same`);
    if (!isSeen && value === 0) return tally.miss(honestUnseen(route, effects));
    for (const seen of done) tally.fail(seen);
    tally.expect(value === 0, { ...cameToThem(route, effects), value, unit: "requests" });
  });
}
