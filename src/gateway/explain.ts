import { accessParts, describeAccess, describeVisible } from "../contract/index.ts";
import { explainCallers } from "./explain-callers.ts";
import type { ExplainedCallers } from "./explain-callers.ts";
import { explainCache } from "./explain-cache.ts";
import { explainAnswer, explainBody, explainHeaders } from "./explain-exchange.ts";
import type { Contract, ContractRoute } from "../contract/index.ts";
import { explainLimits } from "./limits/explain-limits.ts";
import { explainUpstream } from "./explain-upstream.ts";

/** One check that a route's requests pass. */
export interface RouteStep {
  readonly check: string;
  /** What passes. */
  readonly passes: string;
  /** Status and code when it does not. */
  readonly otherwise: string;
}

/** A route's compiled pipeline, in words. */
export interface RouteExplanation {
  readonly key: string;
  readonly to: string;
  readonly steps: readonly RouteStep[];
}

/** Says what a route's requests pass, in the order in which the gateway checks it. */
export function explainRoute(
  route: ContractRoute,
  {
    origin,
    corsOrigins,
    upstreams,
    ...callers
  }: Pick<Contract, "origin" | "corsOrigins" | "upstreams"> & ExplainedCallers,
): RouteExplanation {
  const limits = explainLimits(route, upstreams.get(route.to));
  const names = (schema: ContractRoute["params"]): string =>
    Object.keys(
      (schema as unknown as { _zod: { def: { shape: object } } } | undefined)?._zod.def.shape ?? {},
    ).join(", ");
  const steps: (RouteStep | false)[] = [
    {
      check: "path",
      passes: `${route.path}, to the letter; no encoded separators`,
      otherwise: "400 GATEWAY_PATH_INVALID, 404 GATEWAY_ROUTE_UNKNOWN",
    },
    {
      check: "method",
      passes:
        route.method === "GET"
          ? "GET, HEAD; OPTIONS asks what is offered"
          : `${route.method}; OPTIONS asks what is offered`,
      otherwise: "405 GATEWAY_METHOD_REFUSED",
    },
    {
      check: "origin",
      passes: ["none", origin, ...corsOrigins].join(", "),
      otherwise: "403 GATEWAY_ORIGIN_REFUSED",
    },
    ...limits.arrival,
    ...explainCallers(route, callers),
    ...limits.known,
    {
      check: "access",
      passes: describeAccess(route.access),
      otherwise: route.access.kind === "everyone" ? "never refuses" : accessRefusals(route),
    },
    route.params !== undefined && {
      check: "parameters",
      passes: names(route.params),
      otherwise: "400 GATEWAY_INPUT_INVALID",
    },
    {
      check: "query",
      passes: route.query === undefined ? "no key" : names(route.query),
      otherwise: "400 GATEWAY_INPUT_INVALID",
    },
    explainHeaders(route),
    explainBody(route),
    ...limits.ready,
    explainCache(route),
    {
      check: "upstream",
      passes: explainUpstream(route, upstreams.get(route.to)),
      otherwise:
        "503 GATEWAY_UPSTREAM_UNAVAILABLE, 504 GATEWAY_UPSTREAM_TIMEOUT, 422 GATEWAY_UPSTREAM_REFUSED, 404 GATEWAY_NOT_FOUND, 502 GATEWAY_ANSWER_INVALID",
    },
    route.visible !== undefined && {
      check: "visibility",
      passes: describeVisible(route.visible),
      otherwise: "404 GATEWAY_NOT_FOUND; dropped from a list",
    },
    ...explainAnswer(route),
  ];
  return { key: route.key, to: route.to, steps: steps.filter((step) => step !== false) };
}

/** How access is refused: by what the request says, by what the answer says, or either. */
function accessRefusals({ access, hide }: ContractRoute): string {
  const kinds = accessParts(access).map(({ kind }) => kind);
  const early = hide === true ? "404 GATEWAY_NOT_FOUND" : "403 GATEWAY_ACCESS_REFUSED";
  const late = "404 GATEWAY_NOT_FOUND, once the answer is there";
  if (!kinds.includes("ownerField")) return early;
  return kinds.every((kind) => kind === "ownerField") ? late : `${early}; ${late}`;
}
