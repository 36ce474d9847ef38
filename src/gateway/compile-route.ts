import { accessParts } from "../contract/index.ts";
import type { Contract, ContractRoute } from "../contract/index.ts";
import { compileLateAccess } from "./access/late-access.ts";
import type { AnswerCache } from "./cache/answer-cache.ts";
import { compileStanding } from "./access/standing.ts";
import { compileTellRefusal } from "./access/tell-refusal.ts";
import { compileAuthentication } from "./callers/authenticator.ts";
import type { Authenticator, Identified } from "./callers/authenticator.ts";
import { hasKeyInQuery } from "./callers/key-credentials.ts";
import { asksWhoCalls } from "./callers/routes-that-ask.ts";
import { compileBody } from "./input/body.ts";
import { refuseUnread } from "./input/unread-body.ts";
import type { BodyCheck } from "./input/body.ts";
import { compileHeaders, isList } from "./input/headers.ts";
import type { Limiting } from "./limits/limiting.ts";
import type { Schedule } from "./limits/pace.ts";
import type { FinishAnswer } from "./limits/hold.ts";
import type { Refusal } from "./answers/refusal.ts";
import { compileRelease } from "./answers/release.ts";
import type { ReleaseSurroundings } from "./answers/release.ts";
import { compileRouteAnswers } from "./answers/route-answers.ts";
import type { Passage } from "./answers/route-answers.ts";
import { isFromOwnPage } from "./origins/cross-site.ts";
import { compileTellOrigin } from "./told-origin.ts";
import { compileWebhook, isFromPage } from "./webhooks/compile-webhook.ts";
import type { WebhookVerifier } from "./webhooks/types.ts";
import { compileTarget } from "./input/target.ts";
import { compileObserved } from "./observe/observed.ts";
import type { Observations } from "./observe/observations.ts";
import type { Caller, Destination, ForwardedRequest, GatewayRequest, Respond } from "./types.ts";

/** Answers the requests of one route. */
export type RouteHandler = (request: GatewayRequest, values: readonly string[], respond: Respond) => void;

/** What the routes of a gateway share. */
export interface RouteSurroundings extends ReleaseSurroundings {
  readonly contract: Pick<Contract, "upstreams">;
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly limiting: Limiting;
  readonly schedule: Schedule;
  readonly observations: Observations;
  /** Undefined: no route keeps answers. */
  readonly cache: AnswerCache | undefined;
  /** All kinds of credentials that the contract knows. */
  readonly authenticators: readonly Authenticator[];
  /** Whether an API key could be brought, and so be found where it does not belong. */
  readonly hasKeys: boolean;
  /** Undefined: no route takes webhooks. */
  readonly webhooks?: WebhookVerifier | undefined;
}

/**
 * Compiles a route into the checks that its requests pass, in this order: origin, limit by client, token, limit by user,
 * access, parameters, query, a webhook's signature, body; then the upstream; then what its answer may say. With a token that was seen before and
 * a body that is there, all of it is one run of synchronous calls.
 */
export function compileRoute(route: ContractRoute, surroundings: RouteSurroundings): RouteHandler {
  const { destinations, authenticators, hasKeys, newId, cors, origin, cache } = surroundings;
  const upstream = destinations.get(route.to);
  if (upstream === undefined) throw new Error(`No destination "${route.to}" for ${route.key}`);
  const destination = cache === undefined ? upstream : cache.before(route, upstream);
  const tellOrigin = compileTellOrigin(route, surroundings.contract.upstreams.get(route.to), origin);
  const authentication = compileAuthentication(route, authenticators);
  if (asksWhoCalls(route) && authentication === undefined)
    throw new Error(`No token verifier, API keys or sessions for ${route.key}`);
  // Who need not say who it is may do so where that shows it more.
  const isOptional = route.access.kind === "everyone";
  const limits = surroundings.limiting.compile(route);
  const judgeCaller = compileStanding(route);
  const accessRefused = route.hide === true ? "GATEWAY_NOT_FOUND" : "GATEWAY_ACCESS_REFUSED";
  const tellRefusal = compileTellRefusal(route);
  const observed = compileObserved(route, surroundings.observations.of(route));
  const checkHeaders = observed.overHeaders(compileHeaders(route));
  const checkBody = observed.overBody(compileBody(route));
  const answers = compileRouteAnswers(route, limits.policy, surroundings);
  const { refuse, refuseThrown, fail } = answers;
  const checkSignature = compileWebhook(route, surroundings.webhooks, answers);
  const release = compileRelease(route, answers, surroundings, observed.observation);
  const late = compileLateAccess(route, accessRefused, { ...surroundings, refuse, refuseThrown });
  const judge = late?.judge ?? (asksForParams(route) ? judgeTexts : undefined);
  const checkTarget = observed.overTarget(compileTarget(route, judge, late?.noteQuery), judge);
  const limited = { ...answers, passes: observed.passesRate };
  const arrive = limits.arrive(limited, newId, authenticate);
  const admitCaller = limits.known(limited, checkAccess);
  const forward = limits.ready(answers, late === undefined ? send : sendInTime, late?.hold);

  function start(request: GatewayRequest, values: readonly string[], respond: Respond): void {
    const verdict = cors.judge(request);
    const passage: Passage = {
      request,
      values,
      respond,
      otherOrigin: verdict === "allowed" ? request.header("origin") : undefined,
      rateLimit: "",
      caller: undefined,
      mustOwn: true,
      headers: undefined,
      params: undefined,
      query: undefined,
      headerValues: undefined,
      late: undefined,
      answered: false,
    };
    try {
      // Before the limit: a refused page must not use up its visitors' allowance.
      if (verdict === "refused" || (checkSignature !== undefined && isFromPage(request)))
        refuse(passage, { code: "GATEWAY_ORIGIN_REFUSED" });
      else if (route.createsSession && !isFromOwnPage(origin, request))
        refuse(passage, { code: "GATEWAY_CROSS_SITE_REFUSED" });
      else arrive(passage);
    } catch (error) {
      refuseThrown(passage, error);
    }
  }

  function authenticate(passage: Passage): void {
    const { request } = passage;
    if (hasKeys && hasKeyInQuery(request.query)) return refuse(passage, { code: "GATEWAY_KEY_IN_QUERY" });
    if (authentication === undefined) return checkInput(passage);
    const who = authentication.identify(request);
    if (who === undefined) return isOptional ? checkInput(passage) : refuse(passage, authentication.missing);
    if (!(who instanceof Promise)) return authorise(passage, who);
    who.then(
      (later) => {
        try {
          authorise(passage, later);
        } catch (error) {
          refuseThrown(passage, error);
        }
      },
      (error: unknown) => refuseThrown(passage, error),
    );
  }

  function authorise(passage: Passage, who: Identified): void {
    if (who.kind === "valid") {
      passage.caller = who.caller;
      admitCaller(passage);
    } else if (who.kind === "nobody" && isOptional) checkInput(passage);
    else refuse(passage, who.refusal);
  }

  function checkAccess(passage: Passage): void {
    const standing = judgeCaller(passage.caller as Caller, passage.values);
    if (standing === "no") return refuse(passage, refusalOf(passage, passage.values));
    passage.mustOwn = standing === "if-own";
    late?.begin(passage);
    checkInput(passage);
  }

  function judgeTexts(passage: Passage, texts: readonly string[]): Refusal | undefined {
    const { caller } = passage;
    return caller === undefined || judgeCaller(caller, texts) === "no"
      ? refusalOf(passage, texts)
      : undefined;
  }

  const refusalOf = ({ caller }: Passage, values: readonly string[]): Refusal => ({
    code: accessRefused,
    reason: tellRefusal(caller, values),
  });

  function checkInput(passage: Passage): void {
    const { request, values } = passage;
    const target = checkTarget(values, request.query, passage);
    if (typeof target !== "string") return refuse(passage, target);
    if (checkHeaders !== undefined) {
      const headers = checkHeaders(request, passage);
      if (!isList(headers)) return refuse(passage, headers);
      passage.headers = headers;
    }
    if (late === undefined) takeBody(passage, target);
    else late.beforeBody(passage, () => takeBody(passage, target));
  }

  function takeBody(passage: Passage, target: string): void {
    if (checkBody !== undefined) readBody(passage, checkBody, target);
    else if (passage.request.hasBody) {
      const unexpected = observed.unexpectedBody?.();
      if (unexpected === undefined) refuse(passage, { code: "GATEWAY_BODY_UNEXPECTED" });
      else readBody(passage, unexpected, target);
    } else forward(passage, target, undefined);
  }

  function readBody(passage: Passage, check: BodyCheck, target: string): void {
    const { request } = passage;
    if (!check.isOfType(request)) return refuse(passage, { code: "GATEWAY_MEDIA_TYPE_REFUSED" });
    request.readBody(route.maxBodyBytes, (error, bytes) => {
      if (error !== undefined) return refuse(passage, refuseUnread(error));
      if (checkSignature === undefined) parseBody(passage, check, bytes, target);
      else checkSignature(passage, bytes, () => parseBody(passage, check, bytes, target));
    });
  }

  function parseBody(passage: Passage, check: BodyCheck, bytes: Uint8Array, target: string): void {
    try {
      const body = check.check(bytes);
      if (body.refusal === undefined) forward(passage, target, body.value);
      else refuse(passage, body.refusal);
    } catch (thrown) {
      refuseThrown(passage, thrown);
    }
  }

  function send(passage: Passage, target: string, body: unknown, finish?: FinishAnswer): void {
    dispatch(passage, forwarded(passage, target, body), finish);
  }

  /** What was asked before has used up some of the route's time. */
  function sendInTime(passage: Passage, target: string, body: unknown, finish?: FinishAnswer): void {
    dispatch(passage, forwarded(passage, target, body, late?.timeLeft(passage)), finish);
  }

  function forwarded(
    { request, headers, params, query, headerValues, caller }: Passage,
    target: string,
    body: unknown,
    timeoutMs?: number,
  ): ForwardedRequest {
    const id = newId();
    const about = tellOrigin?.(request, id);
    return { route, id, target, params, query, headerValues, headers, about, body, caller, timeoutMs };
  }

  function dispatch(passage: Passage, request: ForwardedRequest, finish: FinishAnswer | undefined): void {
    const { id } = request;
    const callOff = destination(request, (given) => {
      const answer = finish === undefined ? given : finish(given);
      if (passage.answered) return;
      // Nobody is there to read it, and nothing is wrong with the upstream.
      if (answer.kind === "failed" && answer.isCancelled) return fail(passage, answer.code, id);
      try {
        release(passage, id, answer);
      } catch (error) {
        refuseThrown(passage, error);
      }
    });
    if (callOff !== undefined && !passage.answered) passage.request.onAbort?.(callOff);
  }

  return start;
}

/** Whether the path's parameters say who may call. */
function asksForParams({ access }: ContractRoute): boolean {
  return accessParts(access).some(({ kind }) => kind === "owner" || kind === "tenant");
}
