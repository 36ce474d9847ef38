import { CurtainwallError } from "../../shared/index.ts";
import type { Check, Tally } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { foreign, keyConfused, tampered, unsigned } from "../forge.ts";
import type { ForgedToken } from "../forge.ts";
import type { HonestCall } from "../inputs.ts";
import { decodeToken } from "../tokens.ts";
import type { DecodedToken } from "../tokens.ts";
import { firstHonestCall, isRefusal, isSuccess, protectedRoutes, see } from "./shared.ts";

/** Every token in a list must be refused on every protected route. */
async function refuseAll(
  context: AuditContext,
  tally: Tally,
  tokensFor: (honest: HonestCall, name: string) => Promise<readonly ForgedToken[]>,
): Promise<void> {
  const routes = protectedRoutes(context);
  if (routes.length === 0) tally.notApplicable("no route needs a token", "routes");
  for (const route of routes) {
    const honest = firstHonestCall(context, route, tally);
    if (honest?.as === undefined) continue;
    for (const token of await tokensFor(honest, honest.as)) {
      const exchange = await context.caller.call({ route, input: honest.input, token });
      tally.expect(
        isRefusal(exchange.response.status),
        see(context, `${route.key}: a token that is ${token.name} must be refused (401)`, exchange),
      );
    }
  }
}

/** The valid token of the identity, taken apart. */
async function genuine(context: AuditContext, name: string): Promise<DecodedToken> {
  const decoded = decodeToken(await context.tokens.valid(name));
  if (decoded === undefined)
    throw new CurtainwallError(
      "AUDIT_TOKEN_REFUSED",
      `the token of ${name} is not a JWT, so none can be forged after it`,
    );
  return decoded;
}

/** The other identity's subject, or one that does not exist. */
function otherSubject(context: AuditContext, name: string): string {
  const other = Object.entries(context.plan.identities ?? {}).find(([candidate]) => candidate !== name);
  return other?.[1].subject ?? "00000000-0000-4000-8000-000000000000";
}

export const noToken: Check = {
  name: "no token",
  kind: "live",
  isActive: true,
  run: async (context, tally) => {
    if (context.contract.routes.length === 0) tally.notApplicable("the contract declares no route", "routes");
    for (const route of context.contract.routes) {
      const honest = firstHonestCall(context, route, tally);
      if (honest === undefined) continue;
      const exchange = await context.caller.call({ route, input: honest.input });
      const { status } = exchange.response;
      if (route.access.kind === "everyone")
        tally.expect(isSuccess(status), see(context, `${route.key}: everyone may call it`, exchange));
      else
        tally.expect(
          isRefusal(status),
          see(context, `${route.key}: without a token it must be refused (401)`, exchange),
        );
    }
  },
};

export const expired: Check = {
  name: "expired token",
  kind: "live",
  isActive: true,
  run: (context, tally) =>
    refuseAll(context, tally, async (_, name) => [
      {
        name: `expired (${name}'s)`,
        value: await context.tokens.expired(giver(context, name, "expiredToken")),
      },
    ]),
};

export const wrongAudience: Check = {
  name: "token for another audience",
  kind: "live",
  isActive: true,
  run: (context, tally) =>
    refuseAll(context, tally, async (_, name) => [
      {
        name: "for another audience",
        value: await context.tokens.otherAudience(giver(context, name, "otherAudienceToken")),
      },
    ]),
};

/** The identity itself if the plan has such a token of it, else another that has. */
function giver(context: AuditContext, name: string, member: "expiredToken" | "otherAudienceToken"): string {
  const identities = context.plan.identities ?? {};
  if (identities[name]?.[member] !== undefined) return name;
  return Object.keys(identities).find((candidate) => identities[candidate]?.[member] !== undefined) ?? name;
}

export const wrongIssuer: Check = {
  name: "token of another issuer",
  kind: "live",
  isActive: true,
  run: (context, tally) =>
    refuseAll(context, tally, async (_, name) => (await foreign(await genuine(context, name))).otherIssuer),
};

export const forgedKey: Check = {
  name: "token signed with a key of ours",
  kind: "live",
  isActive: true,
  run: (context, tally) =>
    refuseAll(context, tally, async (_, name) => (await foreign(await genuine(context, name))).sameIssuer),
};

export const algNone: Check = {
  name: "alg:none",
  kind: "live",
  isActive: true,
  run: (context, tally) =>
    refuseAll(context, tally, async (_, name) => unsigned(await genuine(context, name))),
};

export const keyConfusion: Check = {
  name: "key confusion",
  kind: "live",
  isActive: true,
  run: async (context, tally) => {
    const keys = protectedRoutes(context).length === 0 ? [] : await context.issuerKeys();
    if (keys.length === 0 && protectedRoutes(context).length > 0)
      return tally.miss("the issuer publishes no key");
    await refuseAll(context, tally, async (_, name) => {
      const decoded = await genuine(context, name);
      const own = keys.filter((key) => decoded.header.kid === undefined || key.kid === decoded.header.kid);
      return keyConfused(decoded, own.length > 0 ? own : keys);
    });
  },
};

export const tamperedSignature: Check = {
  name: "tampered signature or claims",
  kind: "live",
  isActive: true,
  run: (context, tally) =>
    refuseAll(context, tally, async (_, name) =>
      tampered(await genuine(context, name), otherSubject(context, name)),
    ),
};
