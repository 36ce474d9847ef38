import { z } from "zod";
import { describeAccess } from "../contract/index.ts";
import type { Contract, ContractRoute, EventSink, Method, Schema } from "../contract/index.ts";
import { jsonAnswer, optionsAnswer, problemAnswer, problems } from "./answers.ts";
import type { FieldFault, ProblemCode } from "./answers.ts";
import { clientKey } from "./client-key.ts";
import { createCors } from "./cors.ts";
import { explainRoute } from "./explain.ts";
import type { RouteExplanation } from "./explain.ts";
import { parseJsonBody } from "./json-body.ts";
import { compileLimits } from "./limits.ts";
import type { ChargeLimits } from "./limits.ts";
import { ownsAnswer } from "./ownership.ts";
import { formatQuery, parseQuery } from "./query.ts";
import { createResponseContract, pointer } from "./response-contract.ts";
import { createRouter, isAmbiguous } from "./router.ts";
import type {
  Caller,
  Destination,
  ForwardedAnswer,
  GatewayAnswer,
  GatewayRequest,
  LimitStore,
  Respond,
  TokenVerdict,
  TokenVerifier,
} from "./types.ts";

/** Options of {@link createGateway}. */
export interface GatewayOptions {
  contract: Pick<Contract, "origin" | "corsOrigins" | "routes" | "apiRoots">;
  /** Who answers, by the name that routes are sent to. */
  destinations: ReadonlyMap<string, Destination>;
  limits: LimitStore;
  /** Required as soon as one route needs to know who calls. */
  tokens?: TokenVerifier | undefined;
  events: EventSink;
  /** Names a request; must not repeat. Default: random. */
  newId?: () => string;
  /** The present in milliseconds since 1970. Default `Date.now`. */
  now?: () => number;
}

/** Holds an API's requests and answers to its contract; made by {@link createGateway}. */
export interface Gateway {
  /** Tells whether a path belongs to the API, declared or not. */
  matches(path: string): boolean;
  /** Answers a request: calls `respond` once, at once or later. Never throws. */
  handle(request: GatewayRequest, respond: Respond): void;
  /** What a route's requests pass, in order. */
  explain(key: string): RouteExplanation | undefined;
}

type RouteHandler = (request: GatewayRequest, values: readonly string[], respond: Respond) => void;

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
  const { contract, events, newId = () => crypto.randomUUID(), now = Date.now } = options;
  const cors = createCors(contract);
  let limitId = 0;
  const compile = (route: ContractRoute): RouteHandler =>
    compileRoute(route, { ...options, newId, now, cors, nextLimitId: () => ++limitId });
  const router = createRouter(contract.routes, compile);
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

  function preflight(request: GatewayRequest, methods: readonly Method[], respond: Respond): void {
    const headers = cors.preflightHeaders(request.header("origin") ?? "", methods);
    if (headers.length === 0) refuse(request, "GATEWAY_ORIGIN_REFUSED", respond);
    else respond(optionsAnswer(headers));
  }

  return {
    matches(path) {
      const end = path.indexOf("/", 1);
      return contract.apiRoots.has(end < 0 ? path.slice(1) : path.slice(1, end));
    },
    handle(request, respond) {
      const match = router(request.path);
      if (match === "invalid") return refuse(request, "GATEWAY_PATH_INVALID", respond);
      if (match === undefined) return refuse(request, "GATEWAY_ROUTE_UNKNOWN", respond);
      const { method } = request;
      if (method === "OPTIONS") {
        if (request.header("access-control-request-method") !== undefined)
          return preflight(request, match.methods, respond);
        return respond(optionsAnswer(["allow", allowed(match.methods), ...corsHeadersOf(request)]));
      }
      // HEAD is GET without the body (RFC 9110 §9.3.2); the server leaves the body out.
      const handler = match.handlers.get((method === "HEAD" ? "GET" : method) as Method);
      if (handler === undefined)
        return refuse(request, "GATEWAY_METHOD_REFUSED", respond, ["allow", allowed(match.methods)]);
      handler(request, match.values, respond);
    },
    explain(key) {
      const route = byKey.get(key);
      return route === undefined ? undefined : explainRoute(route, contract);
    },
  };
}

const allowed = (methods: readonly Method[]): string =>
  [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", ");

interface Surroundings extends GatewayOptions {
  newId: () => string;
  now: () => number;
  cors: ReturnType<typeof createCors>;
  nextLimitId: () => number;
}

/** What {@link ProblemCode}s don't say of a refusal. */
interface RefusalDetails {
  /** Default: a new one. */
  readonly id?: string;
  /** For the log. */
  readonly reason?: string;
  readonly errors?: readonly FieldFault[];
  readonly extra?: readonly string[];
}

/** What is known of one request while it passes its route. */
interface Passage {
  readonly request: GatewayRequest;
  readonly values: readonly string[];
  readonly respond: Respond;
  /** Headers that let a page of another origin read the answer. */
  readonly cors: readonly string[];
  /** Value of `RateLimit`: the limits charged until now. */
  rateLimit: string;
  caller: Caller | undefined;
  answered: boolean;
}

const bearer = /^Bearer /i;
const jsonType = /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i;
const maxFaults = 20;
const nothing: readonly string[] = [];

function compileRoute(route: ContractRoute, surroundings: Surroundings): RouteHandler {
  const { destinations, tokens, events, newId, now, cors, nextLimitId } = surroundings;
  const destination = destinations.get(route.to);
  if (destination === undefined) throw new Error(`No destination "${route.to}" for ${route.key}`);
  const needsCaller = route.access.kind !== "everyone";
  if (needsCaller && tokens === undefined) throw new Error(`No token verifier for ${route.key}`);
  const limits = compileLimits(route.limits, surroundings.limits, nextLimitId);
  const paramNames = route.segments.flatMap((segment) => ("param" in segment ? [segment.param] : []));
  const ownerIndex = route.access.kind === "owner" ? paramNames.indexOf(route.access.param) : -1;
  const answerContract = route.response === undefined ? undefined : createResponseContract(route.response);

  function settle(passage: Passage, answer: GatewayAnswer): void {
    if (passage.answered) return;
    passage.answered = true;
    passage.respond(answer);
  }

  function headersOf(
    { cors: crossOrigin, rateLimit }: Passage,
    extra: readonly string[] = nothing,
  ): string[] {
    return rateLimit === ""
      ? [...crossOrigin, ...extra]
      : [...crossOrigin, "ratelimit-policy", limits.policy, "ratelimit", rateLimit, ...extra];
  }

  /** Takes a passage one step on. A check that throws, one of the contract's own for example, is a refusal. */
  function attempt(passage: Passage, step: () => void): void {
    try {
      step();
    } catch (error) {
      refuse(passage, "GATEWAY_FAILED", {
        reason: `a check threw ${error instanceof Error ? error.constructor.name : typeof error}`,
      });
    }
  }

  function refuse(passage: Passage, code: ProblemCode, details: RefusalDetails = {}): undefined {
    const { id = newId() } = details;
    events({
      type: "gateway.request.refused",
      time: now(),
      id,
      route: route.key,
      client: passage.request.remoteAddress,
      subject: passage.caller?.subject,
      code,
      status: problems[code].status,
      reason: details.reason,
      fields: details.errors?.map((error) => error.pointer),
    });
    settle(passage, problemAnswer(code, { id, errors: details.errors }, headersOf(passage, details.extra)));
  }

  function start(request: GatewayRequest, values: readonly string[], respond: Respond): void {
    const origin = request.header("origin");
    const verdict = cors.judge(origin);
    const passage: Passage = {
      request,
      values,
      respond,
      cors: verdict === "allowed" ? cors.readHeaders(origin as string) : nothing,
      rateLimit: "",
      caller: undefined,
      answered: false,
    };
    attempt(passage, () => {
      // Before the limit: a refused page must not use up its visitors' allowance.
      if (verdict === "refused") return refuse(passage, "GATEWAY_ORIGIN_REFUSED");
      if (limits.client !== undefined && !admit(passage, limits.client, clientKey(request.remoteAddress)))
        return;
      if (needsCaller) authenticate(passage);
      else checkInput(passage);
    });
  }

  function admit(passage: Passage, charge: ChargeLimits, key: string): boolean {
    const { state, retryAfterSeconds } = charge(key, now());
    passage.rateLimit = passage.rateLimit === "" ? state : `${passage.rateLimit}, ${state}`;
    if (retryAfterSeconds === 0) return true;
    refuse(passage, "GATEWAY_LIMIT_REACHED", { extra: ["retry-after", String(retryAfterSeconds)] });
    return false;
  }

  function authenticate(passage: Passage): void {
    const header = passage.request.header("authorization");
    const token = header !== undefined && bearer.test(header) ? header.slice("Bearer ".length) : "";
    if (token === "")
      return refuse(passage, "GATEWAY_TOKEN_MISSING", { extra: ["www-authenticate", "Bearer"] });
    const verdict = (tokens as TokenVerifier).verify(token, passage.request.connection);
    if (!(verdict instanceof Promise)) return authorise(passage, verdict);
    verdict.then(
      (later) => attempt(passage, () => authorise(passage, later)),
      () => refuse(passage, "GATEWAY_FAILED", { reason: "the token could not be checked" }),
    );
  }

  function authorise(passage: Passage, verdict: TokenVerdict): void {
    if (verdict.kind === "unavailable")
      return refuse(passage, "GATEWAY_KEYS_UNAVAILABLE", {
        reason: verdict.reason,
        extra: ["retry-after", "5"],
      });
    if (verdict.kind === "invalid") {
      return refuse(passage, "GATEWAY_TOKEN_INVALID", {
        reason: verdict.reason,
        extra: ["www-authenticate", 'Bearer error="invalid_token"'],
      });
    }
    passage.caller = verdict.caller;
    if (limits.user !== undefined && !admit(passage, limits.user, verdict.caller.subject)) return;
    if (!mayCall(verdict.caller, passage.values))
      return refuse(passage, "GATEWAY_ACCESS_REFUSED", { reason: `not ${describeAccess(route.access)}` });
    checkInput(passage);
  }

  function mayCall(caller: Caller, values: readonly string[]): boolean {
    switch (route.access.kind) {
      case "role":
        return caller.roles.includes(route.access.role);
      case "owner":
        return values[ownerIndex] === caller.subject;
      // ownerField is decided when the answer is there.
      default:
        return true;
    }
  }

  function checkInput(passage: Passage): void {
    const { request } = passage;
    const path = route.params === undefined ? route.path : checkParams(passage, route.params);
    if (path === undefined) return;
    const query = request.query === "" && route.query === undefined ? "" : checkQuery(passage);
    if (query === undefined) return;
    if (route.body !== undefined) readBody(passage, route.body, path + query);
    else if (request.hasBody) refuse(passage, "GATEWAY_BODY_UNEXPECTED");
    else forward(passage, path + query, undefined);
  }

  /** The path for the upstream, built anew from what the schemas made of the parameters; undefined if it was refused. */
  function checkParams(passage: Passage, schema: Schema): string | undefined {
    const { values } = passage;
    const named: Record<string, string> = {};
    for (let index = 0; index < paramNames.length; index++)
      named[paramNames[index] as string] = values[index] as string;
    const checked = z.core.safeParse(schema, named);
    if (!checked.success)
      return refuse(passage, "GATEWAY_INPUT_INVALID", {
        errors: faults("params", checked.error.issues),
      });
    const texts = paramNames.map((name, index) =>
      textOf((checked.data as Record<string, unknown>)[name], values[index] as string),
    );
    const bad = texts.findIndex((text) => text === "" || isAmbiguous(text));
    if (bad >= 0)
      return refuse(passage, "GATEWAY_INPUT_INVALID", {
        errors: [{ pointer: `params/${paramNames[bad]}`, detail: "It can't stand in a path" }],
      });
    // A schema may have changed the text: what counts is whose data the upstream will be asked for.
    if (ownerIndex >= 0 && texts[ownerIndex] !== passage.caller?.subject)
      return refuse(passage, "GATEWAY_ACCESS_REFUSED", {
        reason: `not ${describeAccess(route.access)}`,
      });
    return buildPath(route, texts);
  }

  /** The query for the upstream, built anew like the path. */
  function checkQuery(passage: Passage): string | undefined {
    const given = parseQuery(passage.request.query);
    if (given === undefined)
      return refuse(passage, "GATEWAY_INPUT_INVALID", {
        errors: [{ pointer: "query", detail: "It can't be read, or names a key twice" }],
      });
    if (route.query === undefined)
      return refuse(passage, "GATEWAY_INPUT_INVALID", {
        errors: [{ pointer: "query", detail: "No key is accepted here" }],
      });
    const checked = z.core.safeParse(route.query, { ...given });
    if (!checked.success)
      return refuse(passage, "GATEWAY_INPUT_INVALID", { errors: faults("query", checked.error.issues) });
    const texts: Record<string, string> = {};
    for (const [name, value] of Object.entries(checked.data as object))
      if (value !== undefined) texts[name] = textOf(value, given[name] ?? "");
    return formatQuery(texts);
  }

  function readBody(passage: Passage, schema: Schema, target: string): void {
    const { request } = passage;
    const type = request.header("content-type");
    const encoding = request.header("content-encoding");
    if (
      type === undefined ||
      !(type === "application/json" || jsonType.test(type)) ||
      (encoding !== undefined && encoding !== "identity")
    ) {
      return refuse(passage, "GATEWAY_MEDIA_TYPE_REFUSED");
    }
    request.readBody(route.maxBodyBytes, (error, bytes) =>
      attempt(passage, () => {
        // Nobody waits for this answer, but the server waits for the call.
        if (error === "aborted")
          return refuse(passage, "GATEWAY_INPUT_INVALID", { reason: "the client went away" });
        if (error !== undefined)
          return refuse(passage, error === "timeout" ? "GATEWAY_BODY_TIMEOUT" : "GATEWAY_BODY_TOO_LARGE");
        const body = checkBody(passage, schema, bytes);
        if (body !== undefined) forward(passage, target, body.value);
      }),
    );
  }

  function checkBody(passage: Passage, schema: Schema, bytes: Uint8Array): { value: unknown } | undefined {
    const json = parseJsonBody(bytes);
    if (json.fault !== undefined)
      return refuse(passage, "GATEWAY_INPUT_INVALID", {
        errors: [{ pointer: "", detail: jsonFaults[json.fault] }],
      });
    const body = z.core.safeParse(schema, json.value);
    if (!body.success)
      return refuse(passage, "GATEWAY_INPUT_INVALID", { errors: faults("", body.error.issues) });
    return { value: body.data };
  }

  function forward(passage: Passage, target: string, body: unknown): void {
    const id = newId();
    (destination as Destination)({ route, id, target, body, caller: passage.caller }, (answer) => {
      if (!passage.answered) attempt(passage, () => release(passage, id, answer));
    });
  }

  /** Answers with a problem that came from behind, under the id that the upstream was given. */
  function fail(passage: Passage, id: string, code: ProblemCode): void {
    settle(passage, problemAnswer(code, { id }, headersOf(passage)));
  }

  /** The same, for what the upstream is to blame for. */
  function blame(passage: Passage, id: string, code: ProblemCode, reason: string): void {
    events({
      type: "gateway.upstream.failed",
      time: now(),
      id,
      route: route.key,
      upstream: route.to,
      reason,
    });
    fail(passage, id, code);
  }

  function release(passage: Passage, id: string, answer: ForwardedAnswer): void {
    const { caller } = passage;
    if (answer.kind === "failed") return blame(passage, id, answer.code, answer.reason);
    const { status, value } = answer;
    if (status === 404 || status === 410) return refuse(passage, "GATEWAY_NOT_FOUND", { id });
    if (status >= 400 && status < 500)
      return blame(passage, id, "GATEWAY_UPSTREAM_REFUSED", `it answered ${status}`);
    if (status < 200 || status > 299)
      return blame(passage, id, "GATEWAY_ANSWER_INVALID", `it answered ${status}`);
    if (route.access.kind === "ownerField" && !ownsAnswer(value, route.access.field, caller?.subject)) {
      events({
        type: "gateway.answer.refused",
        time: now(),
        id,
        route: route.key,
        subject: caller?.subject,
        reason: "it belongs to another subject, or names none",
      });
      // As if it did not exist: that it does is somebody else's business.
      return fail(passage, id, "GATEWAY_NOT_FOUND");
    }
    const verdict =
      answerContract === undefined
        ? { kind: "kept" as const, value: undefined, dropped: value === undefined ? nothing : [""] }
        : answerContract(value);
    if (verdict.kind === "refused") {
      events({
        type: "gateway.answer.refused",
        time: now(),
        id,
        route: route.key,
        reason: "it is not as declared",
        fields: verdict.fields,
      });
      return fail(passage, id, "GATEWAY_ANSWER_INVALID");
    }
    if (verdict.dropped.length > 0)
      events({ type: "gateway.answer.trimmed", time: now(), id, route: route.key, fields: verdict.dropped });
    settle(
      passage,
      jsonAnswer(verdict.value === undefined ? undefined : JSON.stringify(verdict.value), headersOf(passage)),
    );
  }

  return start;
}

const jsonFaults = {
  malformed: "It is not JSON in UTF-8",
  "duplicate-key": "An object names a key twice",
  "too-deep": "It is nested too deeply",
  "forbidden-key": "A key is not allowed",
} as const;

/** Names the fields that are wrong and says how, in our words: a schema's own messages could echo what was sent. */
function faults(place: string, issues: readonly z.core.$ZodIssue[]): FieldFault[] {
  return issues.slice(0, maxFaults).map((issue) => ({
    pointer: place + pointer(issue.path),
    detail: faultWords[issue.code] ?? "It is not as described",
  }));
}

const faultWords: Partial<Record<z.core.$ZodIssue["code"], string>> = {
  invalid_type: "It is missing or has the wrong type",
  too_big: "It is too large",
  too_small: "It is too small",
  invalid_format: "It has the wrong form",
  unrecognized_keys: "It has a field that is not described",
  invalid_value: "It is none of the accepted values",
};

/** A checked value as the text that travels. What a schema made a list or an object of travels as it came. */
function textOf(value: unknown, given: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint")
    return String(value);
  return value instanceof Date ? value.toISOString() : given;
}

/** A path for the upstream: the route's own text, and each parameter encoded once. */
function buildPath(route: ContractRoute, texts: readonly string[]): string {
  let path = "";
  let index = 0;
  for (const segment of route.segments)
    path += `/${"text" in segment ? segment.text : encodeURIComponent(texts[index++] as string)}`;
  return path;
}
