import type { ContractRoute } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { textPlaces } from "../../requests/text-places.ts";
import { judgeBaits, listenerThatHears } from "./baits.ts";
import type { Bait } from "./baits.ts";
import { formsFor } from "./ssrf-forms.ts";
import { honestCall, isSuccess, withoutRoutes } from "../shared.ts";

/** Headers that proxies, statistics and clumsy code follow. */
const followed: readonly (readonly [name: string, value: (url: string, host: string) => string])[] = [
  ["referer", (url) => url],
  ["x-forwarded-host", (_, host) => host],
  ["x-host", (_, host) => host],
  ["x-forwarded-server", (_, host) => host],
  ["forwarded", (_, host) => `host="${host}";proto=http`],
  ["x-original-url", (url) => url],
  ["x-rewrite-url", (url) => url],
  ["x-wap-profile", (url) => url],
  ["x-callback-url", (url) => url],
  ["x-forwarded-for", () => "127.0.0.1"],
  ["destination", (url) => url],
  ["from", (_, host) => `audit@${host}`],
  ["via", (_, host) => `1.1 ${host}`],
];

/** Server-side request forgery: addresses of the audit's own, in everything that a request has. */
export const noForgedRequests: Check = {
  name: "no address in a request makes the stack ask it",
  kind: "live",
  attack: { kind: "ssrf", promise: "to", per: "route" },
  isActive: true,
  notApplicable: withoutRoutes,
  run: async (context, tally) => {
    const listener = await listenerThatHears(context, tally);
    if (listener === undefined) return undefined;
    const before = listener.hits.length;
    const baits: Bait[] = [];
    for (const route of context.contract.routes)
      baits.push(...(await baitRoute(context, tally, route, listener.port)));
    return () => judgeBaits(context, tally, listener, before, baits);
  },
};

async function baitRoute(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  port: number,
): Promise<Bait[]> {
  const honest = honestCall(context, route, tally);
  if (honest === undefined) return [];
  const baits: Bait[] = [];
  const send = async (what: string, mark: string, change: object): Promise<void> => {
    const exchange = await context.caller.call({ route, ...honest, ...change });
    baits.push({ mark, what: `${route.key}: ${what}`, route: route.key, exchange, sentAt: context.now() });
  };
  for (const place of textPlaces(route, honest.input)) {
    for (const [form, write] of formsFor(place)) {
      const mark = context.mark();
      await send(
        `${place.name} is ${form}`,
        mark,
        place.put(write({ mark, port, site: context.target.host })),
      );
    }
  }
  const mark = context.mark();
  const url = `http://127.0.0.1:${port}/${mark}`;
  await send("headers lead to us", mark, {
    headers: followed.map(([name, value]) => [name, value(url, `127.0.0.1:${port}`)]),
  });
  // What refuses everything asks nobody either.
  if (!baits.some(({ exchange }) => isSuccess(exchange?.response.status ?? 0))) {
    const { response } = await context.caller.call({ route, ...honest });
    if (!isSuccess(response.status)) {
      const unserved = `${route.key}: the honest request was answered ${response.status}`;
      tally.miss(unserved);
      return baits.map((bait) => ({ ...bait, unserved }));
    }
  }
  return baits;
}
