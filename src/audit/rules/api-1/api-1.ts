import { askedInTurn, keptByNobody, noDisguise } from "./kept.ts";
import { noOverride, strangeMethods } from "./verbs.ts";
import { aloneByPlan } from "./alone.ts";
import { askedAtOnce } from "./at-once.ts";
import { headsRefused } from "./heads.ts";
import { sameRequest } from "./same-request.ts";
import { twoTokens } from "./two-tokens.ts";
import type { Check, Rule } from "../../check.ts";
import { hiddenObjects } from "./hidden.ts";
import { foreignTenant, lackingScope } from "./conditions.ts";
import { keyAndToken, keyInAddress, keyOpensNoMore, keysRefused } from "./keys.ts";
import { ownAllowed } from "./own-allowed.ts";
import { canaryObjects, lowerRole, othersRefused } from "./ownership.ts";
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
} from "./tokens.ts";
import { assertionsHold, assertionsOpenNothingElse } from "./assertions.ts";
import { othersInBodies } from "./bodies.ts";
import { ownAnswers } from "./lists.ts";
import { otherSpellings } from "./spellings.ts";
import { sequences } from "./sequences.ts";
import { nearIds } from "./near-ids.ts";
import { nearNames } from "./near-names.ts";
import { revokedForGood, revokedToken } from "./revoked.ts";
import { issuedWrongly } from "./token-claims.ts";
import { misleadingHeaders } from "./token-headers.ts";
import { tokenPlaces } from "./token-places.ts";
import { noWayAround, undeclared } from "./undeclared.ts";
import { rememberedWebhook } from "./webhook-memory.ts";
import { forgedWebhooks, replayedWebhook } from "./webhooks.ts";
import { withoutRoutes } from "../shared.ts";

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
    twoTokens,
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
    aloneByPlan,
    otherSpellings,
    othersInBodies,
    ownAnswers,
    sequences,
    sameRequest,
    hiddenObjects,
    assertionsHold,
    assertionsOpenNothingElse,
    ...forgedWebhooks,
    replayedWebhook,
    rememberedWebhook,
    undeclared,
    noWayAround,
    strangeMethods,
    noOverride,
    headsRefused,
    keptByNobody,
    askedInTurn,
    askedAtOnce,
    noDisguise,
    revokedForGood,
  ],
};
