import type { ContractRoute } from "../../contract/index.ts";
import type { RouteStep } from "../explain/explain.ts";

/** Says that a route is observed, and until when. */
export function explainObserve({ observe }: ContractRoute): RouteStep | false {
  return (
    observe !== undefined && {
      check: "observed",
      passes: `until ${observe.until} (UTC): what parameters, query, headers, body, limits and the answer's schema refuse passes as it came, and is told (gateway.request.observed)`,
      otherwise:
        "from the next day on as below; who may call, sizes, canaries and sensitive names already now",
    }
  );
}
