import type { ContractRoute } from "../../contract/index.ts";
import type { Tally } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { exchangeEvidence } from "../evidence.ts";
import type { ExchangeEvidence } from "../evidence.ts";
import { honestCalls, lacking } from "../inputs.ts";
import type { HonestCall } from "../inputs.ts";
import type { Exchange } from "../probe.ts";

/** Puts an exchange with the target into evidence. */
export function see(context: AuditContext, about: string, exchange: Exchange): ExchangeEvidence {
  return exchangeEvidence(about, context.target.origin, exchange);
}

export const isSuccess = (status: number): boolean => status >= 200 && status < 300;
/** 401, or 403 from a server that does not tell the two apart. */
export const isRefusal = (status: number): boolean => status === 401 || status === 403;
export const isClientError = (status: number): boolean => status >= 400 && status < 500;

/** Routes that need a token. */
export function protectedRoutes(context: AuditContext): ContractRoute[] {
  return context.contract.routes.filter((route) => route.access.kind !== "everyone");
}

/** An honest call of a route; without one, the tally says what the plan lacks. */
export function firstHonestCall(
  context: AuditContext,
  route: ContractRoute,
  tally: Tally,
): HonestCall | undefined {
  const [honest] = honestCalls(context, route);
  if (honest === undefined) tally.miss(lacking(context, route));
  return honest;
}

/** Gives honest calls in turn, so that no single user's allowance is used up. */
export function takeTurns(
  context: AuditContext,
  route: ContractRoute,
  tally: Tally,
): (() => HonestCall) | undefined {
  const calls = honestCalls(context, route);
  const [first] = calls;
  if (first === undefined) {
    tally.miss(lacking(context, route));
    return undefined;
  }
  let turn = 0;
  return () => calls[turn++ % calls.length] ?? first;
}

/** A path without API, for what every server must answer: the site's first page. */
export function pagePath(context: AuditContext): string {
  return pagesOf(context)[0] ?? "/";
}

/** Paths of the release's pages, its 404 page aside; the start page first. */
export function pagesOf(context: AuditContext): string[] {
  const manifest = context.release?.manifest;
  if (manifest === undefined) return [];
  return manifest.files
    .filter(
      (file) =>
        file.path !== manifest.notFound &&
        file.headers.some(([name, value]) => name === "content-type" && value.startsWith("text/html")),
    )
    .map((file) => file.path);
}

/** An answer's media type, without parameters. */
export function mediaType(exchange: Exchange): string {
  return (exchange.response.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}
