import { keyAccess, memberNames } from "../../contract/index.ts";
import type { LateFacts } from "../access/late-access.ts";
import type { ContractRoute, EventSink } from "../../contract/index.ts";
import { createNameIndex } from "../../shared/index.ts";
import { problemAnswer, problems, successHeads } from "./answers.ts";
import type { ProblemCode, SuccessHeads } from "./answers.ts";
import { asksWhoCalls } from "../callers/routes-that-ask.ts";
import type { Cors } from "../origins/cors.ts";
import type { Refusal } from "./refusal.ts";
import type { BodyStream, Caller, GatewayAnswer, GatewayRequest, Respond } from "../types.ts";

/** What is known of one request while it passes its route. */
export interface Passage {
  readonly request: GatewayRequest;
  /** Of the path's parameters: as they came, or, where somebody is asked about them, as the upstream will be given them. */
  values: readonly string[];
  /** Also tells whoever waits for how it ends. */
  respond: Respond;
  /** The other origin whose pages may read the answer; undefined: none. */
  readonly otherOrigin: string | undefined;
  /** Value of `RateLimit`: the limits charged until now. */
  rateLimit: string;
  caller: Caller | undefined;
  /** Whether the answer leaves only if it names the caller as its owner. */
  mustOwn: boolean;
  /** Those of the client's that go on, checked: name, value, name, value … */
  headers: readonly string[] | undefined;
  /** What their schemas made of the path's parameters, of the query and of the headers, where a function answers; else undefined. */
  params: object | undefined;
  query: object | undefined;
  headerValues: object | undefined;
  /** Undefined where nobody has to be asked who may call. */
  late: LateFacts | undefined;
  answered: boolean;
}

/** What answering needs besides the route. */
export interface AnswerSurroundings {
  readonly events: EventSink;
  readonly newId: () => string;
  readonly now: () => number;
  readonly cors: Cors;
  readonly corsOrigins: readonly string[];
}

/** The ways in which a route answers. Each ends the passage; what comes after the first is not sent. */
export interface RouteAnswers {
  /** @param extra further headers: name, value, name, value … */
  succeed(passage: Passage, status: number, text: string | undefined, extra: readonly string[]): void;
  /** With a body that comes in parts. */
  begin(passage: Passage, extra: readonly string[], stream: BodyStream): void;
  /** With an event. @param id default: a new one */
  refuse(passage: Passage, refusal: Refusal, id?: string): undefined;
  /** For a check that threw, one of the contract's own for example. */
  refuseThrown(passage: Passage, error: unknown): void;
  /** With a problem that came from behind, under the id that the upstream was given; the log knows of it already. */
  fail(passage: Passage, code: ProblemCode, id: string, headers?: readonly string[]): void;
}

/**
 * Compiles a route's answers. All headers of a success but the limits' state are put together here, once for each origin.
 *
 * @param policy value of `RateLimit-Policy`; empty: none is sent
 */
export function compileRouteAnswers(
  route: ContractRoute,
  policy: string,
  { events, newId, now, cors, corsOrigins }: AnswerSurroundings,
): RouteAnswers {
  const policyHeaders = policy === "" ? [] : ["ratelimit-policy", policy];
  const placeOf = createNameIndex(corsOrigins);
  const [ownHead, ...otherHeads] = [undefined, ...corsOrigins].map((origin) =>
    successHeads([...corsHeaders(origin), ...policyHeaders], browserCaching(route)),
  );
  const headFor = (origin: string | undefined): SuccessHeads =>
    (origin === undefined ? ownHead : otherHeads[placeOf(origin)]) as SuccessHeads;

  function corsHeaders(origin: string | undefined): readonly string[] {
    return origin === undefined ? [] : cors.readHeaders(origin, [...route.responseHeaders.keys()]);
  }

  function succeed(
    passage: Passage,
    status: number,
    text: string | undefined,
    extra: readonly string[],
  ): void {
    const { otherOrigin, rateLimit } = passage;
    const head = headFor(otherOrigin);
    const headers = text === undefined ? head.withoutBody : head.withBody;
    settle(passage, { status, headers, ownHeaders: ownHeaders(rateLimit, extra), body: text });
  }

  function begin(passage: Passage, extra: readonly string[], stream: BodyStream): void {
    // Nobody is there to start it, or to end it.
    if (passage.answered) return stream.cancel();
    const { otherOrigin, rateLimit } = passage;
    const headers = headFor(otherOrigin).withoutBody;
    settle(passage, {
      status: 200,
      headers,
      ownHeaders: ownHeaders(rateLimit, extra),
      body: undefined,
      stream,
    });
  }

  function refuse(passage: Passage, refusal: Refusal, id: string = newId()): undefined {
    const { code, reason, errors, headers = [] } = refusal;
    events({
      type: "gateway.request.refused",
      time: now(),
      id,
      route: route.key,
      client: passage.request.remoteAddress,
      subject: passage.caller?.subject,
      code,
      status: problems[code].status,
      reason,
      fields: errors?.map((error) => error.pointer),
    });
    settle(passage, problemAnswer(code, { id, errors }, [...problemHeaders(passage), ...headers]));
  }

  function refuseThrown(passage: Passage, error: unknown): void {
    const what = error instanceof Error ? error.constructor.name : typeof error;
    refuse(passage, { code: "GATEWAY_FAILED", reason: `a check threw ${what}` });
  }

  function fail(passage: Passage, code: ProblemCode, id: string, headers: readonly string[] = []): void {
    settle(passage, problemAnswer(code, { id }, [...problemHeaders(passage), ...headers]));
  }

  function problemHeaders({ otherOrigin, rateLimit }: Passage): readonly string[] {
    const limited = rateLimit === "" ? [] : [...policyHeaders, "ratelimit", rateLimit];
    return [...corsHeaders(otherOrigin), ...limited];
  }

  return { succeed, begin, refuse, refuseThrown, fail };
}

/** How long a browser may keep an answer, and by which of its own headers it must find it again: by its cookies where a session may say who asks, and by API keys. */
function browserCaching(route: ContractRoute): { seconds: number; vary: readonly string[] } | undefined {
  const { cache, headers, cookies } = route;
  if (cache === undefined || cache.browserSeconds === 0) return undefined;
  const vary = [
    ...(headers === undefined ? [] : memberNames(headers)),
    ...(cookies === undefined && !asksWhoCalls(route) ? [] : ["cookie"]),
    // The one place of a key that is not Authorization.
    ...(keyAccess(route.access) === undefined ? [] : ["x-api-key"]),
  ];
  return { seconds: cache.browserSeconds, vary };
}

function ownHeaders(rateLimit: string, extra: readonly string[]): readonly string[] | undefined {
  if (rateLimit === "") return extra.length === 0 ? undefined : extra;
  return extra.length === 0 ? ["ratelimit", rateLimit] : ["ratelimit", rateLimit, ...extra];
}

function settle(passage: Passage, answer: GatewayAnswer): void {
  if (passage.answered) return;
  passage.answered = true;
  passage.respond(answer);
}
