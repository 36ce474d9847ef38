import type { Contract, ContractRoute, EventSink, Method } from "../contract/index.ts";
import { optionsAnswer, problemAnswer, problems } from "./answers/answers.ts";
import type { ProblemCode } from "./answers/answers.ts";
import { createTrimmedAnswers } from "./answers/trimmed-answers.ts";
import type { ApiKeys } from "./callers/api-keys.ts";
import { createAuthenticators } from "./callers/authenticators.ts";
import { createAnswerCache } from "./cache/answer-cache.ts";
import type { ProofVerifier } from "./callers/dpop/proof-verifier.ts";
import type { SessionVerifier } from "./callers/session-verifier.ts";
import { compileRoute } from "./compile-route.ts";
import type { RouteHandler } from "./compile-route.ts";
import type { Counting } from "./limits/counting.ts";
import { gateSpaceOf } from "./limits/gate-space.ts";
import { createGateMemory, openGates } from "./limits/gates.ts";
import type { Gates } from "./limits/gates.ts";
import { createLimiting } from "./limits/limiting.ts";
import { watchLoad } from "./limits/load-meter.ts";
import type { LoadMeter } from "./limits/load-meter.ts";
import type { Schedule } from "./limits/pace.ts";
import { createCors } from "./origins/cors.ts";
import { explainRoute } from "./explain/explain.ts";
import type { RouteExplanation } from "./explain/explain.ts";
import { createObservations } from "./observe/observations.ts";
import { createOpenStreams } from "./streams/open-streams.ts";
import type { OpenStreamsOptions } from "./streams/open-streams.ts";
import { createRequestIds } from "./request-id.ts";
import { createRouter } from "./router.ts";
import type { RouteMatch } from "./router.ts";
import type { WebhookVerifier } from "./webhooks/types.ts";
import type { Destination, GatewayRequest, LimitStore, Respond, TokenVerifier } from "./types.ts";

/** Options of {@link createGateway}. */
export interface GatewayOptions {
  contract: Pick<Contract, "origin" | "corsOrigins" | "routes" | "apiRoots" | "upstreams" | "budgets"> &
    Partial<Pick<Contract, "leaks" | "apiKeys" | "identity" | "sessions">>;
  /** Who answers, by the name that routes are sent to. */
  destinations: ReadonlyMap<string, Destination>;
  limits: LimitStore;
  /** What threads share of routes, budgets and who is under way. Default: this gateway's own. */
  gates?: Gates | undefined;
  /** Where several hosts count together. Default: this one counts alone, in {@link limits}. */
  sharedLimits?: Counting | undefined;
  /** Refuses requests while the thread has more to do than it can. Default: nothing does. */
  load?: LoadMeter | undefined;
  /** Required as soon as one route needs to know who calls. */
  tokens?: TokenVerifier | undefined;
  /** Required as soon as the contract asks for proofs of possession. */
  proofs?: ProofVerifier | undefined;
  /** Required as soon as the contract declares API keys. */
  apiKeys?: Pick<ApiKeys, "verify"> | undefined;
  /** Required as soon as the contract declares sessions. */
  sessions?: SessionVerifier | undefined;
  /** Required as soon as one route takes webhooks. */
  webhooks?: WebhookVerifier | undefined;
  events: EventSink;
  /** Bits of an IPv6 address that name one client, 16 to 128. Default 64. */
  ipv6Prefix?: number;
  /** Shortens a text so that no two have the same, as SHA-256 does. Required as soon as one route has ETags. */
  digest?: (text: string) => string;
  /** Told of each path whose kept answers are old now, so that other threads can forget theirs too. Default: nobody is. */
  onForget?: ((path: string) => void) | undefined;
  /** How many answers may come in parts at once. */
  streams?: OpenStreamsOptions;
  /** Names a request; must not repeat. Default: random. */
  newId?: () => string;
  /** The present in milliseconds since 1970. Default `Date.now`. */
  now?: () => number;
  /** Runs something after so many milliseconds, and returns what calls it off. Default: timers. */
  schedule?: Schedule;
}

/** Holds an API's requests and answers to its contract; made by {@link createGateway}. */
export interface Gateway {
  /** Tells whether a path belongs to the API, declared or not. */
  matches(path: string): boolean;
  /** Answers a request: calls `respond` once, at once or later. Never throws. */
  handle(request: GatewayRequest, respond: Respond): void;
  /** What a route's requests pass, in order. */
  explain(key: string): RouteExplanation | undefined;
  /** Forgets what is kept of a path's answers: another thread was told that something changed there. */
  forget(path: string): void;
  /** Refuses the requests that wait for their turn, and lets none wait any more. Those under way are answered still. */
  close(): void;
}

interface CompiledRoute {
  readonly route: ContractRoute;
  readonly handle: RouteHandler;
}

/**
 * Compiles a contract into the checks that each request passes: one flat function a route, built once. In this order,
 * cheapest evidence first: path, method, origin, limit by client, token, limit by user, access, parameters, query, body;
 * then the upstream; then ownership and shape of its answer.
 *
 * @throws {CurtainwallError} `GATEWAY_OPTION_INVALID` when a limit's burst would take longer than 31 days to be regained
 * @throws {Error} when a route is sent to a destination that is not given, or needs a token verifier that is not given:
 *   the contract was checked before, so this is a mistake of the caller.
 */
export function createGateway(options: GatewayOptions): Gateway {
  const { contract, events, ipv6Prefix = 64, newId = createRequestIds(), now = Date.now } = options;
  const cors = createCors(contract);
  const { gates = openGates(createGateMemory({ ...gateSpaceOf(contract), now: now() })) } = options;
  const { sharedLimits: shared, load, limits, schedule = after } = options;
  const limiting = createLimiting({
    contract,
    limits,
    gates,
    shared,
    load,
    schedule,
    events,
    now,
    ipv6Prefix,
  });
  const observations = createObservations({ events, now, schedule });
  const trimmed = createTrimmedAnswers({ events, now });
  const { corsOrigins } = contract;
  const canaries = contract.leaks?.canaries ?? [];
  const { routes, origin } = contract;
  const cache = routes.some((route) => route.cache !== undefined)
    ? createAnswerCache({ routes, origin, canaries, now, onForget: options.onForget })
    : undefined;
  const surroundings = {
    ...options,
    newId,
    now,
    cors,
    corsOrigins,
    canaries,
    cache,
    digest: options.digest,
    openStreams: createOpenStreams(options.streams),
    origin,
    authenticators: createAuthenticators(options),
    hasKeys: contract.apiKeys !== undefined,
    limiting,
    observations,
    trimmed,
    schedule,
    destinations: load === undefined ? options.destinations : watchLoad(load, options.destinations),
  };
  const router = createRouter(contract.routes, (route): CompiledRoute => ({
    route,
    handle: compileRoute(route, surroundings),
  }));
  const roots = [...contract.apiRoots].map((root) => `/${root}`);
  const byKey = new Map(contract.routes.map((route) => [route.key, route]));

  function refuse(
    request: GatewayRequest,
    code: ProblemCode,
    respond: Respond,
    extra: readonly string[] = [],
  ): void {
    const id = newId();
    const method = request.method.slice(0, 20);
    events({
      type: "gateway.request.refused",
      time: now(),
      id,
      method,
      client: request.remoteAddress,
      code,
      status: problems[code].status,
    });
    respond(problemAnswer(code, { id }, [...corsHeadersOf(request), ...extra]));
  }

  const corsHeadersOf = (request: GatewayRequest): readonly string[] => {
    const origin = request.header("origin");
    return origin === undefined ? [] : cors.readHeaders(origin);
  };

  function preflight(
    request: GatewayRequest,
    { methods, handlers }: RouteMatch<CompiledRoute>,
    respond: Respond,
  ): void {
    const asked = handlers.get(request.header("access-control-request-method") as Method);
    // No page sends webhooks.
    const isForPages = asked?.route.webhook === undefined;
    const headers = isForPages
      ? cors.preflightHeaders(request.header("origin") ?? "", methods, asked?.route)
      : [];
    if (headers.length === 0) refuse(request, "GATEWAY_ORIGIN_REFUSED", respond);
    else respond(optionsAnswer(headers));
  }

  return {
    matches(path) {
      for (const root of roots)
        if (path.startsWith(root) && (path.length === root.length || path[root.length] === "/")) return true;
      return false;
    },
    handle(request, respond) {
      const match = router(request.path);
      if (match === "invalid") return refuse(request, "GATEWAY_PATH_INVALID", respond);
      if (match === undefined) return refuse(request, "GATEWAY_ROUTE_UNKNOWN", respond);
      const { method } = request;
      if (method === "OPTIONS") {
        if (request.header("access-control-request-method") !== undefined)
          return preflight(request, match, respond);
        return respond(optionsAnswer(["allow", allowed(match.methods), ...corsHeadersOf(request)]));
      }
      // HEAD is GET without the body (RFC 9110 §9.3.2); the server leaves the body out.
      const handler = match.handlers.get((method === "HEAD" ? "GET" : method) as Method);
      if (handler === undefined)
        return refuse(request, "GATEWAY_METHOD_REFUSED", respond, ["allow", allowed(match.methods)]);
      handler.handle(request, match.values, respond);
    },
    explain(key) {
      const route = byKey.get(key);
      return route === undefined ? undefined : explainRoute(route, contract);
    },
    forget: (path) => cache?.forget(path),
    close() {
      limiting.close();
      observations.close();
      trimmed.close();
    },
  };
}

function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}

const allowed = (methods: readonly Method[]): string =>
  [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", ");
