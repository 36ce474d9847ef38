import { constants } from "node:http2";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { PlannedAnswer } from "../answer.ts";
import type { AnswerStream, ApiAnswer } from "../api.ts";
import { answerRange } from "../range.ts";
import type { ApiTarget } from "../resolve.ts";
import { assertSendable, bodyLength, withContentLength } from "./api-answer.ts";
import { ApiExchange, handOver } from "./api-exchange.ts";
import { clientOf, readByTime, trackStream, untrackStream } from "./client.ts";
import type { Client } from "./client.ts";
import { reportRefusal } from "./context.ts";
import type { EdgeContext } from "./context.ts";
import { endInParts, smallBytes } from "./paced-body.ts";
import { repeatsSoleLine } from "./sole-lines.ts";
import { sendStream } from "./stream-body.ts";
import { whoseRequest } from "./whose-request.ts";

const noContent = { endStream: true };

/** Creates what answers requests of HTTP/2. */
export function createHttp2Listener(
  context: EdgeContext,
  clientOfSession: (stream: ServerHttp2Stream) => Client | undefined,
): (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, rawHeaders: string[]) => void {
  const { limits, refusals, api } = context;

  function onClose(this: ServerHttp2Stream): void {
    const client = clientOf(this);
    if (client !== undefined) untrackStream(context, client, this);
  }

  return (stream, headers, _flags, rawHeaders) => {
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
      repeatsSoleLine(rawHeaders) ? undefined : soleAuthority(headers),
      headers["accept-encoding"],
      headers["if-none-match"],
    );
    const { range } = headers;
    if (resolution.ready && range !== undefined && method === "GET")
      sendHttp2(context, client, stream, headers, answerRange(resolution, range, headers["if-range"]));
    else if (resolution.ready) sendHttp2(context, client, stream, headers, resolution);
    else if (api === undefined || context.pending >= limits.maxPendingRequests)
      sendHttp2(context, client, stream, headers, refusals[503]);
    else {
      const address = whoseRequest(context, client, headers);
      if (address !== undefined)
        handOver(api, new Http2Exchange(context, client, address, stream, headers, resolution));
      else sendHttp2(context, client, stream, headers, refusals[400]);
    }
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
  headers: IncomingHttpHeaders,
  answer: PlannedAnswer,
): void {
  const { body } = answer;
  if (stream.closed) return;
  client.streams.set(stream, readByTime(context, body === undefined ? 0 : body.length));
  if (body === undefined || headers[":method"] === "HEAD") {
    stream.respond(answer.fields, noContent);
  } else {
    stream.respond(answer.fields);
    if (body.length <= smallBytes) stream.end(body);
    else endInParts(stream, body);
  }
  if (answer.status >= 400) reportRefusal(context, answer, client, headers);
}

class Http2Exchange extends ApiExchange {
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;

  constructor(
    context: EdgeContext,
    client: Client,
    address: string,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    target: ApiTarget,
  ) {
    super(context, client, address, headers[":method"] ?? "", target);
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

  protected get source(): ServerHttp2Stream {
    return this.#stream;
  }

  protected askForBody(): void {
    this.#stream.additionalHeaders({ ":status": 100 });
  }

  protected cut(): void {
    this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }

  protected onClosed(listener: () => void): void {
    const stream = this.#stream;
    if (stream.closed || stream.destroyed) listener();
    else stream.once("close", listener);
  }

  protected send({ status, headers: fixed, ownHeaders, body, stream: parts }: ApiAnswer): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed || stream.headersSent) return parts?.cancel();
    const headers = ownHeaders === undefined ? fixed : [...fixed, ...ownHeaders];
    assertSendable(status, headers);
    if (parts !== undefined) return this.#sendStream(status, headers, parts);
    const length = bodyLength(body);
    this.client.streams.set(stream, readByTime(this.context, length));
    // Nobody reads the rest of a body that was refused: the stream is ended with the answer (RFC 9113 §8.1).
    if (this.reader?.problem !== undefined) stream.once("finish", () => this.cut());
    const fields = [":status", String(status), ...withContentLength(status, headers, length)];
    if (body === undefined || this.method === "HEAD") {
      stream.respond(fields, noContent);
    } else {
      stream.respond(fields);
      stream.end(body);
    }
  }

  #sendStream(status: number, headers: readonly string[], parts: AnswerStream): void {
    const { client, context } = this;
    const stream = this.#stream;
    const fields = [":status", String(status), ...headers];
    if (this.method === "HEAD") {
      parts.cancel();
      stream.respond(fields, noContent);
      return;
    }
    stream.respond(fields);
    const readBy = (time: number): void => {
      if (client.streams.has(stream)) client.streams.set(stream, time);
    };
    sendStream(stream, parts, {
      onWaiting: (bytes) => readBy(readByTime(context, bytes)),
      onRead: () => readBy(Number.POSITIVE_INFINITY),
      // Closing would first send what waits, and say that this was the end of it.
      cut: () => stream.destroy(new Error("the answer is cut")),
    });
  }

  protected sendFailure(): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    if (stream.headersSent) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else sendHttp2(this.context, this.client, stream, this.#headers, this.context.refusals[500]);
  }
}
