import type { ContractRoute } from "../../../contract/index.ts";
import type { Check, Rule, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls } from "../../requests/inputs.ts";
import type { HonestCall } from "../../requests/inputs.ts";
import type { BrowserProbe, Exchange, PageVisit, ProbeRequest } from "../../probes/probe.ts";
import { textPlaces } from "../../requests/text-places.ts";
import type { TextPlace } from "../../requests/text-places.ts";
import { carelessPage, vectors } from "./vectors.ts";
import type { Vector } from "./vectors.ts";
import { isSuccess, mediaType, pagesOf, see } from "../shared.ts";
import { missRefused } from "../refused-hosts.ts";
import { successFault } from "../success-faults.ts";

/** Where a vector was put, by its mark. */
type Planted = Map<string, string>;

const maxPages = 4;
/** Vectors that are tried one by one where all of them together are too long. */
const maxSingle = 3;

/** Content that runs: put wherever the contract takes text, then looked at wherever it could come out, in a real browser. */
const content: Check = {
  name: "vectors through content, in a real browser",
  kind: "live",
  attack: { kind: "content", promise: "body", per: "site" },
  isActive: true,
  notApplicable: ({ contract, release }) =>
    contract.routes.length === 0 && contract.site === undefined && release === undefined
      ? "there is neither a site nor a route"
      : undefined,
  run: async (context, tally) => {
    const browser = await context.browser();
    const planted: Planted = new Map();
    for (const route of context.contract.routes) await plantIn(context, tally, route, planted);
    return async () => {
      if (!(await canTell(context, tally, browser))) return;
      for (const place of await placesToLook(context, planted))
        await look(context, tally, browser, place, planted);
    };
  },
};

/** The same vectors in a page without a policy must run, or their not running elsewhere would prove nothing. */
async function canTell(context: AuditContext, tally: Tally, browser: BrowserProbe): Promise<boolean> {
  const list = vectors(() => context.mark());
  const visit = await browser.visit(
    "/",
    { headers: [["content-type", "text/html; charset=utf-8"]], html: carelessPage(list) },
    { clicks: true },
  );
  const ran = list.filter(({ mark }) => visit.marks.includes(mark));
  tally.pass({
    kind: "measurement",
    about: `vectors that run in a careless page without a policy: ${ran.map(({ name }) => name).join(", ")}`,
    value: ran.length,
    unit: `of ${list.length}`,
  });
  if (ran.length >= 4) return true;
  tally.miss("the vectors do not run in a careless page either, so this browser can't tell");
  return false;
}

/** Submits vectors wherever a route that writes takes them. */
async function plantIn(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  planted: Planted,
): Promise<void> {
  if (route.method === "GET") return;
  const [honest] = honestCalls(context, route);
  if (honest === undefined) return;
  let taken = 0;
  for (const place of textPlaces(route, honest.input)) {
    for (const { text, marks } of submissions(
      place,
      vectors(() => context.mark()),
    )) {
      const exchange = await context.caller.call({ route, ...honest, ...place.put(text) });
      if (!isSuccess(exchange.response.status)) continue;
      const fault = successFault(route, exchange);
      if (fault === undefined) taken++;
      else tally.miss(`${route.key}: what was put in was answered otherwise than declared: ${fault.what}`);
      for (const mark of marks) planted.set(mark, `${route.key}, ${place.name}`);
    }
  }
  tally.pass({
    kind: "measurement",
    about: `${route.key}: texts with vectors that were taken and answered as declared`,
    value: taken,
  });
}

/** All vectors in one text where they fit, else a few one by one. */
function submissions(place: TextPlace, list: readonly Vector[]): { text: string; marks: string[] }[] {
  const all = list.map(({ text }) => text).join(" ");
  if (place.takes(all)) return [{ text: all, marks: list.map(({ mark }) => mark) }];
  return list
    .filter(({ text }) => place.takes(text))
    .slice(0, maxSingle)
    .map(({ text, mark }) => ({ text, marks: [mark] }));
}

/** An address to open. */
interface Place {
  name: string;
  path: string;
  headers: Readonly<Record<string, string>>;
  /** The answer, where the address alone says all. */
  exchange: Exchange | undefined;
}

/** Pages, those with scripts first; addresses that carry vectors; and what routes answer, opened as documents. */
async function placesToLook(context: AuditContext, planted: Planted): Promise<Place[]> {
  return [
    ...(await pagesToLook(context, planted)),
    ...(await errorsToLook(context, planted)),
    ...(await answersToLook(context, planted)),
  ];
}

async function pagesToLook(context: AuditContext, planted: Planted): Promise<Place[]> {
  const pages: Place[] = [];
  for (const page of pagesOf(context).slice(0, 20)) {
    const path = encodeURI(page);
    const exchange = await context.caller.send({ method: "GET", path });
    pages.push({ name: page, path, headers: {}, exchange });
  }
  const weight = ({ exchange }: Place): number =>
    (marksIn(exchange, planted).length > 0 ? 2 : 0) +
    (exchange?.response.text().includes("<script") === true ? 1 : 0);
  return pages
    .toSorted((left, right) => weight(right) - weight(left))
    .slice(0, maxPages)
    .map((page, index) =>
      index < 2 ? { ...page, path: page.path + carried(context, planted, page.name) } : page,
    );
}

/** Vectors where a page's own script would find them: in its query and its fragment. */
function carried(context: AuditContext, planted: Planted, name: string): string {
  const [image, drawing] = vectors(() => context.mark());
  if (image === undefined || drawing === undefined) return "";
  planted.set(image.mark, `the query of ${name}`).set(drawing.mark, `the fragment of ${name}`);
  return `?q=${encodeURIComponent(image.text)}#${encodeURIComponent(drawing.text)}`;
}

async function errorsToLook(context: AuditContext, planted: Planted): Promise<Place[]> {
  const [root] = context.contract.apiRoots;
  const places: Place[] = [];
  for (const folder of ["/", ...(root === undefined ? [] : [`/${root}/`])])
    for (const write of [encodeURIComponent, asSegments]) {
      const [image] = vectors(() => context.mark());
      if (image === undefined) continue;
      planted.set(image.mark, `an address under ${folder}`);
      const path = `${folder}${write(image.text)}`;
      places.push({
        name: `an error under ${folder}`,
        path,
        headers: {},
        exchange: await context.caller.send({ method: "GET", path }),
      });
    }
  return places;
}

/** Slashes stay: many servers refuse one that is encoded before they look what is there. */
const asSegments = (text: string): string => text.split("/").map(encodeURIComponent).join("/");

/** Answers of routes that are read, by whoever may: those that repeat a vector, and one of each media type. */
async function answersToLook(context: AuditContext, planted: Planted): Promise<Place[]> {
  const places: Place[] = [];
  const types = new Set<string>();
  for (const route of context.contract.routes) {
    if (route.method !== "GET" || route.stream !== undefined) continue;
    for (const honest of honestCalls(context, route).slice(0, 2)) {
      for (const request of await requestsFor(context, route, honest, planted)) {
        const exchange = await context.caller.send(request, {
          name: route.key,
          burst: 10,
          isPerUser: honest.as !== undefined,
        });
        const type = mediaType(exchange);
        if (types.has(type) && marksIn(exchange, planted).length === 0) continue;
        types.add(type);
        places.push({
          name: `${route.key}, opened as a page`,
          path: request.path,
          headers: Object.fromEntries(request.headers ?? []),
          exchange,
        });
      }
    }
  }
  return places;
}

/** The honest request, and one with a vector in each place of its address. */
async function requestsFor(
  context: AuditContext,
  route: ContractRoute,
  honest: HonestCall,
  planted: Planted,
): Promise<ProbeRequest[]> {
  const requests = [await context.caller.request({ route, ...honest })];
  for (const place of textPlaces(route, honest.input)) {
    const [image] = vectors(() => context.mark());
    if (image === undefined) continue;
    planted.set(image.mark, `${route.key}, ${place.name}`);
    requests.push(await context.caller.request({ route, ...honest, ...place.put(image.text) }));
  }
  return requests;
}

const marksIn = (exchange: Exchange | undefined, planted: Planted): string[] => {
  const text = exchange?.response.text() ?? "";
  return [...planted.keys()].filter((mark) => text.includes(mark));
};

/** Opens an address, and once more without its policy where it repeats a vector: a policy is the second lock, and not the first. */
async function look(
  context: AuditContext,
  tally: Tally,
  browser: BrowserProbe,
  { name, path, headers, exchange }: Place,
  planted: Planted,
): Promise<void> {
  report(
    tally,
    name,
    await browser.visit(path, undefined, { headers, clicks: true }),
    planted,
    exchange,
    context,
  );
  if (exchange === undefined || marksIn(exchange, planted).length === 0) return;
  const bare = exchange.response.headers.filter(([header]) => !header.startsWith("content-security-policy"));
  const visit = await browser.visit(
    path,
    { headers: bare, html: exchange.response.text() },
    { clicks: true },
  );
  report(tally, `${name}, without its policy`, visit, planted, exchange, context);
}

function report(
  tally: Tally,
  name: string,
  { marks, refused }: PageVisit,
  planted: Planted,
  exchange: Exchange | undefined,
  context: AuditContext,
): void {
  const [ran] = marks.filter((mark) => planted.has(mark));
  const about = `${name}: ${ran === undefined ? "nothing of what was put in runs" : `what was put into ${planted.get(ran)} RAN`}`;
  if (exchange === undefined)
    tally.expect(ran === undefined, { kind: "measurement", about, value: marks.length });
  else tally.expect(ran === undefined, see(context, about, exchange));
  missRefused(tally, name, refused);
}

/** FE-1: cross-site scripting. That sinks are looked for in sources is still to come. */
export const fe1: Rule = { id: "FE-1", checks: [content] };
