import type { Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import type { Exchange } from "../../probes/probe.ts";
import { arrivedSince } from "../../probes/upstream-witness.ts";
import { honestCalls } from "../../requests/inputs.ts";
import { countArrivals, effectsOf, honestUnseen, moreCame } from "../brought-about.ts";
import type { Effects } from "../brought-about.ts";
import { comesEachTime } from "../each-time.ts";
import { sendTogether } from "../send-together.ts";
import { isSuccess } from "../shared.ts";
import type { WebhookRoute } from "../webhooks.ts";

/** How many copies come at once: some must come while the first is under way. */
const copies = 8;
/** How long is waited for what a delivery brings about: it may stand in a queue. */
const patienceMs = 250;
/** Senders that give deliveries no name sign the second: what says the same in the next one is another delivery. */
const anewMs = 1100;

/**
 * Sends copies of one delivery at once. What is noted once it was done is not known yet while others are under way; and a copy that is told to have
 * failed may have been done all the same, so that upstreams that tell are asked how much came to them.
 */
export async function takenOnceOfMany(
  context: AuditContext,
  tally: Tally,
  route: WebhookRoute,
): Promise<void> {
  const effects = await effectsOf(context, route);
  const before = await effects?.came();
  const answers = await sendAnew(context, route);
  const taken = answers.filter(({ response }) => isSuccess(response.status));
  const failed = answers.filter(({ response }) => response.status >= 500);
  const about = `${route.key}: of ${copies} copies at once so many are taken, and one may be`;
  if (taken.length > 1)
    return tally.fail({ kind: "measurement", about, value: taken.length, unit: "copies" });
  const [firstFailed] = failed;
  if (effects !== undefined && before !== undefined) {
    await context.sleep(patienceMs);
    const [delivered] = arrivedSince(before, await effects.came());
    // One may come of anybody's delivery; where more came, copies are told from one while nobody else asks.
    const known = delivered === undefined ? before : [...before, delivered];
    const hasMoreCome = await moreCame(effects, context.caller, known);
    if (hasMoreCome === undefined) tally.miss(honestUnseen(route, effects));
    else if (hasMoreCome) await countAlone(context, tally, route, effects);
  } else if (firstFailed !== undefined)
    tally.miss(
      `${route.key}: of ${copies} copies at once ${failed.length} were answered ${firstFailed.response.status}, and nobody tells whether they were done`,
    );
  if (taken.length === 0) return tally.miss(`${route.key}: of ${copies} copies at once none was taken`);
  tally.pass({ kind: "measurement", about, value: taken.length, unit: "copies" });
}

/** While nobody else of the audit's asks for anything: as much comes of many copies as of one. */
async function countAlone(
  context: AuditContext,
  tally: Tally,
  route: WebhookRoute,
  effects: Effects,
): Promise<void> {
  const { at } = effects;
  await context.alone(async (caller) => {
    const comesWhile = await countArrivals(effects);
    const comesOf = (count: number): Promise<number> =>
      comesWhile(async () => {
        await sendCopies({ ...context, caller }, route, count);
        await context.sleep(anewMs);
      });
    let [ofOne, ofMany] = [0, 0];
    const more = await comesEachTime({
      idle: () => comesOf(0),
      busy: async () => {
        const [first, many, last] = [await comesOf(1), await comesOf(copies), await comesOf(1)];
        // What came late of the copies came with the last one.
        [ofOne, ofMany] = [Math.min(first, last), many + Math.max(0, last - first)];
        return Math.max(0, ofMany - ofOne);
      },
    });
    if (more === undefined)
      return tally.miss(`${route.key}: somebody else goes on asking ${at} for the same`);
    if (ofOne === 0) return tally.miss(honestUnseen(route, effects));
    tally.expect(ofMany <= ofOne, {
      kind: "measurement",
      about: `${route.key}: what comes to ${at} of ${copies} copies at once; ${ofOne} of one`,
      value: ofMany,
      unit: "requests",
    });
  });
}

/** None is taken of what was delivered in this second already. */
async function sendAnew(context: AuditContext, route: WebhookRoute): Promise<Exchange[]> {
  const answers = await sendCopies(context, route, copies);
  if (answers.some(({ response }) => isSuccess(response.status))) return answers;
  await context.sleep(anewMs);
  return sendCopies(context, route, copies);
}

/** Copies of a delivery that was never sent before, from one client. */
async function sendCopies(context: AuditContext, route: WebhookRoute, count: number): Promise<Exchange[]> {
  const [honest] = honestCalls(context, route);
  if (honest === undefined) return [];
  const client = context.caller.freshClient();
  const request = {
    ...(await context.caller.request({ route, ...honest })),
    ...(client === undefined ? {} : { client }),
  };
  return sendTogether(context, (copy) => context.caller.send(copy), request, count);
}
