import type { Check, Rule } from "../../check.ts";
import { burst, forwardedFor, otherClients } from "./bursts.ts";
import { heldConnections } from "./connections.ts";
import { guesses } from "./guesses.ts";
import { ipv6 } from "./ipv6.ts";
import { goneBefore } from "./leaving.ts";
import { concurrency, pace } from "./pace.ts";
import { manyConnections, twoInstances } from "./parallel.ts";
import { pausing, slowBody, slowHeaders } from "./slow.ts";
import { perUser } from "./users.ts";
import { withoutRoutes } from "../shared.ts";

const statesLimit: Check = {
  name: "every route states a limit",
  kind: "source",
  isSupporting: true,
  notApplicable: withoutRoutes,
  run: async ({ contract }, tally) => {
    for (const route of contract.routes) {
      tally.expect(route.limits.length > 0, {
        kind: "contract",
        about: `${route.key}: ${route.limits.map((limit) => limit.text).join(" and ") || "no limit"}`,
        at: `routes[${JSON.stringify(route.key)}].limit`,
      });
    }
  },
};

/** API-2: rate limiting and throttling. */
export const api2: Rule = {
  id: "API-2",
  checks: [
    statesLimit,
    slowHeaders,
    slowBody,
    pausing,
    heldConnections,
    burst,
    otherClients,
    forwardedFor,
    goneBefore,
    manyConnections,
    perUser,
    guesses,
    pace,
    concurrency,
    twoInstances,
    ipv6,
  ],
};
