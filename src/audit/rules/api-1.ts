import { CurtainwallError } from "../../shared/index.ts";
import type { ContractRoute } from "../../contract/index.ts";
import type { Check, Rule, Tally } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { foreign, keyConfused, tampered, unsigned } from "../forge.ts";
import type { ForgedToken } from "../forge.ts";
import { honestCalls, lacking, mayCall } from "../inputs.ts";
import type { HonestCall } from "../inputs.ts";
import { decodeToken } from "../tokens.ts";
import type { DecodedToken } from "../tokens.ts";
import { firstHonestCall, isSuccess, protectedRoutes, see } from "./shared.ts";

const isRefusal = (status: number): boolean => status === 401 || status === 403;
const isHidden = (status: number): boolean => status === 403 || status === 404;

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

const noToken: Check = {
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

const expired: Check = {
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

const wrongAudience: Check = {
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

const wrongIssuer: Check = {
  name: "token of another issuer",
  kind: "live",
  isActive: true,
  run: (context, tally) =>
    refuseAll(context, tally, async (_, name) => (await foreign(await genuine(context, name))).otherIssuer),
};

const forgedKey: Check = {
  name: "token signed with a key of ours",
  kind: "live",
  isActive: true,
  run: (context, tally) =>
    refuseAll(context, tally, async (_, name) => (await foreign(await genuine(context, name))).sameIssuer),
};

const algNone: Check = {
  name: "alg:none",
  kind: "live",
  isActive: true,
  run: (context, tally) =>
    refuseAll(context, tally, async (_, name) => unsigned(await genuine(context, name))),
};

const keyConfusion: Check = {
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

const tamperedSignature: Check = {
  name: "tampered signature or claims",
  kind: "live",
  isActive: true,
  run: (context, tally) =>
    refuseAll(context, tally, async (_, name) =>
      tampered(await genuine(context, name), otherSubject(context, name)),
    ),
};

const ownAllowed: Check = {
  name: "users A and B: their own is allowed",
  kind: "live",
  isActive: true,
  run: async (context, tally) => {
    const routes = protectedRoutes(context);
    if (routes.length === 0) tally.notApplicable("no route needs a token", "routes");
    for (const route of routes) {
      const calls = honestCalls(context, route);
      if (calls.length === 0) tally.miss(lacking(context, route));
      for (const { as, input } of calls) {
        const exchange = await context.caller.call({ route, as, input });
        tally.expect(
          isSuccess(exchange.response.status),
          see(context, `${route.key}: ${as} may call it`, exchange),
        );
      }
    }
  },
};

const isOwned = (route: ContractRoute): boolean =>
  route.access.kind === "owner" || route.access.kind === "ownerField";

/** Every identity asks for what each other one owns. */
async function trespass(
  context: AuditContext,
  tally: Tally,
  visit: (route: ContractRoute, intruder: string, owned: HonestCall) => Promise<void>,
): Promise<void> {
  const routes = protectedRoutes(context).filter(isOwned);
  if (routes.length === 0) tally.notApplicable("no route's objects have an owner", "routes");
  const names = Object.keys(context.plan.identities ?? {});
  for (const route of routes) {
    const calls = honestCalls(context, route);
    if (calls.length === 0) tally.miss(lacking(context, route));
    if (names.length < 2) tally.miss("ownership takes two identities");
    for (const owned of calls)
      for (const intruder of names.filter((name) => name !== owned.as)) await visit(route, intruder, owned);
  }
}

const othersRefused: Check = {
  name: "user A asks for what is B's",
  kind: "live",
  isActive: true,
  run: (context, tally) =>
    trespass(context, tally, async (route, intruder, owned) => {
      const exchange = await context.caller.call({ route, as: intruder, input: owned.input });
      tally.expect(
        isHidden(exchange.response.status),
        see(context, `${route.key}: ${intruder} must not get what is ${owned.as}'s (403 or 404)`, exchange),
      );
    }),
};

const lowerRole: Check = {
  name: "lower role",
  kind: "live",
  isActive: true,
  run: async (context, tally) => {
    const routes = protectedRoutes(context).filter((route) => route.access.kind === "role");
    if (routes.length === 0) tally.notApplicable("no route asks for a role", "routes");
    for (const route of routes) {
      const honest = firstHonestCall(context, route, tally);
      const lower = Object.keys(context.plan.identities ?? {}).filter(
        (name) => !mayCall(context, route, name),
      );
      if (lower.length === 0) tally.miss(`every identity in the plan may call ${route.key}`);
      for (const name of honest === undefined ? [] : lower) {
        const exchange = await context.caller.call({ route, as: name, input: honest?.input ?? {} });
        tally.expect(
          exchange.response.status === 403,
          see(context, `${route.key}: ${name} lacks the role (403)`, exchange),
        );
      }
    }
  },
};

const canaryObjects: Check = {
  name: "a canary object of each identity reaches its owner only",
  kind: "live",
  isActive: true,
  run: async (context, tally) => {
    await trespass(context, tally, async (route, intruder, { as, input, hasObject }) => {
      const { canary } = input;
      if (canary === undefined) {
        if (hasObject) tally.miss(`${route.key}: the sample of ${as} names no canary`);
        return;
      }
      const exchange = await context.caller.call({ route, as: intruder, input });
      tally.expect(
        !exchange.response.text().includes(canary),
        see(context, `${route.key}: the canary of ${as} must not reach ${intruder}`, exchange),
      );
    });
    for (const route of protectedRoutes(context).filter(isOwned)) await ownCanaries(context, tally, route);
  },
};

/** Each owner does get its canary: else nobody else's not getting it would prove nothing. */
async function ownCanaries(context: AuditContext, tally: Tally, route: ContractRoute): Promise<void> {
  const owners = honestCalls(context, route).filter(({ input }) => input.canary !== undefined);
  if (owners.length < 2)
    tally.miss(`${route.key}: the plan gives fewer than two identities an object with a canary`);
  for (const { as, input } of owners) {
    const exchange = await context.caller.call({ route, as, input });
    if (exchange.response.text().includes(input.canary ?? ""))
      tally.pass(see(context, `${route.key}: ${as} gets the canary of its own`, exchange));
    else
      tally.miss(
        `${route.key}: ${as}'s own answer does not hold its canary, so its absence elsewhere proves nothing`,
      );
  }
}

const undeclared: Check = {
  name: "an undeclared path is 404, an undeclared method 405",
  kind: "live",
  isActive: true,
  run: async (context, tally) => {
    const { contract, caller } = context;
    for (const root of contract.apiRoots) {
      for (const path of [
        `/${root}/${context.mark()}`,
        `/${root}/${context.mark()}/${context.mark()}`,
        `/${root}`,
      ]) {
        if (contract.routes.some((route) => matches(route, path))) continue;
        const exchange = await caller.send({ method: "GET", path });
        tally.expect(exchange.response.status === 404, see(context, "an undeclared path is 404", exchange));
      }
    }
    const routes = new Map(contract.routes.map((route) => [route.path, route]));
    if (routes.size === 0) tally.notApplicable("the contract declares no route", "routes");
    for (const route of routes.values()) {
      const honest = firstHonestCall(context, route, tally);
      if (honest === undefined) continue;
      const { path } = await caller.request({ route, input: honest.input });
      const [bare = path] = path.split("?");
      const declared = new Set(
        contract.routes.filter((other) => matches(other, bare)).map((other) => other.method as string),
      );
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"].filter(
        (name) => !declared.has(name),
      )) {
        const exchange = await caller.send({ method, path: bare });
        tally.expect(
          exchange.response.status === 405,
          see(context, `${bare}: ${method} is not declared (405)`, exchange),
        );
      }
    }
  },
};

function matches(route: ContractRoute, path: string): boolean {
  const parts = path.slice(1).split("/");
  return (
    parts.length === route.segments.length &&
    route.segments.every((segment, index) => "param" in segment || segment.text === parts[index])
  );
}

const ways: readonly (readonly [name: string, value: (path: string, subject: string) => string])[] = [
  ["x-original-url", (path) => path],
  ["x-rewrite-url", (path) => path],
  ["x-http-method-override", () => "GET"],
  ["x-middleware-subrequest", () => "middleware:middleware:middleware:middleware:middleware"],
  ["x-forwarded-for", () => "127.0.0.1"],
  ["x-forwarded-user", (_, subject) => subject],
  ["x-user-id", (_, subject) => subject],
  ["x-authenticated-userid", (_, subject) => subject],
  ["remote-user", (_, subject) => subject],
  [
    "curtainwall-assertion",
    (_, subject) => `${btoa('{"alg":"none"}')}.${btoa(JSON.stringify({ sub: subject }))}.`,
  ],
];

const spellings: readonly ((path: string) => string)[] = [
  (path) => `${path}/`,
  (path) => `/${path}`,
  (path) => path.toUpperCase(),
  (path) => path.replace("/", "/./"),
  (path) => path.replace("/", "/x/../"),
  (path) => path.replace("/", "/%2e/"),
  (path) => path.replace(/^\/(.)/, (_, letter: string) => `/%${letter.charCodeAt(0).toString(16)}`),
  (path) => `${path};a=b`,
  (path) => `${path}%00`,
  (path) => `${path}.json`,
  (path) => path.replaceAll("/", "%2f").replace("%2f", "/"),
  (path) => path.replaceAll("/", "\\").replace("\\", "/"),
];

const noWayAround: Check = {
  name: "no header and no spelling of the path gets around it",
  kind: "live",
  isActive: true,
  run: async (context, tally) => {
    const routes = protectedRoutes(context);
    if (routes.length === 0) tally.notApplicable("no route needs a token", "routes");
    for (const route of routes) {
      const honest = firstHonestCall(context, route, tally);
      if (honest?.as === undefined) continue;
      const subject = context.plan.identities?.[honest.as]?.subject ?? "";
      const plain = await context.caller.request({ route, input: honest.input });
      for (const [name, value] of ways) {
        const exchange = await context.caller.call({
          route,
          input: honest.input,
          headers: [[name, value(plain.path, subject)]],
        });
        tally.expect(
          isRefusal(exchange.response.status),
          see(context, `${route.key}: the header ${name} replaces no token`, exchange),
        );
      }
      for (const spell of new Set(spellings.map((respell) => respell(plain.path)))) {
        const exchange = await context.caller.send(
          { ...plain, path: spell },
          { name: `${route.key} spelled differently`, burst: 3, isPerUser: false },
        );
        tally.expect(
          !isSuccess(exchange.response.status),
          see(context, `${route.key}: without a token, however it is spelled`, exchange),
        );
      }
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
