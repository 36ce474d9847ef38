import type { IncomingMessage, ServerResponse } from "node:http";
import type { PlannedAnswer } from "../answer.ts";
import type { ApiAnswer, ApiHandler, ApiRequest } from "../api.ts";
import type { ApiTarget } from "../resolve.ts";
import { bodyBytes, withContentLength } from "./api-answer.ts";
import { BodyReader, declaredLength, discardBody } from "./body-reader.ts";
import type { BodyDone } from "./body-reader.ts";
import { clientOf } from "./client.ts";
import type { Client } from "./client.ts";
import { reportRefusal } from "./context.ts";
import type { EdgeContext } from "./context.ts";

const nothing = new Uint8Array(0);

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
    client.response = response;
    const { headers, rawHeaders, method = "" } = request;
    if (rawHeaders.length > maxLines) {
      sendHttp1(context, client, request, response, refusals[431]);
      return;
    }
    const resolution = context.resolve(
      method,
      request.url ?? "",
      hostCount(rawHeaders) === 1 ? headers.host : undefined,
      headers["accept-encoding"],
      headers["if-none-match"],
    );
    if (resolution.ready) sendHttp1(context, client, request, response, resolution);
    else if (api === undefined || context.pending >= limits.maxPendingRequests)
      sendHttp1(context, client, request, response, refusals[503]);
    else handOver(api, new Http1ApiRequest(context, client, request, response, resolution));
  };
}

/** Node keeps the first of several Host headers; which one was meant nobody can tell (RFC 9112 §3.2). */
function hostCount(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === 4 && (name === "Host" || name === "host" || name.toLowerCase() === "host")) count++;
  }
  return count;
}

/** Sends an answer that was put together at start. */
export function sendHttp1(
  context: EdgeContext,
  client: Client,
  request: IncomingMessage,
  response: ServerResponse,
  answer: PlannedAnswer,
): void {
  if (hasBody(request)) discardBody(context, request, () => client.socket.destroy());
  const lines = answer.lines as string[];
  response.writeHead(answer.status, context.closing ? [...lines, "connection", "close"] : lines);
  if (answer.body === undefined || request.method === "HEAD") response.end();
  else response.end(answer.body);
  if (answer.status >= 400) reportRefusal(context, answer, client.address);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
}

function handOver(api: ApiHandler, request: Http1ApiRequest): void {
  request.context.pending++;
  try {
    api.handle(request, (answer) => request.respond(answer));
  } catch (error) {
    request.fail(error);
  }
}

class Http1ApiRequest implements ApiRequest {
  readonly context: EdgeContext;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly remoteAddress: string;
  readonly connection: object;
  readonly #client: Client;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #reader: BodyReader | undefined;
  #answered = false;

  constructor(
    context: EdgeContext,
    client: Client,
    request: IncomingMessage,
    response: ServerResponse,
    target: ApiTarget,
  ) {
    this.context = context;
    this.method = request.method ?? "";
    this.path = target.path;
    this.query = target.query;
    this.remoteAddress = client.address;
    this.connection = client;
    this.#client = client;
    this.#request = request;
    this.#response = response;
  }

  get hasBody(): boolean {
    return hasBody(this.#request) && this.#request.headers["content-length"] !== "0";
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return typeof value === "object" ? value.join(", ") : value;
  }

  readBody(maxBytes: number, done: BodyDone): void {
    const request = this.#request;
    const declared = declaredLength(request.headers["content-length"]);
    if (declared === 0 || !hasBody(request)) {
      done(undefined, nothing);
      return;
    }
    if (declared === undefined || declared <= maxBytes) {
      // Only now that somebody wants the body is the client told to send it.
      if (request.headers.expect !== undefined) this.#response.writeContinue();
    }
    const cut = () => this.#client.socket.destroy();
    this.#reader = new BodyReader(this.context, request, {
      remoteAddress: this.remoteAddress,
      maxBytes,
      declared,
      done,
      cut,
    });
  }

  onAbort(listener: () => void): void {
    const response = this.#response;
    response.once("close", () => {
      if (!this.#answered) listener();
    });
  }

  respond(answer: ApiAnswer): void {
    if (this.#answered) return;
    this.#answered = true;
    this.context.pending--;
    const response = this.#response;
    if (response.destroyed || response.headersSent) return;
    if (this.#reader === undefined && hasBody(this.#request)) {
      discardBody(this.context, this.#request, () => this.#client.socket.destroy());
    }
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
    const response = this.#response;
    const bytes = bodyBytes(body);
    const lines = withContentLength(status, headers, bytes?.length ?? 0);
    if (this.context.closing || this.#reader?.problem === "timeout") lines.push("connection", "close");
    response.writeHead(status, lines);
    if (bytes === undefined || this.method === "HEAD") response.end();
    else response.end(bytes);
  }

  #sendFailure(error: unknown): void {
    const { context, remoteAddress } = this;
    const detail = error instanceof Error ? error.name : "unknown";
    context.onEvent({ kind: "api-failed", remoteAddress, status: 500, detail });
    const response = this.#response;
    if (response.destroyed) return;
    if (response.headersSent) this.#client.socket.destroy();
    else sendHttp1(context, this.#client, this.#request, response, context.refusals[500]);
  }
}
