import type { ContractRoute } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls } from "../../requests/inputs.ts";
import type { HonestCall } from "../../requests/inputs.ts";
import type { Exchange } from "../../probes/probe.ts";
import { isSuccess, see } from "../shared.ts";
import { privateReads, withoutPrivateReads } from "./kept.ts";

/** Who asks at one address and is to get an answer of its own, which its canary tells. */
interface Sharer extends HonestCall {
  readonly canary: string;
}

/** How often each of them asks: some must come while another's answer is still under way. */
const times = 4;
/** Longer than this nobody waits for kept answers to be old. */
const maxKeptSeconds = 10;

/** Answers that are asked for once for all who wait, or that are put together in a place that all requests share. */
export const askedAtOnce: Check = {
  name: "who asks at the same moment gets an answer of its own",
  kind: "live",
  attack: { kind: "caching", promise: "access", per: "route" },
  isActive: true,
  notApplicable: withoutPrivateReads,
  run: async (context, tally) => {
    for (const route of privateReads(context)) {
      const sharers = await sharersOf(context, route);
      if (sharers.length < 2) tally.notApplicable(`nobody shares an address of ${route.key}`);
      else await atOnce(context, tally, route, sharers);
    }
  },
};

/** Of those who get something of their own at a route, those who ask for it at the first one's address. */
async function sharersOf(context: AuditContext, route: ContractRoute): Promise<Sharer[]> {
  const calls: (Sharer & { path: string })[] = [];
  for (const honest of honestCalls(context, route)) {
    const { canary } = honest.input;
    if (canary === undefined) continue;
    const { path } = await context.caller.request({ route, ...honest });
    calls.push({ ...honest, canary, path });
  }
  return calls.filter(({ path }) => path === calls[0]?.path);
}

async function atOnce(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  sharers: readonly Sharer[],
): Promise<void> {
  const { seconds = 0 } = route.cache ?? {};
  // What is kept for each of them already is asked for no more.
  if (seconds > 0 && seconds <= maxKeptSeconds) await context.sleep(seconds * 1000 + 100);
  const asked = await Promise.all(
    Array.from({ length: times }, () => sharers)
      .flat()
      .map(async (sharer) => ({ sharer, exchange: await ask(context, route, sharer) })),
  );
  const served = asked.filter(({ exchange }) => isSuccess(exchange.response.status));
  if (served.length < asked.length)
    tally.miss(`${route.key}: of ${asked.length} requests at once ${served.length} were answered`);
  for (const { sharer, exchange } of served) {
    const text = exchange.response.text();
    const other = sharers.find(({ canary }) => canary !== sharer.canary && text.includes(canary));
    tally.expect(
      other === undefined && text.includes(sharer.canary),
      see(
        context,
        `${route.key}: asked by ${sharers.map(({ as }) => as).join(", ")} at once; ${sharer.as} gets ${other === undefined ? "its own" : `what is ${other.as}'s`}`,
        exchange,
      ),
    );
  }
}

const ask = (context: AuditContext, route: ContractRoute, { as, input }: Sharer): Promise<Exchange> =>
  context.caller.call({ route, as, input });
