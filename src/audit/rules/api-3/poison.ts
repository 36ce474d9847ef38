import type { ContractRoute } from "../../../contract/index.ts";
import type { Allowance } from "../../requests/caller.ts";
import { reasonOf } from "../../check.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls, lacking } from "../../requests/inputs.ts";
import type { Exchange, ProbeRequest } from "../../probes/probe.ts";
import { isShareable, variesBy } from "../../answers/storable.ts";
import { bodyAttempts, errorAttempts, headerAttempts, spellingAttempts } from "./poison-attempts.ts";
import type { Attempt, Attempts } from "./poison-attempts.ts";
import { isHtml, isSuccess, noRelease, pagesOf, see, withoutPages, withoutRoutes } from "../shared.ts";

/** Something that everybody may ask for, and so may be kept for everybody. */
export interface PoisonTarget {
  name: string;
  request: ProbeRequest;
  /** Undefined: it belongs to the site. */
  route: ContractRoute | undefined;
  /** It is the same each time, byte for byte. */
  isFixed: boolean;
  allowance: (who: string) => Allowance;
}

/** Routes that ask for no token. */
async function routesOf(context: AuditContext, tally: Tally): Promise<PoisonTarget[]> {
  const targets: PoisonTarget[] = [];
  for (const route of context.contract.routes.filter(isPublicRead)) {
    const [honest] = honestCalls(context, route);
    if (honest === undefined) {
      tally.miss(lacking(context, route));
      continue;
    }
    const bursts = route.limits.filter(({ by }) => by === "client").map(({ burst }) => burst);
    targets.push({
      name: route.key,
      request: await context.caller.request({ route, input: honest.input }),
      route,
      isFixed: false,
      allowance: (who) => ({
        name: `${route.key} ${who}`,
        burst: Math.max(1, Math.min(40, ...bursts) - 1),
        isPerUser: route.limits.some(({ by }) => by === "route"),
      }),
    });
  }
  return targets;
}

/** Of the site a page, a redirect, an asset and nothing. */
const sitesOf = (context: AuditContext): PoisonTarget[] =>
  sitePaths(context).map(([name, path]) => ({
    name,
    request: { method: "GET", path: encodeURI(path) },
    route: undefined,
    isFixed: true,
    allowance: (who) => ({ name: `pages ${who}`, burst: 50, isPerUser: false }),
  }));

const isPublicRead = ({ method, access, stream }: ContractRoute): boolean =>
  method === "GET" && access.kind === "everyone" && stream?.kind !== "events";

function sitePaths(context: AuditContext): [name: string, path: string][] {
  const pages = pagesOf(context);
  const [first] = pages;
  if (first === undefined) return [];
  const folder = pages.find((path) => path !== "/" && path.endsWith("/"));
  const asset = context.release?.manifest.files.find((file) => !isHtml(file))?.path;
  return [
    ["the first page", first],
    ["what is not there", `/${context.mark()}/`],
    ...(folder === undefined
      ? []
      : ([["a page without its slash", folder.slice(0, -1)]] as [string, string][])),
    ...(asset === undefined ? [] : ([["an asset", asset]] as [string, string][])),
  ];
}

const withoutPublicReads = (context: AuditContext): string | undefined =>
  withoutRoutes(context) ??
  (context.contract.routes.some(isPublicRead) ? undefined : "no route is there for everybody to read");

function poisoning(name: string, attempts: Attempts): Check {
  return {
    name,
    kind: "live",
    attack: { kind: "caching", promise: "cache", per: "route" },
    isActive: true,
    isSupporting: true,
    notApplicable: withoutPublicReads,
    run: async (context, tally) => {
      for (const target of await routesOf(context, tally)) await tryOn(context, tally, target, attempts);
    },
  };
}

const poisonedPages: Check = {
  name: "nothing changes what the site's pages are for the next visitor",
  kind: "live",
  attack: { kind: "caching", promise: "site", per: "site" },
  isActive: true,
  isSupporting: true,
  notApplicable: withoutPages,
  run: async (context, tally) => {
    if (pagesOf(context).length === 0) return tally.miss(noRelease(context));
    for (const target of sitesOf(context))
      for (const attempts of [headerAttempts, bodyAttempts, spellingAttempts, errorAttempts])
        await tryOn(context, tally, target, attempts);
  },
};

async function tryOn(
  context: AuditContext,
  tally: Tally,
  target: PoisonTarget,
  attempts: Attempts,
): Promise<void> {
  const visit = (): Promise<Exchange> =>
    context.caller.send(target.request, target.allowance("of the next visitor"));
  const before = await visit();
  const { status } = before.response;
  if (status >= 500 || (target.route !== undefined && !isSuccess(status)))
    return tally.miss(`${target.name}: the honest request was answered ${status}`);
  for (const attempt of attempts(target, () => context.mark(), context)) {
    const exchange = await context.caller
      .send(attempt.request, target.allowance("of an attacker"))
      .catch(refusedUnanswered);
    const next = await visit();
    const fault =
      faultOfNext(target, before, next, attempt.marks) ??
      (exchange === undefined ? undefined : faultOfAnswer(context, before, exchange, attempt));
    const about = `${target.name}: ${attempt.name}`;
    tally.expect(
      fault === undefined,
      fault?.isNext === true || exchange === undefined
        ? see(
            context,
            `${about}: ${fault?.what ?? "refused without an answer; the next visitor gets what was there before"}`,
            next,
          )
        : see(context, `${about}: ${fault?.what ?? "the next visitor gets what was there before"}`, exchange),
    );
  }
}

/** Over HTTP/2 a request may be refused by ending its stream: no answer then, and something may be kept all the same. */
function refusedUnanswered(error: unknown): undefined {
  if (!/ERR_HTTP2_STREAM_ERROR/.test(reasonOf(error))) throw error;
}

function faultOfAnswer(
  context: AuditContext,
  before: Exchange,
  exchange: Exchange,
  { isElsewhere, marks }: Attempt,
): Fault | undefined {
  return isElsewhere === true ? faultElsewhere(context, exchange) : faultOfKept(before, exchange, marks);
}

interface Fault {
  what: string;
  /** It shows in what the next visitor got. */
  isNext?: true;
}

type Marks = ReadonlyMap<string, string>;

const markIn = ({ response }: Exchange, marks: Marks): [string, string] | undefined => {
  const text = `${response.headers.map((header) => header.join(": ")).join("\n")}\n${response.text()}`;
  return [...marks].find(([, mark]) => text.includes(mark));
};

function faultOfNext(
  { isFixed }: PoisonTarget,
  { response: before }: Exchange,
  next: Exchange,
  marks: Marks,
): Fault | undefined {
  const { response } = next;
  const found = markIn(next, marks);
  if (found !== undefined)
    return { what: `what stood in ${found[0]} is given to the next visitor`, isNext: true };
  if (response.status !== before.status)
    return { what: `the next visitor gets ${response.status} instead of ${before.status}`, isNext: true };
  if (isFixed && response.text() !== before.text())
    return { what: "the next visitor gets something else than before", isNext: true };
  return undefined;
}

/** What caches on the way would keep under the address that was asked for. */
function faultOfKept({ response: before }: Exchange, exchange: Exchange, marks: Marks): Fault | undefined {
  const { response } = exchange;
  if (!isShareable(response)) return undefined;
  const found = markIn(exchange, marks);
  if (found !== undefined && !variesBy(response, found[0]))
    return { what: `what stood in ${found[0]} is in an answer that caches may keep for others` };
  if (response.status >= 400 && before.status < 400)
    return { what: `caches may keep this ${response.status} for others` };
  return undefined;
}

/** Another spelling may lead to the right one, and to nobody else's. */
function faultElsewhere({ contract }: AuditContext, { response }: Exchange): Fault | undefined {
  const location = response.header("location");
  if (location === undefined) return undefined;
  const isOwn =
    URL.parse(location, contract.origin)?.origin === contract.origin && !/[\\\s]|^\/\//.test(location);
  return isOwn ? undefined : { what: `it leads elsewhere: ${location.slice(0, 100)}` };
}

/** What a cache in front could be made to keep. */
export const poison: readonly Check[] = [
  poisoning("headers change nothing for the next visitor", headerAttempts),
  poisoning("bodies and odd parameters of a GET change nothing for the next visitor", bodyAttempts),
  poisoning("no spelling of an address changes what is there for the next visitor", spellingAttempts),
  poisoning("no error is kept for the next visitor", errorAttempts),
  poisonedPages,
];
