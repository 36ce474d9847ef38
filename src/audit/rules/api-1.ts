import type { Check, Rule } from "../check.ts";
import { canaryObjects, lowerRole, othersRefused, ownAllowed } from "./api-1-ownership.ts";
import {
  algNone,
  expired,
  forgedKey,
  keyConfusion,
  noToken,
  tamperedSignature,
  wrongAudience,
  wrongIssuer,
} from "./api-1-tokens.ts";
import { noWayAround, undeclared } from "./api-1-undeclared.ts";

const statesAccess: Check = {
  name: "every route states who may call it",
  kind: "source",
  run: async ({ contract }, tally) => {
    if (contract.routes.length === 0) tally.notApplicable("the contract declares no route", "routes");
    for (const route of contract.routes) {
      tally.expect(route.access.kind !== undefined, {
        kind: "contract",
        about: `${route.key}: ${route.access.kind}`,
        at: `routes[${JSON.stringify(route.key)}].access`,
      });
    }
  },
};

/** API-1: every endpoint authenticates and authorises. */
export const api1: Rule = {
  id: "API-1",
  checks: [
    statesAccess,
    noToken,
    expired,
    wrongAudience,
    wrongIssuer,
    forgedKey,
    algNone,
    keyConfusion,
    tamperedSignature,
    ownAllowed,
    othersRefused,
    lowerRole,
    canaryObjects,
    undeclared,
    noWayAround,
  ],
};
