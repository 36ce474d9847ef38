/** Why a body could not be read. */
export type BodyProblem = "too-large" | "aborted" | "timeout";

/** One request to the API, as the edge hands it over. Valid until its answer is given. */
export interface ApiRequest {
  readonly method: string;
  /**
   * The path as it was sent, without the query. It begins with `/`; nothing else about it is checked, so that the API can
   * refuse a malformed one in its own words.
   */
  readonly path: string;
  /** What follows the first `?`, as it was sent: visible ASCII. Empty when there is no `?`. */
  readonly query: string;
  /** Normalised: an IPv4 address that came mapped into IPv6 is written as IPv4. */
  readonly remoteAddress: string;
  /** Stands for the connection: the same object for all its requests, and no other's. */
  readonly connection: object;
  /** Whether a body comes with it, however long: announced on HTTP/1.1, begun on HTTP/2. */
  readonly hasBody: boolean;
  /** The value of a header by its lower-case name. Repeated ones are joined as node does. `host` works on HTTP/2 too. */
  header(name: string): string | undefined;
  /**
   * Reads the whole body and calls `done` once, possibly before it returns. To be called at most once. After `too-large`
   * and `timeout` an answer can still be given; after `aborted` nobody is there to read it.
   */
  readBody(maxBytes: number, done: (problem: BodyProblem | undefined, bytes: Uint8Array) => void): void;
  /** Calls `listener` if the client goes away, or has gone, before it has been sent an answer. */
  onAbort(listener: () => void): void;
}

/** The answer to an API request. */
export interface ApiAnswer {
  readonly status: number;
  /**
   * Name, value, name, value …, lower-case, complete with the security headers. The edge adds `date`, what the
   * connection needs and, if it is missing, `content-length`.
   */
  readonly headers: readonly string[];
  /** Further ones, of this answer alone. The edge remembers how {@link headers} is written when that list is frozen. */
  readonly ownHeaders?: readonly string[] | undefined;
  readonly body: Uint8Array | string | undefined;
  /** What comes in parts, instead of {@link body}. */
  readonly stream?: AnswerStream | undefined;
}

/**
 * A body that comes in parts. It gives nothing before it is started; the edge starts it, or cancels it when there is nobody to read it: then it
 * gives nothing any more.
 */
export interface AnswerStream {
  start(sink: AnswerSink): void;
  /** More is wanted, after a part that was not followed by leave for the next. */
  resume(): void;
  cancel(): void;
}

/** Takes an {@link AnswerStream}. */
export interface AnswerSink {
  /** Takes a part, not to be changed afterwards. False: no more until {@link AnswerStream.resume} is called. */
  write(part: Uint8Array): boolean;
  /** That was all. */
  end(): void;
  /** That was not all: the answer is cut, so that nobody takes it for whole. */
  fail(): void;
}

/** What answers the API: the gateway satisfies it. */
export interface ApiHandler {
  /** Tells whether a path (see {@link ApiRequest.path}) belongs to the API. What does not is looked up in the release. */
  matches(path: string): boolean;
  /** Calls `respond` exactly once, also when the client has gone. */
  handle(request: ApiRequest, respond: (answer: ApiAnswer) => void): void;
}
