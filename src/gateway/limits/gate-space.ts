import type { Contract } from "../../contract/index.ts";
import type { GateSpace } from "./gates.ts";

/** Says how many gates a contract's routes, upstreams and budgets have, as `createLimiting` numbers them. */
export function gateSpaceOf({
  routes,
  upstreams,
  budgets,
}: Pick<Contract, "routes" | "upstreams" | "budgets">): GateSpace {
  let counters = budgets.size * 2;
  let doors = [...upstreams.values()].filter(({ concurrency }) => concurrency !== undefined).length;
  for (const { limits, pace, failures, concurrency } of routes) {
    const rates = [...limits, ...(pace === undefined ? [] : [pace]), ...(failures?.limits ?? [])];
    counters += rates.filter(({ by }) => by === "route").length;
    if (concurrency !== undefined) doors++;
  }
  return { counters, doors };
}
