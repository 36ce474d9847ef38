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
import { anewMs } from "./webhook-deliveries.ts";

/** How many copies come at once: some must come while the first is under way. */
const copies = 8;
/** How long is waited for what a delivery brings about: it may stand in a queue. */
const patienceMs = 250;

/** On a busy machine a few of the copies come together, or none: what one volley does not show the next one may. */
const volleys = 3;

/**
 * Sends copies of one delivery at once, and of others after it. What is noted once it was done is not known yet while others are under way; and a copy
 * that is told to have failed may have been done all the same, so that upstreams that tell are asked how much came to them.
 */
export async function takenOnceOfMany(
  context: AuditContext,
  tally: Tally,
  route: WebhookRoute,
): Promise<void> {
  const effects = await effectsOf(context, route);
  for (let volley = 1; volley <= volleys; volley++)
    if (!(await isTakenOnce(context, tally, route, effects))) return;
  tally.pass({ kind: "measurement", about: aboutCopies(route), value: 1, unit: "copies" });
}

const aboutCopies = ({ key }: WebhookRoute): string =>
  `${key}: of ${copies} copies at once so many are taken, and one may be`;

/** Sends one volley. False: the tally says what is wrong, or why nothing is known. */
async function isTakenOnce(
  context: AuditContext,
  tally: Tally,
  route: WebhookRoute,
  effects: Effects | undefined,
): Promise<boolean> {
  const before = await effects?.came();
  const answers = await sendAnew(context, route);
  const taken = answers.filter(({ response }) => isSuccess(response.status)).length;
  const failed = answers.filter(({ response }) => response.status >= 500);
  const miss = (why: string): boolean => {
    tally.miss(why);
    return false;
  };
  if (taken > 1) {
    tally.fail({ kind: "measurement", about: aboutCopies(route), value: taken, unit: "copies" });
    return false;
  }
  const [firstFailed] = failed;
  if (effects !== undefined && before !== undefined) {
    await context.sleep(patienceMs);
    const [delivered] = arrivedSince(before, await effects.came());
    // One may come of anybody's delivery; where more came, copies are told from one while nobody else asks.
    const known = delivered === undefined ? before : [...before, delivered];
    const hasMoreCome = await moreCame(effects, context.caller, known);
    if (hasMoreCome === undefined) return miss(honestUnseen(route, effects));
    if (hasMoreCome && !(await isOneOfMany(context, tally, route, effects))) return false;
  } else if (firstFailed !== undefined)
    return miss(
      `${route.key}: of ${copies} copies at once ${failed.length} were answered ${firstFailed.response.status}, and nobody tells whether they were done`,
    );
  return taken > 0 || miss(`${route.key}: of ${copies} copies at once none was taken`);
}

/** While nobody else of the audit's asks for anything: as much comes of many copies as of one. False: the tally says that it does not, or why nothing is known. */
async function isOneOfMany(
  context: AuditContext,
  tally: Tally,
  route: WebhookRoute,
  effects: Effects,
): Promise<boolean> {
  const { at } = effects;
  return context.alone(async (caller) => {
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
    if (more === undefined || ofOne === 0) {
      tally.miss(
        more === undefined
          ? `${route.key}: somebody else goes on asking ${at} for the same`
          : honestUnseen(route, effects),
      );
      return false;
    }
    tally.expect(ofMany <= ofOne, {
      kind: "measurement",
      about: `${route.key}: what comes to ${at} of ${copies} copies at once; ${ofOne} of one`,
      value: ofMany,
      unit: "requests",
    });
    return ofMany <= ofOne;
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
