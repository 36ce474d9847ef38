import type { ContractRoute } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls, lacking } from "../../requests/inputs.ts";
import type { HonestCall } from "../../requests/inputs.ts";
import { bodyTextOf } from "../../requests/input-values.ts";
import type { PageVisit } from "../../probes/probe.ts";
import { readState } from "../state.ts";
import { isSuccess, see, withoutRoutes } from "../shared.ts";
import { unservedBy } from "../unserved.ts";

/**
 * Routes that another site's page must not bring about. A form that everybody may send is none: whoever sends it, it is sent in nobody's name. JSON is one, since
 * no page can send it elsewhere without asking first.
 */
const guarded = ({ contract }: AuditContext): ContractRoute[] =>
  contract.routes.filter(
    ({ method, access, bodyType, body, createsSession, webhook }) =>
      method !== "GET" &&
      webhook === undefined &&
      (access.kind !== "everyone" || createsSession || (bodyType === "json" && body !== undefined)),
  );

/**
 * Cross-site request forgery as it is: what a page of another site may send without asking, written as browsers write it; and, where there is one, such a page in a
 * real browser.
 */
export const foreignPages: Check = {
  name: "another site's page brings nothing about",
  kind: "live",
  attack: { kind: "csrf", promise: "cors", per: "site" },
  isActive: true,
  isSupporting: true,
  notApplicable: (context) =>
    withoutRoutes(context) ??
    (guarded(context).length > 0 ? undefined : "no route writes anything that a page elsewhere must not"),
  run: async (context, tally) => {
    const routes: Written[] = [];
    for (const route of guarded(context)) {
      const [honest] = honestCalls(context, route);
      if (honest === undefined) tally.miss(lacking(context, route));
      else
        routes.push({
          route,
          honest,
          url: await addressOf(context, route, honest),
          before: await readState(context, route),
        });
    }
    if (routes.length === 0) return;
    for (const { route, honest } of routes) await imitate(context, tally, route, honest);
    const asked = await visitElsewhere(context, routes);
    for (const written of routes) await judge(context, tally, written, asked);
    for (const written of routes) await ownCall(context, tally, written);
  },
};

const elsewhere = "https://attacker.invalid";
/** What a page may send elsewhere without asking first. @see Fetch §2.2.2 (CORS-safelisted request-header) */
const simpleTypes = [
  "text/plain",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  null,
] as const;
const origins: readonly (readonly [what: string, headers: readonly (readonly [string, string])[]])[] = [
  [
    "another site's page",
    [
      ["origin", elsewhere],
      ["sec-fetch-site", "cross-site"],
      ["sec-fetch-mode", "no-cors"],
    ],
  ],
  [
    "a page that hides its origin",
    [
      ["origin", "null"],
      ["sec-fetch-site", "cross-site"],
    ],
  ],
  ["nobody says which page", [["sec-fetch-site", "none"]]],
];

/** The requests of such a page, without a browser. */
async function imitate(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  honest: HonestCall,
): Promise<void> {
  for (const [what, headers] of origins)
    for (const contentType of route.body === undefined ? [null] : simpleTypes) {
      if (route.bodyType === "form" && route.access.kind === "everyone" && what !== origins[0]?.[0]) continue;
      const exchange = await context.caller.call({ route, input: honest.input, headers, contentType });
      tally.expect(
        !isSuccess(exchange.response.status),
        see(
          context,
          `${route.key}: ${what} sends ${contentType ?? "no type"}, and brings nothing about`,
          exchange,
        ),
      );
    }
}

/** The same from a real page. Where there is no browser, what was imitated is all there is. */
async function visitElsewhere(
  context: AuditContext,
  routes: readonly Written[],
): Promise<PageVisit["asked"] | undefined> {
  const browser = await context.browser().catch(() => undefined);
  if (browser === undefined) return undefined;
  const listener = await context.listener();
  const { asked } = await browser.visit(listener.offer(foreignPage(routes)), undefined, {
    hasSeen: (seen) =>
      routes.every(({ route, url }) => sentTo(url, seen).length >= (route.method === "POST" ? 4 : 1)),
  });
  return asked;
}

interface Written {
  route: ContractRoute;
  honest: HonestCall;
  url: string;
  before: string | undefined;
}

async function addressOf(
  { caller, target }: AuditContext,
  route: ContractRoute,
  honest: HonestCall,
): Promise<string> {
  const { path } = await caller.request({ route, input: honest.input });
  return `${target.origin}${path}`;
}

async function judge(
  context: AuditContext,
  tally: Tally,
  { route, url, before }: Written,
  asked: PageVisit["asked"] | undefined,
): Promise<void> {
  if (asked !== undefined) judgeAsked(tally, route, url, asked);
  const after = await readState(context, route);
  if (before !== undefined)
    tally.expect(before === after, {
      kind: "measurement",
      about: `${route.key}: what it writes, before and after the other site's page`,
      value: before === after ? "the same" : "changed",
    });
}

/** What refuses everybody holds nothing against pages of other sites. */
async function ownCall(context: AuditContext, tally: Tally, { route, honest }: Written): Promise<void> {
  const own = await context.caller.call({ route, ...honest });
  if (isSuccess(own.response.status)) tally.pass(see(context, `${route.key}: who may, still can`, own));
  else tally.miss(unservedBy(context, route, own));
}

const sentTo = (url: string, asked: PageVisit["asked"]): PageVisit["asked"] =>
  asked.filter((one) => one.method !== "OPTIONS" && one.url.split("?")[0] === url.split("?")[0]);

/** A page may send a POST as it likes; for all else it has to ask, and is told no. */
function judgeAsked(tally: Tally, route: ContractRoute, url: string, asked: PageVisit["asked"]): void {
  const sent = sentTo(url, asked);
  const answered = sent.filter(({ status }) => status !== undefined && status !== 429);
  if (sent.length === 0 || (route.method === "POST" && answered.length === 0))
    return tally.miss(`${route.key}: nothing that the other site's page sent in the browser was answered`);
  for (const { method, status } of sent.filter((one) => one.status !== 429))
    tally.expect(status === undefined || !isSuccess(status), {
      kind: "measurement",
      about: `${route.key}: a page of another site sends ${method} in the browser, and is answered`,
      value: status ?? "nothing: it has to ask first, and is refused",
    });
}

/** Everything that a page may send elsewhere without asking: forms of three kinds, and fetch without CORS; and what it has to ask for. */
function foreignPage(routes: readonly Written[]): string {
  const sends = routes.map(({ route, honest, url }) => {
    const json = bodyTextOf(route, honest.input) ?? "{}";
    return { url, method: route.method, json, isForm: route.bodyType === "form" };
  });
  // What closes a script is not to be found in what stands in one.
  const data = JSON.stringify(sends).replaceAll("<", "\\u003c");
  return `<!doctype html><meta charset="utf-8"><title>Elsewhere</title><body><script>
const quietly = (work) => Promise.resolve().then(work).catch(() => undefined);
const frame = (name) => Object.assign(document.body.appendChild(document.createElement("iframe")), { name });
const post = (name, url, enctype, fields) => {
  frame(name);
  const form = Object.assign(document.body.appendChild(document.createElement("form")), { method: "POST", action: url, target: name, enctype });
  for (const [key, value] of fields) Object.assign(form.appendChild(document.createElement("input")), { name: key, value });
  form.submit();
};
for (const [index, { url, method, json, isForm }] of ${data}.entries()) {
  if (method === "POST") {
    const fields = isForm ? [...new URLSearchParams(json)] : Object.entries(JSON.parse(json)).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]);
    post("form" + index, url, "application/x-www-form-urlencoded", fields);
    post("text" + index, url, "text/plain", [[json.slice(0, -1) + (json === "{}" ? "" : ",") + '"x":"', '"}']]);
    quietly(() => fetch(url, { method, mode: "no-cors", credentials: "include", headers: { "content-type": "text/plain" }, body: json }));
  }
  quietly(() => fetch(url, { method, credentials: "include", headers: { "content-type": "application/json" }, body: json }));
}
</script>`;
}
