import type { ContractRoute, ReleaseFile } from "../../contract/index.ts";
import type { Call } from "../requests/caller.ts";
import type { Tally } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { exchangeEvidence } from "../evidence.ts";
import type { ExchangeEvidence } from "../evidence.ts";
import { honestCalls, lacking } from "../requests/inputs.ts";
import type { HonestCall } from "../requests/inputs.ts";
import type { Exchange } from "../probes/probe.ts";

/** Puts an exchange with the target into evidence. */
export function see(context: AuditContext, about: string, exchange: Exchange): ExchangeEvidence {
  const { commands, target } = context;
  return exchangeEvidence(about, { origin: target.origin, commands }, exchange);
}

/** Makes a call over each protocol that the target speaks: what one of them refuses, the other may let through. */
export async function overEach(context: AuditContext, call: Call): Promise<Exchange[]> {
  const exchanges: Exchange[] = [];
  for (const protocol of context.protocols) exchanges.push(await context.caller.call({ ...call, protocol }));
  return exchanges;
}

export const isSuccess = (status: number): boolean => status >= 200 && status < 300;
/** 401, or 403 from a server that does not tell the two apart. */
export const isRefusal = (status: number): boolean => status === 401 || status === 403;
export const isClientError = (status: number): boolean => status >= 400 && status < 500;

/** For {@link Check.notApplicable}: without an API there is nothing to call. */
export const withoutRoutes = ({ contract }: AuditContext): string | undefined =>
  contract.routes.length === 0 ? "the contract declares no route" : undefined;

/** For {@link Check.notApplicable}: where everybody may call everything, no token is asked for. */
export const withoutProtectedRoutes = (context: AuditContext): string | undefined =>
  withoutRoutes(context) ?? (protectedRoutes(context).length === 0 ? "no route needs a token" : undefined);

/** For {@link Check.notApplicable}: an API alone has no page. */
export const withoutPages = ({ contract, release }: AuditContext): string | undefined => {
  if (release === undefined) return contract.site === undefined ? "the contract has no site" : undefined;
  return release.manifest.files.some(isHtml) ? undefined : "the release has no page";
};

/** Routes that need a token. */
export function protectedRoutes(context: AuditContext): ContractRoute[] {
  return context.contract.routes.filter((route) => route.access.kind !== "everyone");
}

/** An honest call of a route, of the user who asked least of it so far; without one, the tally says what the plan lacks. */
export function honestCall(
  context: AuditContext,
  route: ContractRoute,
  tally: Tally,
): HonestCall | undefined {
  return takeTurns(context, route, tally)?.();
}

/** Gives honest calls, each of the user who asked least of the route so far: no single user's allowance is used up, by one check or by many. */
export function takeTurns(
  context: AuditContext,
  route: ContractRoute,
  tally: Tally,
): (() => HonestCall) | undefined {
  const calls = honestCalls(context, route);
  const [first, ...others] = calls;
  if (first === undefined) {
    tally.miss(lacking(context, route));
    return undefined;
  }
  const asked = ({ as }: HonestCall): number => context.caller.timesAsked(route, as);
  return () => others.reduce((least, call) => (asked(call) < asked(least) ? call : least), first);
}

/** A path without API, for what every server must answer: the site's first page. */
export function pagePath(context: Pick<AuditContext, "release">): string {
  return pagesOf(context)[0] ?? "/";
}

/** Paths of the release's pages, its 404 page aside; the start page first. */
export function pagesOf({ release }: Pick<AuditContext, "release">): string[] {
  if (release === undefined) return [];
  const { files, notFound } = release.manifest;
  return files.filter((file) => file.path !== notFound && isHtml(file)).map(({ path }) => path);
}

/**
 * Says so when the target does not even serve the site's first page: that something else is not there, or says nothing wrong,
 * would then prove nothing.
 */
export async function notTheSite(context: AuditContext): Promise<string | undefined> {
  const [path] = pagesOf(context);
  if (path === undefined) return undefined;
  const exchange = await context.caller.send({ method: "GET", path: encodeURI(path) });
  const { status, body } = exchange.response;
  if (isSuccess(status) && body.length > 0 && mediaType(exchange) === "text/html") return undefined;
  const what = isSuccess(status) ? `${status}, and no page,` : status;
  return `the target answers ${what} to ${path}: it does not serve the site that this is about`;
}

/** Tells whether a file of the release is a page. */
export const isHtml = ({ headers }: ReleaseFile): boolean =>
  headers.some(([name, value]) => name === "content-type" && value.startsWith("text/html"));

/** What is missing where there is no release to compare with. */
export const noRelease = ({ commands, contract }: AuditContext): string =>
  contract.site === undefined
    ? "the contract has no site, so there is no release to compare with"
    : `there is no release to compare with: a site that another server serves has none, and one of curtainwall start is built with  ${commands.curtainwall("build")}`;

/** An answer's media type, without parameters. */
export function mediaType(exchange: Exchange): string {
  return (exchange.response.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}
