import { constants } from "node:http2";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { PlannedAnswer } from "../answer.ts";
import type { ApiAnswer, ApiHandler, ApiRequest } from "../api.ts";
import type { ApiTarget } from "../resolve.ts";
import { assertSendable, bodyBytes, withContentLength } from "./api-answer.ts";
import { BodyReader, declaredLength } from "./body-reader.ts";
import type { BodyDone } from "./body-reader.ts";
import { clientOf, readByTime, trackStream, untrackStream } from "./client.ts";
import type { Client } from "./client.ts";
import { reportRefusal } from "./context.ts";
import type { EdgeContext } from "./context.ts";

const nothing = new Uint8Array(0);
const noContent = { endStream: true };

/** Creates what answers requests of HTTP/2. */
export function createHttp2Listener(
  context: EdgeContext,
  clientOfSession: (stream: ServerHttp2Stream) => Client | undefined,
): (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void {
  const { limits, refusals, api } = context;

  function onClose(this: ServerHttp2Stream): void {
    const client = clientOf(this);
    if (client !== undefined) untrackStream(context, client, this);
  }

  return (stream, headers) => {
    stream.on("error", ignore);
    const client = clientOfSession(stream);
    if (client === undefined || stream.destroyed) {
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    trackStream(client, stream, Number.POSITIVE_INFINITY);
    stream.on("close", onClose);
    const method = headers[":method"] ?? "";
    const resolution = context.resolve(
      method,
      headers[":path"] ?? "",
      soleAuthority(headers),
      headers["accept-encoding"],
      headers["if-none-match"],
    );
    if (resolution.ready) sendHttp2(context, client, stream, method, resolution);
    else if (api === undefined || context.pending >= limits.maxPendingRequests)
      sendHttp2(context, client, stream, method, refusals[503]);
    else handOver(api, new Http2ApiRequest(context, client, stream, headers, resolution));
  };
}

/** An error of a stream is the client's: its stream is closed, and that is all there is to do. */
function ignore(): void {
  /* nothing */
}

/** `:authority`, or Host where a proxy turned HTTP/1.1 into HTTP/2; undefined when they differ (RFC 9113 §8.3.1). */
function soleAuthority(headers: IncomingHttpHeaders): string | undefined {
  const authority = headers[":authority"];
  const { host } = headers;
  if (authority === undefined) return host;
  return host === undefined || host === authority ? authority : undefined;
}

/** Sends an answer that was put together at start. */
function sendHttp2(
  context: EdgeContext,
  client: Client,
  stream: ServerHttp2Stream,
  method: string,
  answer: PlannedAnswer,
): void {
  const { body } = answer;
  if (stream.closed) return;
  client.streams.set(stream, readByTime(context, body === undefined ? 0 : body.length));
  if (body === undefined || method === "HEAD") {
    stream.respond(answer.fields, noContent);
  } else {
    stream.respond(answer.fields);
    stream.end(body);
  }
  if (answer.status >= 400) reportRefusal(context, answer, client.address);
}

function handOver(api: ApiHandler, request: Http2ApiRequest): void {
  request.context.pending++;
  try {
    api.handle(request, (answer) => request.respond(answer));
  } catch (error) {
    request.fail(error);
  }
}

class Http2ApiRequest implements ApiRequest {
  readonly context: EdgeContext;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly remoteAddress: string;
  readonly connection: object;
  readonly #client: Client;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  #reader: BodyReader | undefined;
  #answered = false;

  constructor(
    context: EdgeContext,
    client: Client,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    target: ApiTarget,
  ) {
    this.context = context;
    this.method = headers[":method"] ?? "";
    this.path = target.path;
    this.query = target.query;
    this.remoteAddress = client.address;
    this.connection = client;
    this.#client = client;
    this.#stream = stream;
    this.#headers = headers;
  }

  get hasBody(): boolean {
    return !this.#stream.endAfterHeaders;
  }

  header(name: string): string | undefined {
    if (name === "host") return this.#headers[":authority"] ?? this.#headers.host;
    const value = this.#headers[name];
    return typeof value === "object" ? value.join(", ") : value;
  }

  readBody(maxBytes: number, done: BodyDone): void {
    const stream = this.#stream;
    const declared = declaredLength(this.#headers["content-length"]);
    if (stream.endAfterHeaders || declared === 0) {
      done(undefined, nothing);
      return;
    }
    if (declared === undefined || declared <= maxBytes) {
      if (this.#headers.expect !== undefined) stream.additionalHeaders({ ":status": 100 });
    }
    const cut = () => stream.close(constants.NGHTTP2_NO_ERROR);
    this.#reader = new BodyReader(this.context, stream, {
      remoteAddress: this.remoteAddress,
      maxBytes,
      declared,
      done,
      cut,
    });
  }

  onAbort(listener: () => void): void {
    this.#stream.once("close", () => {
      if (!this.#answered) listener();
    });
  }

  respond(answer: ApiAnswer): void {
    if (this.#answered) return;
    this.#answered = true;
    this.context.pending--;
    const stream = this.#stream;
    if (stream.destroyed || stream.closed || stream.headersSent) return;
    try {
      this.#send(answer);
    } catch (error) {
      this.#sendFailure(error);
    }
  }

  fail(error: unknown): void {
    if (this.#answered) return;
    this.#answered = true;
    this.context.pending--;
    this.#sendFailure(error);
  }

  #send({ status, headers, body }: ApiAnswer): void {
    const stream = this.#stream;
    assertSendable(status, headers);
    const bytes = bodyBytes(body);
    const length = bytes?.length ?? 0;
    this.#client.streams.set(stream, readByTime(this.context, length));
    const fields = [":status", String(status), ...withContentLength(status, headers, length)];
    if (this.#reader?.problem !== undefined) {
      // Nobody reads the rest: the stream is ended with the answer (RFC 9113 §8.1).
      stream.once("finish", () => stream.close(constants.NGHTTP2_NO_ERROR));
    }
    if (bytes === undefined || this.method === "HEAD") {
      stream.respond(fields, noContent);
    } else {
      stream.respond(fields);
      stream.end(bytes);
    }
  }

  #sendFailure(error: unknown): void {
    const { context, remoteAddress } = this;
    const detail = error instanceof Error ? error.name : "unknown";
    context.onEvent({ kind: "api-failed", remoteAddress, status: 500, detail });
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    if (stream.headersSent) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else sendHttp2(context, this.#client, stream, this.method, context.refusals[500]);
  }
}
