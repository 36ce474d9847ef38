import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { PlannedAnswer, RefusalStatus } from "../answer.ts";
import type { AnswerStream, ApiAnswer } from "../api.ts";
import { answerRange } from "../range.ts";
import type { ApiTarget } from "../resolve.ts";
import { bodyLength } from "./api-answer.ts";
import { ApiExchange, handOver } from "./api-exchange.ts";
import { discardBody } from "./body-reader.ts";
import { clientOf, readByTime } from "./client.ts";
import type { Client } from "./client.ts";
import { reportRefusal } from "./context.ts";
import type { EdgeContext } from "./context.ts";
import { isInTurn, waitForTurn } from "./in-turn.ts";
import { endInParts, smallBytes } from "./paced-body.ts";
import { repeatsSoleLine } from "./sole-lines.ts";
import { sendStream } from "./stream-body.ts";
import { whoseRequest } from "./whose-request.ts";

/** Creates what answers requests of HTTP/1.1. */
export function createHttp1Listener(
  context: EdgeContext,
): (request: IncomingMessage, response: ServerResponse) => void {
  const { limits, refusals, api } = context;
  const maxLines = limits.maxHeaders * 2;

  return (request, response) => {
    const client = clientOf(request.socket);
    if (client === undefined) {
      request.socket.destroy();
      return;
    }
    const before = client.response;
    client.response = response;
    const { headers, rawHeaders, method = "" } = request;
    // We upgrade to nothing, and Node drops what follows such a request: it must not be waited for on this connection.
    if (headers.upgrade !== undefined) response.shouldKeepAlive = false;
    if (!isPlainlyFramed(request)) {
      refuseHttp1(context, client, request, response, 400);
      return;
    }
    if (rawHeaders.length > maxLines) {
      sendHttp1(context, client, request, response, refusals[431]);
      return;
    }
    const resolution = context.resolve(
      method,
      request.url ?? "",
      repeatsSoleLine(rawHeaders) ? undefined : headers.host,
      headers["accept-encoding"],
      headers["if-none-match"],
    );
    const { range } = headers;
    if (resolution.ready && range !== undefined && method === "GET")
      sendHttp1(context, client, request, response, answerRange(resolution, range, headers["if-range"]));
    else if (resolution.ready) sendHttp1(context, client, request, response, resolution);
    else if (api === undefined || context.pending >= limits.maxPendingRequests)
      sendHttp1(context, client, request, response, refusals[503]);
    else {
      const address = whoseRequest(context, client, headers);
      if (address !== undefined) {
        const exchange = new Http1Exchange(context, client, address, request, response, resolution);
        if (isInTurn(before, response)) handOver(api, exchange);
        else if (!waitForTurn(client, before, response, () => handOver(api, exchange)))
          sendHttp1(context, client, request, response, refusals[503]);
      } else sendHttp1(context, client, request, response, refusals[400]);
    }
  };
}

/**
 * Whether every server agrees on where this request ends. Node's parser also takes `gzip, chunked` or `identity, chunked`, and a version 2.0 in
 * words, and chunks under 1.0, which has none; what stands behind a coding that we don't undo, or after such a request, another server may see
 * otherwise (RFC 9112 §6.1).
 */
function isPlainlyFramed({ headers, httpVersionMajor, httpVersionMinor }: IncomingMessage): boolean {
  const coding = headers["transfer-encoding"];
  if (httpVersionMajor !== 1) return false;
  return coding === undefined || (httpVersionMinor === 1 && coding.toLowerCase() === "chunked");
}

/** Refuses a request, and ends the connection where another server may see the request's end elsewhere. */
export function refuseHttp1(
  context: EdgeContext,
  client: Client,
  request: IncomingMessage,
  response: ServerResponse,
  status: RefusalStatus,
): void {
  if (!isPlainlyFramed(request)) response.shouldKeepAlive = false;
  sendHttp1(context, client, request, response, context.refusals[status]);
}

/** Sends an answer that was put together at start. */
function sendHttp1(
  context: EdgeContext,
  client: Client,
  request: IncomingMessage,
  response: ServerResponse,
  answer: PlannedAnswer,
): void {
  if (hasBody(request)) discardBody(context, request, () => client.socket.destroy());
  if (context.closing) response.shouldKeepAlive = false;
  context.heads.write(response, answer);
  if (answer.body === undefined || request.method === "HEAD") response.end();
  else if (answer.body.length <= smallBytes) response.end(answer.body);
  else {
    client.unsent += answer.body.length;
    endInParts(response, answer.body, (bytes) => (client.unsent -= bytes));
  }
  if (answer.status >= 400) reportRefusal(context, answer, client, request.headers);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
}

class Http1Exchange extends ApiExchange {
  readonly #request: IncomingMessage;
  /** Node puts them together when it is asked for them. */
  readonly #headers: IncomingHttpHeaders;
  readonly #response: ServerResponse;

  constructor(
    context: EdgeContext,
    client: Client,
    address: string,
    request: IncomingMessage,
    response: ServerResponse,
    target: ApiTarget,
  ) {
    super(context, client, address, request.method ?? "", target);
    this.#request = request;
    this.#headers = request.headers;
    this.#response = response;
  }

  get hasBody(): boolean {
    const headers = this.#headers;
    const length = headers["content-length"];
    return length === undefined ? headers["transfer-encoding"] !== undefined : length !== "0";
  }

  header(name: string): string | undefined {
    const value = this.#headers[name];
    return typeof value === "object" ? value.join(", ") : value;
  }

  protected get source(): IncomingMessage {
    return this.#request;
  }

  protected askForBody(): void {
    this.#response.writeContinue();
  }

  protected cut(): void {
    this.client.socket.destroy();
  }

  protected onClosed(listener: () => void): void {
    if (this.client.socket.destroyed) listener();
    else this.#response.once("close", listener);
  }

  protected send(answer: ApiAnswer): void {
    const { body, stream } = answer;
    const response = this.#response;
    if (response.destroyed || response.headersSent) return stream?.cancel();
    if (this.reader === undefined && hasBody(this.#request))
      discardBody(this.context, this.#request, () => this.cut());
    if (this.context.closing || this.reader?.problem === "timeout") response.shouldKeepAlive = false;
    if (stream !== undefined) return this.#sendStream(answer, stream);
    const length = bodyLength(body);
    this.context.heads.write(response, answer, length);
    if (body === undefined || this.method === "HEAD") response.end();
    else if (typeof body !== "string") response.end(body);
    else if (length === body.length) response.end(body, "latin1");
    // Headers are Latin-1: in one text with this body they would be written as UTF-8.
    else response.end(Buffer.from(body));
  }

  #sendStream(answer: ApiAnswer, stream: AnswerStream): void {
    const { client, context } = this;
    const response = this.#response;
    const { status, headers, ownHeaders = [] } = answer;
    // Of HTTP/1.0 nobody could tell a body of unknown length that was cut from a whole one.
    if (this.#request.httpVersionMinor === 0 && !ownHeaders.includes("content-length")) {
      stream.cancel();
      sendHttp1(context, client, this.#request, response, context.refusals[400]);
      return;
    }
    // By Node itself, which adds what tells where a body of unknown length ends.
    response.writeHead(status, [...headers, ...ownHeaders]);
    if (this.method === "HEAD") {
      stream.cancel();
      response.end();
      return;
    }
    // What comes later is no reason to keep the head.
    response.flushHeaders();
    sendStream(response, stream, {
      onWaiting: () => (client.readBy ??= readByTime(context, response.writableLength)),
      onRead: () => (client.readBy = undefined),
      cut: () => this.cut(),
    });
  }

  protected sendFailure(): void {
    const response = this.#response;
    if (response.destroyed) return;
    if (response.headersSent) this.cut();
    else sendHttp1(this.context, this.client, this.#request, response, this.context.refusals[500]);
  }
}
