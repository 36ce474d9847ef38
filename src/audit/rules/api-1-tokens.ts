import type { ContractRoute } from "../../contract/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { Check, Tally } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { foreign, keyConfused, tampered, unsigned } from "../forge.ts";
import type { ForgedToken } from "../forge.ts";
import { honestCalls } from "../inputs.ts";
import { decodeToken, sourceOf } from "../tokens.ts";
import type { DecodedToken } from "../tokens.ts";
import {
  firstHonestCall,
  isRefusal,
  isSuccess,
  protectedRoutes,
  see,
  withoutProtectedRoutes,
  withoutRoutes,
} from "./shared.ts";

/** Every token in a list must be refused on every protected route. */
async function refuseAll(
  context: AuditContext,
  tally: Tally,
  tokensFor: (name: string) => Promise<readonly ForgedToken[]>,
): Promise<void> {
  for (const route of protectedRoutes(context)) {
    const honest = firstHonestCall(context, route, tally);
    if (honest?.as === undefined) continue;
    const user = userFor(context, route, honest.as);
    if (user === undefined) {
      tally.miss("no identity in the plan has a token");
      continue;
    }
    for (const token of await tokensFor(user)) {
      const exchange = await context.caller.call({ route, input: honest.input, token });
      tally.expect(
        isRefusal(exchange.response.status),
        see(context, `${route.key}: a token that is ${token.name} must be refused (401)`, exchange),
      );
    }
  }
}

/** Somebody with a token: who may call the route, if there is one. */
function userFor(context: AuditContext, route: ContractRoute, name: string): string | undefined {
  const isUser = (candidate: string | undefined): boolean =>
    candidate !== undefined && !context.tokens.isProgram(candidate);
  if (isUser(name)) return name;
  const may = honestCalls(context, route).find(({ as }) => isUser(as))?.as;
  return may ?? Object.keys(context.plan.identities ?? {}).find(isUser);
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

/** What everybody may call is no proof that anybody is stopped, but it has to answer. */
export const openToEveryone: Check = {
  name: "what is for everyone needs no token",
  kind: "live",
  isActive: true,
  isSupporting: true,
  notApplicable: (context) =>
    withoutRoutes(context) ??
    (context.contract.routes.some(isOpen) ? undefined : "every route needs a token"),
  run: async (context, tally) => {
    for (const route of context.contract.routes.filter(isOpen)) {
      const honest = firstHonestCall(context, route, tally);
      if (honest === undefined) continue;
      const exchange = await context.caller.call({ route, input: honest.input });
      tally.expect(
        isSuccess(exchange.response.status),
        see(context, `${route.key}: everyone may call it`, exchange),
      );
    }
  },
};

const isOpen = ({ access }: ContractRoute): boolean => access.kind === "everyone";

export const noToken: Check = {
  name: "no token",
  kind: "live",
  isActive: true,
  notApplicable: withoutProtectedRoutes,
  run: async (context, tally) => {
    for (const route of protectedRoutes(context)) {
      const honest = firstHonestCall(context, route, tally);
      if (honest === undefined) continue;
      const exchange = await context.caller.call({ route, input: honest.input });
      tally.expect(
        isRefusal(exchange.response.status),
        see(context, `${route.key}: without a token it must be refused (401)`, exchange),
      );
    }
  },
};

/** A check that every protected route refuses these tokens. */
const refused = (
  name: string,
  tokensFor: (context: AuditContext, name: string) => Promise<readonly ForgedToken[]>,
): Check => ({
  name,
  kind: "live",
  isActive: true,
  notApplicable: (context) =>
    withoutProtectedRoutes(context) ??
    (context.contract.identity === undefined ? "the contract names no issuer of tokens" : undefined),
  run: (context, tally) => refuseAll(context, tally, (as) => tokensFor(context, as)),
});

export const expired: Check = refused("expired token", async (context, name) => [
  {
    name: `expired (${name}'s)`,
    value: await context.tokens.expired(giver(context, name, "expiredToken")),
  },
]);

export const wrongAudience: Check = refused("token for another audience", async (context, name) => [
  {
    name: "for another audience",
    value: await context.tokens.otherAudience(giver(context, name, "otherAudienceToken")),
  },
]);

/** The identity itself if the plan has such a token of it, else another that has. */
function giver(context: AuditContext, name: string, member: "expiredToken" | "otherAudienceToken"): string {
  const identities = context.plan.identities ?? {};
  const has = (candidate: string): boolean => sourceOf(identities[candidate], member) !== undefined;
  return has(name) ? name : (Object.keys(identities).find(has) ?? name);
}

export const wrongIssuer: Check = refused(
  "token of another issuer",
  async (context, name) => (await foreign(await genuine(context, name))).otherIssuer,
);

export const forgedKey: Check = refused(
  "token signed with a key of ours",
  async (context, name) => (await foreign(await genuine(context, name))).sameIssuer,
);

export const algNone: Check = refused("alg:none", async (context, name) =>
  unsigned(await genuine(context, name)),
);

export const keyConfusion: Check = refused("key confusion", async (context, name) => {
  const keys = await context.issuerKeys();
  if (keys.length === 0)
    throw new CurtainwallError("AUDIT_ANSWER_INVALID", "the issuer publishes no key to be confused with");
  const decoded = await genuine(context, name);
  const own = keys.filter((key) => decoded.header.kid === undefined || key.kid === decoded.header.kid);
  return keyConfused(decoded, own.length > 0 ? own : keys);
});

export const tamperedSignature: Check = refused("tampered signature or claims", async (context, name) =>
  tampered(await genuine(context, name), otherSubject(context, name)),
);
