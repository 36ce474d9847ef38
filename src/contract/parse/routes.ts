import type { ContractUpstream } from "../contract.ts";
import type { ContractRoute } from "../contract/route.ts";
import type { ContractBudget } from "../contract/limits.ts";
import type { ContractFunction, ContractSecret } from "../contract/secret.ts";
import type { Schema } from "../define/schema.ts";
import { parseRouteKey } from "../path.ts";
import type { RouteKeyParts } from "../path.ts";
import { parseAccess } from "./access.ts";
import type { AccessSurroundings } from "./access.ts";
import { checkAnswer, parseErrors, parseResponse } from "./answer.ts";
import { checkCache, parseCache } from "./cache.ts";
import { closedInput, fields, parseBody, parseJsonLimits, parseParams } from "./exchange.ts";
import { parseCookies, parseRequestHeaders, parseResponseHeaders } from "./headers.ts";
import { checkFunctionRoute, checkWebhook } from "./function-route.ts";
import { limitOptions, parseRouteLimits } from "./limits.ts";
import type { Problems } from "./problems.ts";
import { parseIdempotent } from "./retries.ts";
import { checkAskedConditions, checkCheckNames } from "./owner-lookup.ts";
import { checkObserve, parseObserve } from "./observe.ts";
import { checkVisibility, parseVisibility } from "./visibility.ts";
import { parseWebhook } from "./webhook.ts";
import { checkNames, flag, isMembers, number, optionalText, quote, weakened } from "./values.ts";
import type { Members } from "./values.ts";

/** What a route refers to elsewhere in the contract. */
interface RouteSurroundings {
  upstreams: ReadonlyMap<string, ContractUpstream>;
  functions: ReadonlyMap<string, ContractFunction>;
  secrets: ReadonlyMap<string, ContractSecret>;
  budgets: ReadonlyMap<string, ContractBudget>;
  callers: AccessSurroundings;
}

const routeOptions = [
  "access",
  ...limitOptions,
  "params",
  "query",
  "body",
  "headers",
  "cookies",
  "response",
  "responseHeaders",
  "etag",
  "cache",
  "errors",
  "jsonLimits",
  "to",
  "webhook",
  "visible",
  "hide",
  "createsSession",
  "idempotent",
  "summary",
  "maxBodyBytes",
  "timeoutMs",
  "insecureObserve",
  "insecureOpenInput",
  "insecureSensitiveFields",
];

/** Reads the API's routes, in the order in which they are written. */
export function parseRoutes(
  problems: Problems,
  value: unknown,
  surroundings: RouteSurroundings,
): ContractRoute[] {
  if (value !== undefined && !isMembers(value))
    problems.add("CONTRACT_OPTION_INVALID", `routes must be an object, not ${quote(value)}.`);
  const routes: ContractRoute[] = [];
  const shapes = new Map<string, string>();
  for (const [key, options] of Object.entries(isMembers(value) ? value : {})) {
    const parts = parseRouteKey(key);
    if (typeof parts === "string") {
      problems.add(
        "CONTRACT_ROUTE_KEY_INVALID",
        `Route ${quote(key)}: ${parts}.`,
        'Write  "GET /api/products/:id": { … }',
      );
      continue;
    }
    const shape = `${parts.method} ${parts.segments.map((segment) => ("text" in segment ? segment.text : ":")).join("/")}`;
    const twin = shapes.get(shape);
    if (twin !== undefined)
      problems.add(
        "CONTRACT_ROUTE_CONFLICT",
        `Routes ${quote(twin)} and ${quote(key)} match the same requests.`,
        "Leave one out, or give one a fixed segment more",
      );
    shapes.set(shape, key);
    if (!isMembers(options))
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `Route ${quote(key)} must be an object, not ${quote(options)}.`,
      );
    else routes.push(parseRoute(problems, key, parts, options, surroundings));
  }
  checkCheckNames(problems, routes);
  return routes;
}

function parseRoute(
  problems: Problems,
  key: string,
  parts: RouteKeyParts,
  options: Members,
  { upstreams, functions, secrets, budgets, callers }: RouteSurroundings,
): ContractRoute {
  const where = `Route ${quote(key)}`;
  const at = `routes[${quote(key)}]`;
  checkNames(problems, where, options, routeOptions);
  const acceptsOpen = weakened(problems, `${at}.insecureOpenInput`, options.insecureOpenInput);
  const input = (name: string, schema: unknown): Schema | undefined =>
    closedInput(problems, `${where}, ${name}`, schema, acceptsOpen);
  const to = typeof options.to === "string" ? options.to : "";
  if (options.to === undefined) {
    problems.add(
      "CONTRACT_ROUTE_INCOMPLETE",
      `${where} does not say who answers it.`,
      `Add  to: "${upstreams.keys().next().value ?? "…"}",`,
    );
  } else if (!upstreams.has(to) && !(to.startsWith("fn:") && functions.has(to.slice(3)))) {
    const destinations = [...upstreams.keys(), ...[...functions.keys()].map((name) => `fn("${name}")`)];
    problems.add(
      "CONTRACT_REFERENCE_UNKNOWN",
      `${where} is sent to ${quote(options.to)}, which is neither among the upstreams nor among the functions.`,
      `There are: ${destinations.join(", ") || "none"}`,
    );
  }
  const answerPlace = {
    problems,
    where,
    allowsSensitive: weakened(problems, `${at}.insecureSensitiveFields`, options.insecureSensitiveFields),
  };
  const takesBody = parts.method === "POST" || parts.method === "PUT" || parts.method === "PATCH";
  const route: ContractRoute = {
    key,
    ...parts,
    access: parseAccess(problems, where, options.access, parts, callers),
    visible: parseVisibility(problems, where, options.visible, callers),
    hide: flag(problems, `${where}, hide`, options.hide),
    idempotent: parseIdempotent(problems, where, options, parts.method),
    ...parseRouteLimits(problems, where, options, { segments: parts.segments, budgets }),
    params: parseParams(problems, where, options.params, parts, input),
    query:
      options.query === undefined ? undefined : fields(problems, `${where}, query`, options.query, input),
    headers: parseRequestHeaders(problems, where, options.headers, input),
    cookies: parseCookies(problems, where, options.cookies, input),
    ...parseBody(problems, where, options.body, takesBody, input),
    jsonLimits: parseJsonLimits(problems, where, options.jsonLimits),
    ...parseResponse(answerPlace, options.response),
    responseHeaders: parseResponseHeaders(problems, where, options.responseHeaders),
    etag: flag(problems, `${where}, etag`, options.etag),
    cache: parseCache(problems, where, options.cache),
    errors: parseErrors(answerPlace, options.errors),
    to,
    webhook: parseWebhook(problems, where, options.webhook, secrets),
    createsSession: flag(problems, `${where}, createsSession`, options.createsSession),
    summary: optionalText(problems, `${where}, summary`, options.summary),
    maxBodyBytes: number(problems, `${where}, maxBodyBytes`, options.maxBodyBytes, {
      min: 1,
      max: 67_108_864,
      fallback: 65_536,
    }),
    timeoutMs: number(problems, `${where}, timeoutMs`, options.timeoutMs, {
      min: 1,
      max: 300_000,
      fallback: upstreams.get(to)?.timeoutMs ?? functions.get(to.slice("fn:".length))?.timeoutMs ?? 5000,
    }),
    observe: parseObserve(problems, where, at, options.insecureObserve),
  };
  checkAnswer(answerPlace, route);
  checkCache(problems, where, route);
  checkVisibility(problems, where, route);
  checkObserve(problems, where, route);
  checkAskedConditions(problems, where, route);
  checkFunctionRoute(problems, where, route);
  checkWebhook(problems, where, route);
  return route;
}
