import type { ContractRoute } from "../contract/index.ts";
import type { AnswerHeaders } from "./answers/response-headers.ts";

/** A request as the gateway sees it; the server satisfies it. */
export interface GatewayRequest {
  readonly method: string;
  /** As it came, without the query. */
  readonly path: string;
  /** As it came, what follows "?"; empty if there is none. */
  readonly query: string;
  /** Network address of the client. */
  readonly remoteAddress: string;
  /** Stands for the connection: the same object for all its requests. */
  readonly connection: object;
  /** Whether a body comes with it. */
  readonly hasBody: boolean;
  /** A header by its lower-case name. */
  header(name: string): string | undefined;
  /** Reads the whole body, at most once. */
  readBody(maxBytes: number, done: (error: BodyError | undefined, bytes: Uint8Array) => void): void;
  /** Calls `listener` if the client goes away before it has been sent an answer. Absent: nobody can tell. */
  onAbort?(listener: () => void): void;
}

/** Why a body could not be read. After `aborted` nobody waits for an answer. */
export type BodyError = "too-large" | "aborted" | "timeout";

/** What is to be sent. */
export interface GatewayAnswer {
  readonly status: number;
  /** Name, value, name, value …: all of them, security headers too, but for `content-length`. */
  readonly headers: readonly string[];
  /** Further ones, of this answer alone. A frozen list of {@link headers} is the same for all answers of its kind. */
  readonly ownHeaders?: readonly string[] | undefined;
  readonly body: string | undefined;
  /** What comes in parts, instead of {@link body}. */
  readonly stream?: BodyStream | undefined;
}

/** Takes an answer; called once for each request. */
export type Respond = (answer: GatewayAnswer) => void;

/** Who calls, after the access token was verified. */
export interface Caller {
  readonly subject: string;
  readonly roles: readonly string[];
  /** What it was given leave for (RFC 9068 §2.2.3); undefined: nothing in particular. */
  readonly scopes?: readonly string[] | undefined;
  /** The tenant that it belongs to; undefined: none is known. */
  readonly tenant?: string | undefined;
  /** Names the API key that it came with; undefined: it came with none. */
  readonly keyId?: string | undefined;
}

/** A checked request on its way to whoever answers it. */
export interface ForwardedRequest {
  readonly route: ContractRoute;
  readonly id: string;
  /** Path and query, built anew from what was checked. */
  readonly target: string;
  /** What their schemas made of the path's parameters and of the query, for a function. Undefined: there are none. */
  readonly params?: object | undefined;
  readonly query?: object | undefined;
  /** What their schema made of {@link headers}, cookies aside, for a function. Undefined: there are none, or it refused them and they pass all the same. */
  readonly headerValues?: object | undefined;
  /** Those of the client's that the route takes, checked: name, value, name, value … */
  readonly headers?: readonly string[] | undefined;
  /** What the upstream is told of where it comes from: no part of what is asked. Name, value, name, value … */
  readonly about?: readonly string[] | undefined;
  /** The checked body, or, unless a function answers, the text of the form that it was; undefined if the route takes none. */
  readonly body: unknown;
  readonly caller: Caller | undefined;
  /** How long the answer may take. Default: as long as the route's. */
  readonly timeoutMs?: number | undefined;
}

/** What an upstream answered. */
export type ForwardedAnswer =
  | {
      readonly kind: "answer";
      readonly status: number;
      /** The JSON value; undefined if there is no body. */
      readonly value: unknown;
      /** What the value was read from, if it was. */
      readonly text?: string | undefined;
      /** By lower-case name. Default: none. */
      readonly headers?: AnswerHeaders | undefined;
      /** Headers of ours that say where it comes from, if it may be a kept one: name, value, name, value … */
      readonly about?: readonly string[] | undefined;
    }
  | ForwardedStream
  | {
      readonly kind: "failed";
      readonly code: "GATEWAY_UPSTREAM_UNAVAILABLE" | "GATEWAY_UPSTREAM_TIMEOUT" | "GATEWAY_ANSWER_INVALID";
      /** For the log. */ readonly reason: string;
      /** It was called off: who asked has gone. */
      readonly isCancelled?: true;
    };

/** An answer that comes in parts; given to nobody but a route that declares one, with status 200 and a type that it declares. */
export interface ForwardedStream {
  readonly kind: "stream";
  /** Media type, lower-case, without parameters. */
  readonly type: string;
  /** Bytes that it announces. */
  readonly length: number | undefined;
  /** By lower-case name. */
  readonly headers: AnswerHeaders;
  readonly stream: BodyStream;
}

/** A body that comes in parts, from whoever has it to whoever wants it. It gives nothing before it is started. */
export interface BodyStream {
  /** Begins. Called once at most. */
  start(sink: BodySink): void;
  /** More is wanted, after a part that was not followed by leave for the next. */
  resume(): void;
  /** Nobody wants it any more; also instead of {@link start}. Nothing is given afterwards. */
  cancel(): void;
}

/** Takes a {@link BodyStream}. */
export interface BodySink {
  /** Takes a part. False: no more until {@link BodyStream.resume} is called. */
  write(part: Uint8Array): boolean;
  /** That was all. */
  end(): void;
  /** That was not all, and no more comes: the answer is cut, so that nobody takes it for whole. */
  fail(): void;
}

/**
 * Whoever answers a route's requests. Calls `done` once, at once or later; must not throw. May return what calls the request off when who asked
 * has gone: `done` is called still, with an answer or with a failure that says so.
 */
export type Destination = (
  request: ForwardedRequest,
  done: (answer: ForwardedAnswer) => void,
) => CallOff | undefined | void;

/** Tells that nobody waits for an answer any more. */
export type CallOff = () => void;

/** The key that a token was issued for (RFC 9449 §6). */
export interface TokenBinding {
  /** Its thumbprint (RFC 7638). */
  readonly thumbprint: string;
  /** SHA-256 of the token, base64url. */
  readonly tokenDigest: string;
}

/** Verdict on an access token. */
export type TokenVerdict =
  | {
      readonly kind: "valid";
      readonly caller: Caller;
      /** The key that whoever sends the token must prove to have; undefined: none. */
      readonly bound?: TokenBinding | undefined;
    }
  | { readonly kind: "invalid"; /** For the log. */ readonly reason: string }
  | { readonly kind: "unavailable"; /** For the log. */ readonly reason: string };

/** Verifies access tokens. Answers at once when it can, since most tokens were seen before. */
export interface TokenVerifier {
  /** @param connection stands for where the token came from: the same object for all requests of a connection */
  verify(token: string, connection?: object): TokenVerdict | Promise<TokenVerdict>;
}

/** Counts requests. */
export interface LimitStore {
  /**
   * Charges one request, or as much as one costs.
   *
   * @returns requests left at this moment, or, if it is refused, minus the milliseconds until it is admitted
   */
  take(limit: LimitRate, key: string, nowMs: number, cost?: number): number;
  /** Gives back what was charged. */
  giveBack(limit: LimitRate, key: string, nowMs: number, cost?: number): void;
}

/** What a {@link LimitStore} needs to know of a limit. */
export interface LimitRate {
  /** Keeps equal keys of different limits apart. */
  readonly id: number;
  /** Requests admitted at once. */
  readonly burst: number;
  /** Time in which one request is regained. */
  readonly intervalMs: number;
}
