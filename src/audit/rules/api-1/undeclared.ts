import type { ContractRoute } from "../../../contract/index.ts";
import type { Check } from "../../check.ts";
import {
  firstHonestCall,
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
      const honest = firstHonestCall(context, route, tally);
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

export const noWayAround: Check = {
  name: "no header and no spelling of the path gets around it",
  kind: "live",
  attack: { kind: "verbs", promise: "access", per: "route" },
  isActive: true,
  notApplicable: withoutProtectedRoutes,
  run: async (context, tally) => {
    for (const route of protectedRoutes(context)) {
      const honest = firstHonestCall(context, route, tally);
      if (honest?.as === undefined) continue;
      const subject = context.plan.identities?.[honest.as]?.subject ?? "";
      const plain = await context.caller.request({ route, input: honest.input });
      const told = await toldTo(context, route, honest);
      for (const [name, value] of ways) {
        const exchange = await context.caller.call({
          route,
          input: honest.input,
          headers: [[name, value(plain.path, subject)]],
        });
        expectRefusal(context, tally, {
          about: `${route.key}: the header ${name} replaces no token`,
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
