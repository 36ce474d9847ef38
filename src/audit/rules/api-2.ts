import type { Check, Rule } from "../check.ts";
import { burst, forwardedFor, otherClients } from "./api-2-bursts.ts";
import { heldConnections } from "./api-2-connections.ts";
import { guesses } from "./api-2-guesses.ts";
import { ipv6 } from "./api-2-ipv6.ts";
import { concurrency, pace } from "./api-2-pace.ts";
import { manyConnections, twoInstances } from "./api-2-parallel.ts";
import { pausing, slowBody, slowHeaders } from "./api-2-slow.ts";
import { perUser } from "./api-2-users.ts";
import { withoutRoutes } from "./shared.ts";

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
    manyConnections,
    perUser,
    guesses,
    pace,
    concurrency,
    twoInstances,
    ipv6,
  ],
};
