import type { ContractRoute } from "../../../contract/index.ts";
import type { Check } from "../../check.ts";
import type { AuditCaller } from "../../plan/plan.ts";
import type { Call } from "../../requests/caller.ts";
import { saysWho, saysWhoUnsigned } from "../../requests/who-says.ts";
import {
  honestCall,
  isSuccess,
  protectedRoutes,
  see,
  withoutProtectedRoutes,
  withoutRoutes,
} from "../shared.ts";
import { expectRefusal, toldTo } from "./given-away.ts";

export const undeclared: Check = {
  name: "an undeclared path is 404, an undeclared method 405",
  kind: "live",
  attack: { kind: "verbs", promise: "routes", per: "route" },
  isActive: true,
  isSupporting: true,
  notApplicable: withoutRoutes,
  run: async (context, tally) => {
    const { contract, caller, declaredRoutes } = context;
    for (const root of contract.apiRoots) {
      for (const path of [
        `/${root}/${context.mark()}`,
        `/${root}/${context.mark()}/${context.mark()}`,
        `/${root}`,
      ]) {
        if (declaredRoutes.some((route) => matches(route, path))) continue;
        const exchange = await caller.send({ method: "GET", path });
        tally.expect(exchange.response.status === 404, see(context, "an undeclared path is 404", exchange));
      }
    }
    const routes = new Map(contract.routes.map((route) => [route.path, route]));
    for (const route of routes.values()) {
      const honest = honestCall(context, route, tally);
      if (honest === undefined) continue;
      const { path } = await caller.request({ route, input: honest.input });
      const [bare = path] = path.split("?");
      const declared = new Set(
        declaredRoutes.filter((other) => matches(other, bare)).map((other) => other.method as string),
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

/** Headers that lead around a check in one server or another, each by itself; those that say who calls come together. */
function waysAround(path: string, caller: AuditCaller): [about: string, headers: Call["headers"] & {}][] {
  const alone: [name: string, value: string][] = [
    ["x-original-url", path],
    ["x-rewrite-url", path],
    ["x-http-method-override", "GET"],
    ["x-middleware-subrequest", "middleware:middleware:middleware:middleware:middleware"],
    ["x-forwarded-for", "127.0.0.1"],
    ["curtainwall-assertion", `${btoa('{"alg":"none"}')}.${btoa(JSON.stringify({ sub: caller.subject }))}.`],
  ];
  return [
    ...alone.map(([name, value]): ReturnType<typeof waysAround>[number] => [
      `the header ${name} replaces`,
      [[name, value]],
    ]),
    ["headers by which proxies say whom they let in replace", saysWho(caller)],
    ["what proxies sign of whom they let in, unsigned, replaces", saysWhoUnsigned(caller)],
  ];
}

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

export const noWayAround: Check = {
  name: "no header and no spelling of the path gets around it",
  kind: "live",
  attack: { kind: "verbs", promise: "access", per: "route" },
  isActive: true,
  notApplicable: withoutProtectedRoutes,
  run: async (context, tally) => {
    for (const route of protectedRoutes(context)) {
      const honest = honestCall(context, route, tally);
      if (honest?.as === undefined) continue;
      const caller = context.plan.identities?.[honest.as] ?? { subject: "" };
      const plain = await context.caller.request({ route, input: honest.input });
      const told = await toldTo(context, route, honest);
      for (const [about, headers] of waysAround(plain.path, caller)) {
        const exchange = await context.caller.call({ route, input: honest.input, headers });
        expectRefusal(context, tally, {
          about: `${route.key}: ${about} no token`,
          exchange,
          told,
        });
      }
      for (const spell of new Set(spellings.map((respell) => respell(plain.path)))) {
        const exchange = await context.caller.send(
          { ...plain, path: spell },
          { name: `${route.key} spelled differently`, burst: 3, isPerUser: false },
        );
        expectRefusal(context, tally, {
          about: `${route.key}: without a token, however it is spelled`,
          exchange,
          told,
          refuses: (status) => !isSuccess(status),
        });
      }
    }
  },
};
