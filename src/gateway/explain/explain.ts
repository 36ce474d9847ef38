import { describeVisible, memberNames } from "../../contract/index.ts";
import { explainAccess } from "./explain-access.ts";
import { explainCallers } from "./explain-callers.ts";
import type { ExplainedCallers } from "./explain-callers.ts";
import { explainCache } from "./explain-cache.ts";
import { explainAnswer, explainBody, explainHeaders } from "./explain-exchange.ts";
import type { Contract, ContractRoute } from "../../contract/index.ts";
import { explainLimits } from "../limits/explain-limits.ts";
import { explainEgress, explainFunction } from "./explain-function.ts";
import { explainUpstream } from "./explain-upstream.ts";
import { explainWebhook } from "../webhooks/explain-webhook.ts";
import { explainObserve } from "../observe/explain-observe.ts";
import { costOfStep } from "./explain-costs.ts";
import { stepCostsMachine } from "./step-costs.ts";

/** One check that a route's requests pass. */
export interface RouteStep {
  readonly check: string;
  /** What passes. */
  readonly passes: string;
  /** Status and code when it does not. */
  readonly otherwise: string;
  /** Instructions that it takes about, in the main thread and outside the kernel. Undefined: not counted, or as good as none. */
  readonly cost?: number | undefined;
}

/** A route's compiled pipeline, in words. */
export interface RouteExplanation {
  readonly key: string;
  readonly to: string;
  readonly steps: readonly RouteStep[];
  /** Where the costs were counted. */
  readonly countedOn: string;
}

/** Says what a route's requests pass, in the order in which the gateway checks it. */
export function explainRoute(
  route: ContractRoute,
  {
    origin,
    corsOrigins,
    upstreams,
    functions = new Map(),
    secrets = new Map(),
    ...callers
  }: Pick<Contract, "origin" | "corsOrigins" | "upstreams"> &
    Partial<Pick<Contract, "functions" | "secrets">> &
    ExplainedCallers,
): RouteExplanation {
  const limits = explainLimits(route, upstreams.get(route.to));
  const access = explainAccess(route);
  const [doors, counts] = [limits.ready.filter(isDoor), limits.ready.filter((step) => !isDoor(step))];
  const names = (schema: ContractRoute["params"]): string =>
    schema === undefined ? "" : memberNames(schema).join(", ");
  const steps: (RouteStep | false)[] = [
    explainObserve(route),
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
    explainOrigin(route, origin, corsOrigins),
    ...limits.arrival,
    ...explainCallers(route, callers),
    ...limits.known,
    access.known,
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
    ...access.beforeBody,
    explainWebhook(route),
    explainBody(route),
    ...doors,
    ...access.beforeSending,
    ...counts,
    explainCache(route),
    explainFunction(route, { functions, secrets }, unanswered) ?? {
      check: "upstream",
      passes: explainUpstream(route, upstreams.get(route.to)) + explainEgress(route, { secrets }),
      otherwise: unanswered,
    },
    ...access.inAnswer,
    route.visible !== undefined && {
      check: "visibility",
      passes: describeVisible(route.visible),
      otherwise: "404 GATEWAY_NOT_FOUND; dropped from a list",
    },
    ...explainAnswer(route),
  ];
  return {
    key: route.key,
    to: route.to,
    steps: steps.flatMap((step) => {
      if (step === false) return [];
      const cost = costOfStep(step, route);
      return [cost === undefined ? step : { ...step, cost }];
    }),
    countedOn: stepCostsMachine,
  };
}

const unanswered =
  "503 GATEWAY_UPSTREAM_UNAVAILABLE, 504 GATEWAY_UPSTREAM_TIMEOUT, 422 GATEWAY_UPSTREAM_REFUSED, 404 GATEWAY_NOT_FOUND, 502 GATEWAY_ANSWER_INVALID";

const isDoor = ({ check }: RouteStep): boolean => check === "under way";

/** Pages of which sites may ask; where a session is made, those of this one alone. */
function explainOrigin(
  { createsSession, method, webhook }: ContractRoute,
  own: string,
  others: readonly string[],
): RouteStep {
  if (webhook !== undefined)
    return {
      check: "origin",
      passes: "none: no page in a browser sends webhooks",
      otherwise: "403 GATEWAY_ORIGIN_REFUSED",
    };
  if (!createsSession)
    return {
      check: "origin",
      passes: ["none", own, ...others].join(", "),
      otherwise: "403 GATEWAY_ORIGIN_REFUSED",
    };
  const typed = method === "GET" ? ", or an address that somebody typed" : "";
  return {
    check: "origin",
    passes: `a page of ${own}, as the browser says (Origin or Sec-Fetch-Site)${typed}`,
    otherwise: "403 GATEWAY_ORIGIN_REFUSED, GATEWAY_CROSS_SITE_REFUSED",
  };
}
