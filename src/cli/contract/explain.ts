import { parseRouteKey } from "../../contract/index.ts";
import type { Contract, ContractRoute, Method } from "../../contract/index.ts";
import { createGateway, createLimitMemory, createLimitStore, createRouter } from "../../gateway/index.ts";
import type { RouteExplanation } from "../../gateway/index.ts";
import { CurtainwallError, nearestRoute } from "../../shared/index.ts";
import { loadContract } from "../../stack/node.ts";
import { usageError } from "../command.ts";
import type { Command } from "../command.ts";
import { explanationText } from "./explain-report.ts";
import type { LocatedExplanation } from "./explain-report.ts";
import { routeLines } from "./route-lines.ts";
import type { RouteLines } from "./route-lines.ts";
import { print, printJson, styled } from "../voice.ts";

export const explainCommand: Command = {
  name: "explain",
  usage: '"GET /api/…" [folder] [--json]',
  summary: "Say what a route's requests pass, in order",
  options: { json: { type: "boolean", says: "print the result as JSON" } },
  notes: ["Name the route as the contract does, or a request as a visitor sends it: GET /api/products/rye"],
  async run({ positionals, flags }) {
    const { asked, folder } = readArguments(positionals);
    const { contract, modules, file, root } = await loadContract(folder);
    const route = findRoute(contract.routes, asked);
    if (route === undefined) throw unknownRoute(asked, contract.routes);
    const lines = routeLines(route.key, [file, ...modules], root);
    const explanation = withLines(explain(contract, route), lines);
    if (flags.has("json")) printJson(explanation);
    else
      print(
        explanationText(explanation, {
          columns: process.stdout.columns ?? Number.POSITIVE_INFINITY,
          dim: (text) => styled("dim", text),
        }),
      );
    return 0;
  },
};

/** No folder reads like a request, so that either may stand first. */
function readArguments([first = "", second = "."]: readonly string[]): { asked: Asked; folder: string } {
  const asked = parseRequest(first);
  if (asked !== undefined) return { asked, folder: second };
  const askedLast = parseRequest(second);
  if (askedLast === undefined) throw usageError("Name a route, method and path in quotes", explainCommand);
  return { asked: askedLast, folder: first };
}

interface Asked {
  readonly method: Method;
  readonly path: string;
}

/** Reads a route's key, or a request line; what follows a `?` leads nowhere else. */
function parseRequest(text: string): Asked | undefined {
  const key = text.trim().replace(/^\w+/, (method) => method.toUpperCase());
  const route = parseRouteKey(key);
  if (typeof route !== "string") return route;
  const request = /^(GET|POST|PUT|PATCH|DELETE) (\/[^?#\s]*)(?:[?#]\S*)?$/.exec(key);
  return request === null ? undefined : { method: request[1] as Method, path: request[2] ?? "" };
}

/** The route of this key, or else the one that the gateway would take such a request to. */
function findRoute(routes: readonly ContractRoute[], { method, path }: Asked): ContractRoute | undefined {
  const named = routes.find((route) => route.method === method && route.path === path);
  if (named !== undefined) return named;
  const match = createRouter(routes, (route) => route)(path);
  return typeof match === "object" ? match.handlers.get(method) : undefined;
}

function unknownRoute({ method, path }: Asked, routes: readonly ContractRoute[]): CurtainwallError {
  const asked = `${method} ${path}`;
  const keys = routes.map(({ key }) => key);
  const others = routes.filter((route) => route.path === path || matches(route, path)).map(({ key }) => key);
  const close = nearestRoute(asked, keys);
  const all = `Routes: ${keys.join(", ") || "none"}`;
  return new CurtainwallError(
    "CLI_USAGE_INVALID",
    `The contract has no route for ${JSON.stringify(asked)}.`,
    {
      hint:
        others.length > 0
          ? `There is  ${others.join(", ")}`
          : close === undefined
            ? all
            : `Did you mean "${close}"?  ${all}`,
    },
  );
}

const matches = (route: ContractRoute, path: string): boolean => {
  const match = createRouter([route], () => true)(path);
  return typeof match === "object" && match.handlers.size > 0;
};

function explain(contract: Contract, { key }: ContractRoute): RouteExplanation {
  // By the routes: some lead to upstreams, others to functions.
  const nowhere = new Map(contract.routes.map(({ to }) => [to, () => undefined]));
  const gateway = createGateway({
    contract,
    destinations: nowhere,
    limits: createLimitStore(createLimitMemory()),
    // Nothing is served here: what the contract asks for is only named.
    tokens: { verify: () => notHere },
    proofs: { verify: async () => notHere },
    sessions: { verify: () => notHere },
    webhooks: { verify: async () => notHere },
    events: () => undefined,
    digest: (text) => text,
  });
  return gateway.explain(key) as RouteExplanation;
}

const notHere = { kind: "unavailable", reason: "nothing is served here" } as const;

/** The option that a check comes from, where it has another name. Checks that no option asks for apply to all routes. */
const optionOf: Readonly<Record<string, string>> = {
  observed: "insecureObserve",
  origin: "createsSession",
  "kept answer": "cache",
  token: "access",
  session: "access",
  "API key": "access",
  check: "access",
  "look-up": "access",
  ownership: "access",
  visibility: "visible",
  parameters: "params",
  answer: "response",
  "answer's headers": "responseHeaders",
  refusal: "errors",
  upstream: "to",
  function: "to",
  "under way": "concurrency",
  budget: "spends",
  load: "priority",
};

function withLines(explanation: RouteExplanation, lines: RouteLines): LocatedExplanation {
  const lineOf = (check: string): string | undefined => {
    const name = check.startsWith("limit by ") ? "limit" : (optionOf[check] ?? check);
    return lines.get(name);
  };
  return {
    ...explanation,
    declared: lines.get(explanation.key),
    steps: explanation.steps.map((step) => ({ ...step, declared: lineOf(step.check) })),
  };
}
