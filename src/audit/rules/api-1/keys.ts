import { keyAccess } from "../../../contract/index.ts";
import type { ContractRoute } from "../../../contract/index.ts";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { forgedKeys, inventedKey } from "../../forge/keys.ts";
import { honestCalls, lacking } from "../../requests/inputs.ts";
import type { HonestCall } from "../../requests/inputs.ts";
import { overEach, protectedRoutes, withoutProtectedRoutes } from "../shared.ts";
import { unchanged } from "../state.ts";
import { expectRefusal, toldTo } from "./given-away.ts";

/** Whether an API key opens a route. */
const opensToKeys = (route: ContractRoute): boolean =>
  route.access.kind !== "everyone" && keyAccess(route.access) !== undefined;

const withoutKeys = (context: AuditContext): string | undefined =>
  withoutProtectedRoutes(context) ??
  (context.contract.apiKeys === undefined ? "the contract takes no API key" : undefined);

const withoutKeyRoutes = (context: AuditContext): string | undefined =>
  withoutKeys(context) ??
  (context.contract.routes.some(opensToKeys) ? undefined : "no route opens to an API key");

/** An honest call of a route by a program; without one, the tally says so. */
function byProgram(context: AuditContext, route: ContractRoute, tally: Tally): HonestCall | undefined {
  const honest = honestCalls(context, route).find(
    ({ as }) => as !== undefined && context.tokens.isProgram(as),
  );
  if (honest === undefined) tally.miss(`no identity with an API key in the plan may call ${route.key}`);
  return honest;
}

export const keysRefused: Check = {
  name: "API keys: unknown, tampered and revoked ones",
  kind: "live",
  attack: { kind: "access", promise: "access", per: "route" },
  isActive: true,
  notApplicable: withoutKeyRoutes,
  run: async (context, tally) => {
    for (const route of context.contract.routes.filter(opensToKeys)) {
      const honest = byProgram(context, route, tally);
      if (honest?.as === undefined) continue;
      const forged = [...forgedKeys(await context.tokens.apiKey(honest.as))];
      const revoked = revokedOf(context, honest.as);
      if (revoked === undefined) tally.miss("the plan has no revokedKey");
      else forged.push({ name: "revoked", value: await context.tokens.revokedKey(revoked) });
      const told = await toldTo(context, route, honest);
      await unchanged(context, tally, route, async () => {
        for (const apiKey of forged)
          for (const exchange of await overEach(context, { route, input: honest.input, apiKey }))
            expectRefusal(context, tally, {
              about: `${route.key}: an API key that is ${apiKey.name} must be refused (401)`,
              exchange,
              told,
            });
      });
    }
  },
};

/** The identity itself if the plan has a revoked key of it, else another that has. */
function revokedOf({ plan }: AuditContext, name: string): string | undefined {
  const has = (candidate: string): boolean => {
    const identity = plan.identities?.[candidate];
    return identity !== undefined && "apiKey" in identity && identity.revokedKey !== undefined;
  };
  return has(name) ? name : Object.keys(plan.identities ?? {}).find(has);
}

/** Addresses are written into logs, histories and `Referer`. The key here is an invention, so that this writes none. */
export const keyInAddress: Check = {
  name: "an API key in an address is refused",
  kind: "live",
  attack: { kind: "access", promise: "access", per: "route" },
  isActive: true,
  notApplicable: withoutKeyRoutes,
  run: async (context, tally) => {
    for (const route of context.contract.routes.filter(opensToKeys)) {
      const honest = byProgram(context, route, tally);
      if (honest === undefined) continue;
      const { path } = await context.caller.request({ route, input: honest.input });
      const query = path.split("?")[1];
      const told = await toldTo(context, route, honest);
      for (const name of ["api_key", "key"]) {
        const pair = `${name}=${inventedKey()}`;
        const rawQuery = query === undefined ? pair : `${query}&${pair}`;
        const exchange = await context.caller.call({ route, ...honest, rawQuery });
        expectRefusal(context, tally, {
          about: `${route.key}: a key as ?${name}= is refused, beside a good one too (400)`,
          exchange,
          told,
          refuses: (status) => status === 400,
        });
      }
    }
  },
};

export const keyAndToken: Check = {
  name: "an API key and a token together are refused",
  kind: "live",
  attack: { kind: "access", promise: "access", per: "route" },
  isActive: true,
  notApplicable: (context) =>
    withoutKeyRoutes(context) ??
    (context.contract.apiKeys?.header === "authorization"
      ? "both come in one header, which stands once"
      : undefined),
  run: async (context, tally) => {
    for (const route of context.contract.routes.filter(opensToKeys)) {
      const calls = honestCalls(context, route);
      const isProgram = ({ as }: HonestCall): boolean => as !== undefined && context.tokens.isProgram(as);
      const program = calls.find(isProgram);
      const user = calls.find((call) => !isProgram(call));
      if (program?.as === undefined || user?.as === undefined) {
        tally.miss(`the plan has no two identities, with a key and with a token, that may call ${route.key}`);
        continue;
      }
      const exchange = await context.caller.call({
        route,
        input: user.input,
        token: { name: `token of ${user.as}`, value: await context.tokens.valid(user.as) },
        apiKey: { name: `API key of ${program.as}`, value: await context.tokens.apiKey(program.as) },
      });
      expectRefusal(context, tally, {
        about: `${route.key}: two callers in one request are none (401)`,
        exchange,
        told: await toldTo(context, route, user),
      });
    }
  },
};

/** Whoever holds a key must not become whoever it acts for. */
export const keyOpensNoMore: Check = {
  name: "an API key opens what asks for a scope alone",
  kind: "live",
  attack: { kind: "access", promise: "access", per: "route" },
  isActive: true,
  notApplicable: (context) =>
    withoutKeys(context) ??
    (protectedRoutes(context).every(opensToKeys)
      ? "every route that needs a caller opens to keys"
      : undefined),
  run: async (context, tally) => {
    const names = Object.keys(context.plan.identities ?? {}).filter((name) => context.tokens.isProgram(name));
    if (names.length === 0) tally.miss("no identity in the plan has an API key");
    for (const route of protectedRoutes(context).filter((candidate) => !opensToKeys(candidate))) {
      const [honest] = honestCalls(context, route);
      if (honest === undefined) {
        tally.miss(lacking(context, route));
        continue;
      }
      const told = await toldTo(context, route, honest);
      for (const as of names)
        expectRefusal(context, tally, {
          about: `${route.key}: the API key of ${as} does not open it (401)`,
          exchange: await context.caller.call({ route, as, input: honest.input }),
          told,
        });
    }
  },
};
