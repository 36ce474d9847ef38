import { askedInTurn, keptByNobody, noDisguise } from "./api-1-kept.ts";
import { noOverride, strangeMethods } from "./api-1-verbs.ts";
import type { Check, Rule } from "../check.ts";
import { hiddenObjects } from "./api-1-hidden.ts";
import { foreignTenant, lackingScope } from "./api-1-conditions.ts";
import { keyAndToken, keyInAddress, keyOpensNoMore, keysRefused } from "./api-1-keys.ts";
import { canaryObjects, lowerRole, othersRefused, ownAllowed } from "./api-1-ownership.ts";
import {
  algNone,
  expired,
  forgedKey,
  keyConfusion,
  noToken,
  openToEveryone,
  tamperedSignature,
  wrongAudience,
  wrongIssuer,
} from "./api-1-tokens.ts";
import { assertionsHold, assertionsOpenNothingElse } from "./api-1-assertions.ts";
import { othersInBodies } from "./api-1-bodies.ts";
import { ownAnswers } from "./api-1-lists.ts";
import { otherSpellings } from "./api-1-spellings.ts";
import { sequences } from "./api-1-sequences.ts";
import { nearIds } from "./api-1-near-ids.ts";
import { nearNames } from "./api-1-near-names.ts";
import { revokedToken } from "./api-1-revoked.ts";
import { issuedWrongly } from "./api-1-token-claims.ts";
import { misleadingHeaders } from "./api-1-token-headers.ts";
import { tokenPlaces } from "./api-1-token-places.ts";
import { noWayAround, undeclared } from "./api-1-undeclared.ts";
import { forgedWebhooks, replayedWebhook } from "./api-1-webhooks.ts";
import { withoutRoutes } from "./shared.ts";

const statesAccess: Check = {
  name: "every route states who may call it",
  kind: "source",
  isSupporting: true,
  notApplicable: withoutRoutes,
  run: async ({ contract }, tally) => {
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
    openToEveryone,
    noToken,
    expired,
    wrongAudience,
    wrongIssuer,
    forgedKey,
    algNone,
    keyConfusion,
    tamperedSignature,
    misleadingHeaders,
    issuedWrongly,
    revokedToken,
    tokenPlaces,
    keysRefused,
    keyInAddress,
    keyAndToken,
    keyOpensNoMore,
    ownAllowed,
    othersRefused,
    nearIds,
    lowerRole,
    lackingScope,
    nearNames,
    foreignTenant,
    canaryObjects,
    otherSpellings,
    othersInBodies,
    ownAnswers,
    sequences,
    hiddenObjects,
    assertionsHold,
    assertionsOpenNothingElse,
    ...forgedWebhooks,
    replayedWebhook,
    undeclared,
    noWayAround,
    strangeMethods,
    noOverride,
    keptByNobody,
    askedInTurn,
    noDisguise,
  ],
};
