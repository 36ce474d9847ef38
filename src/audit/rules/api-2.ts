import type { Check, Rule } from "../check.ts";
import { burst, forwardedFor, otherClients } from "./api-2-bursts.ts";
import { guesses } from "./api-2-guesses.ts";
import { concurrency, pace } from "./api-2-pace.ts";
import { pausing, slowBody, slowHeaders } from "./api-2-slow.ts";
import { perUser } from "./api-2-users.ts";
import { withoutLimits } from "./limits.ts";
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

const twoInstances: Check = {
  name: "parallel burst on two instances",
  kind: "live",
  isActive: true,
  notApplicable: withoutRoutes,
  run: async ({ contract: { limitStore } }, tally) =>
    tally.miss(
      limitStore === undefined
        ? "one instance runs here, and the contract names no limits.store: a second host would count for itself"
        : `one instance runs here: that ${limitStore.instances} hosts count together in ${limitStore.url.host} would take two`,
    ),
};

const ipv6: Check = {
  name: "IPv6 rotation inside a /64",
  kind: "live",
  isActive: true,
  notApplicable: withoutLimits("client"),
  run: async (_, tally) => tally.miss("loopback has one IPv6 address; this takes a network of its own"),
};

/** API-2: rate limiting and throttling. */
export const api2: Rule = {
  id: "API-2",
  checks: [
    statesLimit,
    slowHeaders,
    slowBody,
    pausing,
    burst,
    otherClients,
    forwardedFor,
    perUser,
    guesses,
    pace,
    concurrency,
    twoInstances,
    ipv6,
  ],
};
