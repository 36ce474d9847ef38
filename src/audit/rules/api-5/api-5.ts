import type { ContractRoute } from "../../../contract/index.ts";
import type { Check, Rule, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { lookAlikeKinds, lookAlikes, lookAlikesFor } from "../../requests/cors-origins.ts";
import type { LookAlike, LookAlikeKind } from "../../requests/cors-origins.ts";
import type { Exchange } from "../../probes/probe.ts";
import { crossSite } from "./cross-site.ts";
import { foreignPages } from "./pages.ts";
import { webhooksFromPages } from "./webhooks.ts";
import { allows, callWith, pathOf, preflight } from "./cors-calls.ts";
import { isSuccess, see, withoutRoutes } from "../shared.ts";

const allowedOrigins = (context: AuditContext): string[] => [
  context.contract.origin,
  ...context.contract.corsOrigins,
];

function refusesLookAlikes(kind: LookAlikeKind): Check {
  return {
    name: `origin refused: ${kind}`,
    kind: "live",
    attack: { kind: "cors", promise: "cors", per: "route" },
    isActive: true,
    notApplicable: withoutRoutes,
    run: async (context, tally) => {
      const origins = lookAlikes(allowedOrigins(context)).filter((found) => found.kind === kind);
      if (origins.length === 0) tally.notApplicable("no allowed origin has such a look-alike");
      for (const route of context.contract.routes)
        for (const found of lookAlikesFor(kind, origins, route, context.declaredRoutes))
          await refuse(context, tally, route, found);
    },
  };
}

async function refuse(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  { origin, kind }: LookAlike,
): Promise<void> {
  const named = kind === origin ? `the origin ${origin}` : `${origin} (${kind})`;
  const exchange = await callWith(context, tally, route, [["origin", origin]]);
  if (exchange === undefined) return;
  tally.expect(
    !allows(exchange, origin),
    see(context, `${route.key}: ${named} must not be allowed`, exchange),
  );
  const path = exchange.request.path;
  const asked = await preflight(context, path, route, origin);
  tally.expect(
    !allows(asked, origin),
    see(context, `${route.key}: a preflight from ${named} must not be granted`, asked),
  );
}

const credentials: Check = {
  name: "credentials",
  kind: "live",
  attack: { kind: "cors", promise: "cors", per: "route" },
  isActive: true,
  notApplicable: withoutRoutes,
  run: async (context, tally) => {
    for (const route of context.contract.routes) {
      for (const origin of ["https://attacker.invalid", "null"]) {
        const exchange = await callWith(context, tally, route, [
          ["origin", origin],
          ["cookie", "session=curtainwall-audit"],
        ]);
        if (exchange === undefined) continue;
        const grants = exchange.response.header("access-control-allow-credentials")?.toLowerCase() === "true";
        tally.expect(
          !grants && !allows(exchange, origin),
          see(context, `${route.key}: no credentials for ${origin}`, exchange),
        );
      }
    }
  },
};

const variesByOrigin: Check = {
  name: "Vary: Origin on every API answer",
  kind: "live",
  attack: { kind: "caching", promise: "cors", per: "route" },
  isActive: true,
  notApplicable: withoutRoutes,
  run: async (context, tally) => {
    const look = (what: string, exchange: Exchange): void => {
      const varying = exchange.response.header("vary") ?? "";
      const names = new Set(varying.split(",").map((name) => name.trim().toLowerCase()));
      tally.expect(
        names.has("origin") || names.has("*"),
        see(context, `${what} varies by origin (${exchange.response.status})`, exchange),
      );
    };
    for (const route of context.contract.routes) {
      for (const origin of [undefined, context.contract.origin, "https://attacker.invalid"]) {
        const exchange = await callWith(
          context,
          tally,
          route,
          origin === undefined ? [] : [["origin", origin]],
        );
        if (exchange !== undefined)
          look(`${route.key}${origin === undefined ? " without an origin" : ` from ${origin}`}`, exchange);
      }
      const path = await pathOf(context, tally, route);
      if (path === undefined) continue;
      for (const origin of [context.contract.origin, "https://attacker.invalid"])
        look(`a preflight of ${route.key} from ${origin}`, await preflight(context, path, route, origin));
      look(
        `${route.key} without a token`,
        await context.caller.send(
          { method: route.method, path, listen: { maxMs: 1000, maxEvents: 0 } },
          { name: route.key, burst: 3, isPerUser: false },
        ),
      );
    }
    for (const root of context.contract.apiRoots)
      look(
        "an undeclared path",
        await context.caller.send({ method: "GET", path: `/${root}/${context.mark()}` }),
      );
  },
};

const preflights: Check = {
  name: "preflight",
  kind: "live",
  attack: { kind: "cors", promise: "cors", per: "route" },
  isActive: true,
  notApplicable: withoutRoutes,
  run: async (context, tally) => {
    for (const route of context.contract.routes) {
      const path = await pathOf(context, tally, route);
      if (path === undefined) continue;
      const refused = await preflight(context, path, route, "https://attacker.invalid");
      tally.expect(
        !allows(refused, "https://attacker.invalid"),
        see(context, `${route.key}: a preflight from elsewhere is not granted`, refused),
      );
      for (const origin of context.contract.corsOrigins) {
        const granted = await preflight(context, path, route, origin);
        if (route.webhook !== undefined) {
          tally.expect(
            // A refusal may name the origin: browsers ask for a success besides.
            !isSuccess(granted.response.status) || !allows(granted, origin),
            see(context, `${route.key}: no page sends webhooks, so no preflight is granted`, granted),
          );
          continue;
        }
        const methods = (granted.response.header("access-control-allow-methods") ?? "")
          .split(",")
          .map((name) => name.trim());
        tally.expect(
          isSuccess(granted.response.status) &&
            granted.response.header("access-control-allow-origin") === origin &&
            methods.includes(route.method),
          see(context, `${route.key}: a preflight from ${origin} is granted`, granted),
        );
      }
    }
  },
};

const reads = ({ method }: ContractRoute): boolean => method === "GET";

const allowed: Check = {
  name: "allowed origins are served",
  kind: "live",
  attack: { kind: "cors", promise: "cors", per: "route", isControl: true },
  isActive: true,
  isSupporting: true,
  notApplicable: (context) =>
    withoutRoutes(context) ?? (context.contract.routes.some(reads) ? undefined : "no route is a GET"),
  run: async (context, tally) => {
    for (const route of context.contract.routes.filter(reads)) {
      const own = await callWith(context, tally, route, [["origin", context.contract.origin]]);
      if (own !== undefined)
        tally.expect(
          isSuccess(own.response.status),
          see(context, `${route.key}: the site's own pages may call it`, own),
        );
      // A session is created for pages of the site alone.
      for (const origin of route.createsSession ? [] : context.contract.corsOrigins) {
        const exchange = await callWith(context, tally, route, [["origin", origin]]);
        if (exchange === undefined) continue;
        const named = exchange.response.header("access-control-allow-origin") === origin;
        tally.expect(
          isSuccess(exchange.response.status) && named,
          see(context, `${route.key}: pages of ${origin} may call it`, exchange),
        );
      }
    }
  },
};

/** API-5: CORS allow-list. */
export const api5: Rule = {
  id: "API-5",
  checks: [
    ...lookAlikeKinds.map(refusesLookAlikes),
    credentials,
    variesByOrigin,
    preflights,
    allowed,
    crossSite,
    foreignPages,
    webhooksFromPages,
  ],
};
