import { accessParts, memberNames } from "../../contract/index.ts";
import type { ContractRoute } from "../../contract/index.ts";
import type { RouteStep } from "./explain.ts";
import { stepCosts } from "./step-costs.ts";

type Costs = typeof stepCosts;

/** What a check of a route takes about, in instructions; undefined where nobody has counted. */
export function costOfStep({ check }: Pick<RouteStep, "check">, route: ContractRoute): number | undefined {
  if (check.startsWith("limit by ")) return costOfLimit(check.slice("limit by ".length), route);
  if (check === "access") return costOfAccess(route);
  if (check === "query" && (route.query === undefined || memberNames(route.query).length === 0))
    return undefined;
  if (check === "body" && route.body === undefined) return undefined;
  if (check === "answer" && route.response === undefined) return undefined;
  if (check === "answer's headers" && route.etag) return stepCosts.etag;
  const name = names[check];
  return name === undefined ? undefined : stepCosts[name];
}

/** Checks by what was counted for them. */
const names: Readonly<Record<string, keyof Costs>> = {
  path: "every route",
  token: "token",
  check: "access by check",
  "look-up": "access by look-up",
  parameters: "parameters",
  query: "query",
  headers: "headers",
  body: "body",
  "under way": "under way",
  failures: "failures",
  budget: "budget",
  visibility: "visibility",
  answer: "answer",
};

function costOfLimit(by: string, { limits }: ContractRoute): number {
  const count = limits.filter((limit) => limit.by === by).length;
  return count * stepCosts[by === "client" || by === "route" ? "limit by client" : "limit by user"];
}

function costOfAccess({ access }: ContractRoute): number | undefined {
  const parts = accessParts(access);
  if (parts.length > 1) return stepCosts["access by several"];
  switch (access.kind) {
    case "owner":
    case "tenant":
      return stepCosts["access by path"];
    case "role":
    case "scope":
      return stepCosts["access by role"];
    default:
      return undefined;
  }
}
