import type { ContractRoute } from "../../../contract/index.ts";
import { CurtainwallError } from "../../../shared/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { foreign, keyConfused, tampered, unsigned } from "../../forge/forge.ts";
import type { ForgedToken } from "../../forge/forge.ts";
import { sourceOf } from "../../requests/tokens.ts";
import { honestCall, overEach, protectedRoutes, withoutProtectedRoutes, withoutRoutes } from "../shared.ts";
import { unchanged } from "../state.ts";
import { expectServed } from "../unserved.ts";
import { expectRefusal, toldTo } from "./given-away.ts";
import { genuine, tokenCalls, withoutIssuer } from "./token-routes.ts";

/** Every token in a list must be refused on every protected route. */
async function refuseAll(
  context: AuditContext,
  tally: Tally,
  tokensFor: (name: string) => Promise<readonly ForgedToken[]>,
): Promise<void> {
  for (const { route, honest, user } of tokenCalls(context, tally)) {
    const told = await toldTo(context, route, honest);
    await unchanged(context, tally, route, async () => {
      for (const [index, token] of (await tokensFor(user)).entries()) {
        const call = { route, input: honest.input, token };
        // The first of them over each protocol; the others take turns.
        for (const exchange of index === 0
          ? await overEach(context, call)
          : [await context.caller.call(call)])
          expectRefusal(context, tally, {
            about: `${route.key}: a token that is ${token.name} must be refused (401)`,
            exchange,
            told,
          });
      }
    });
  }
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
  attack: { kind: "access", promise: "access", per: "route", isControl: true },
  isActive: true,
  isSupporting: true,
  notApplicable: (context) =>
    withoutRoutes(context) ??
    (context.contract.routes.some(isOpen) ? undefined : "every route needs a token"),
  run: async (context, tally) => {
    for (const route of context.contract.routes.filter(isOpen)) {
      const honest = honestCall(context, route, tally);
      if (honest === undefined) continue;
      const exchange = await context.caller.call({ route, input: honest.input });
      expectServed(context, tally, { route, about: "everyone may call it", exchange });
    }
  },
};

const isOpen = ({ access }: ContractRoute): boolean => access.kind === "everyone";

export const noToken: Check = {
  name: "no token",
  kind: "live",
  attack: { kind: "access", promise: "access", per: "route" },
  isActive: true,
  notApplicable: withoutProtectedRoutes,
  run: async (context, tally) => {
    for (const route of protectedRoutes(context)) {
      const honest = honestCall(context, route, tally);
      if (honest === undefined) continue;
      const told = await toldTo(context, route, honest);
      await unchanged(context, tally, route, async () => {
        for (const exchange of await overEach(context, { route, input: honest.input }))
          expectRefusal(context, tally, {
            about: `${route.key}: without a token it must be refused (401)`,
            exchange,
            told,
          });
      });
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
  attack: { kind: "access", promise: "access", per: "route" },
  isActive: true,
  notApplicable: (context) => withoutProtectedRoutes(context) ?? withoutIssuer(context),
  run: (context, tally) => refuseAll(context, tally, (as) => tokensFor(context, as)),
});

async function expiredTokens(context: AuditContext, owner: string): Promise<ForgedToken[]> {
  const value = await context.tokens.expired(owner);
  const before = context.tokens.wasTaken(owner) ? ", and was taken until it did" : "";
  return [{ name: `expired (${owner}'s${before})`, value }];
}

/** Whoever remembers which token came over a connection has to look at its time with each request. */
export const expired: Check = {
  ...refused("expired token", expiredTokens),
  run: async (context, tally) => {
    const owners = new Set<string>();
    await refuseAll(context, tally, (name) => {
      const owner = giver(context, name, "expiredToken");
      owners.add(owner);
      return expiredTokens(context, owner);
    });
    for (const owner of owners) await refuseWhereUsed(context, tally, owner);
  },
};

/** The expired token once more, over the connections where it had been taken. */
async function refuseWhereUsed(context: AuditContext, tally: Tally, owner: string): Promise<void> {
  for (const { exchange, told } of await context.tokens.afterwards(owner)) {
    const { key } = told.route;
    if (!context.contract.routes.some((route) => route.key === key)) continue;
    const where = `over the ${exchange.response.protocol} connection where it was taken until it did`;
    expectRefusal(context, tally, {
      about: `${key}: a token that is expired (${owner}'s), ${where}, must be refused (401)`,
      exchange,
      told,
    });
  }
}

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
