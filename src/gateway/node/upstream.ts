import { Pool, errors } from "undici";
import type { Dispatcher } from "undici";
import type { ContractUpstream } from "../../contract/index.ts";
import type { AssertionSigner } from "../assertion.ts";
import { assertionHeader } from "../assertion.ts";
import type { Destination, ForwardedAnswer, ForwardedRequest } from "../types.ts";

/** Options of {@link createUpstream}. */
export interface UpstreamPoolOptions {
  upstream: ContractUpstream;
  /** PEM of the authority that signed its certificate. Default: the system's. */
  ca?: string | undefined;
  /** Proves to the upstream that a request passed the gateway, and for whom. */
  assertions: AssertionSigner;
  /** Connections kept. Default 64. */
  connections?: number;
  /** Requests under way at once, those that wait for a connection included; more are refused. Default 1 024. */
  maxRequests?: number;
}

/** Connections to one upstream. */
export interface UpstreamPool {
  readonly send: Destination;
  close(): Promise<void>;
}

const formType = "application/x-www-form-urlencoded";
const jsonType = /^application\/(?:[\w.-]+\+)?json(?:\s*;|$)/i;
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Sends checked requests to an upstream over a pool of connections. It gets the rebuilt target, the checked body written
 * anew and a signed assertion: none of the client's own headers. Its answer is read whole, within a time and a size.
 */
export function createUpstream({
  upstream,
  ca,
  assertions,
  connections = 64,
  maxRequests = 1024,
}: UpstreamPoolOptions): UpstreamPool {
  const pool = new Pool(upstream.url.origin, {
    connections,
    pipelining: 1,
    connect: { minVersion: "TLSv1.3", timeout: upstream.timeoutMs, ...(ca === undefined ? {} : { ca }) },
    allowH2: false,
    maxResponseSize: upstream.maxResponseBytes,
  });
  const prefix = upstream.url.pathname.replace(/\/$/, "");
  let underWay = 0;

  async function dispatch(request: ForwardedRequest, done: (answer: ForwardedAnswer) => void): Promise<void> {
    const path = prefix + request.target;
    const { method } = request.route;
    const assertion = await assertions.sign({ caller: request.caller, method, path, id: request.id });
    const isForm = request.route.bodyType === "form";
    const body =
      request.body === undefined ? null : isForm ? String(request.body) : JSON.stringify(request.body);
    const headers = ["accept", "application/json", "request-id", request.id, assertionHeader, assertion];
    if (body !== null) headers.push("content-type", isForm ? formType : "application/json");
    if (request.headers !== undefined) headers.push(...request.headers);
    pool.dispatch(
      { method, path, headers, body },
      new AnswerReader({ timeoutMs: request.route.timeoutMs, maxBytes: upstream.maxResponseBytes }, done),
    );
  }

  return {
    send(request, done) {
      // A slow upstream must not gather its callers' bodies here without end.
      if (underWay >= maxRequests) return done(unavailable("too many requests wait for it"));
      underWay++;
      let settled = false;
      const settle = (answer: ForwardedAnswer): void => {
        if (settled) return;
        settled = true;
        underWay--;
        done(answer);
      };
      dispatch(request, settle).catch(() => settle(unavailable("the request could not be sent")));
    },
    close: () => pool.destroy(),
  };
}

const unavailable = (reason: string): ForwardedAnswer => ({
  kind: "failed",
  code: "GATEWAY_UPSTREAM_UNAVAILABLE",
  reason,
});

/** Collects one answer. */
class AnswerReader implements Dispatcher.DispatchHandler {
  readonly #done: (answer: ForwardedAnswer) => void;
  readonly #maxBytes: number;
  readonly #timer: NodeJS.Timeout;
  readonly #chunks: Uint8Array[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #type: string | undefined;
  #settled = false;

  constructor(
    { timeoutMs, maxBytes }: { timeoutMs: number; maxBytes: number },
    done: (answer: ForwardedAnswer) => void,
  ) {
    this.#done = done;
    this.#maxBytes = maxBytes;
    this.#timer = setTimeout(() => {
      this.#settle({
        kind: "failed",
        code: "GATEWAY_UPSTREAM_TIMEOUT",
        reason: `no full answer within ${timeoutMs} ms`,
      });
      this.#controller?.abort(new Error("timeout"));
    }, timeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#settled) controller.abort(new Error("timeout"));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    this.#status = status;
    const type = headers["content-type"];
    this.#type = typeof type === "string" ? type : undefined;
    // What is announced as too large need not be waited for.
    if (Number(headers["content-length"]) > this.#maxBytes)
      controller.abort(new errors.ResponseExceededMaxSizeError());
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#settle(this.#read());
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const { code } = error as { code?: string };
    if (code === "UND_ERR_RES_EXCEEDED_MAX_SIZE")
      return this.#settle({
        kind: "failed",
        code: "GATEWAY_ANSWER_INVALID",
        reason: "the answer is too large",
      });
    if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT")
      return this.#settle({ kind: "failed", code: "GATEWAY_UPSTREAM_TIMEOUT", reason: code });
    // Once anything came, what broke is the answer, not the way to it.
    const answered =
      this.#status !== 0 || error instanceof errors.HTTPParserError || code?.startsWith("UND_ERR_RES_");
    this.#settle({
      kind: "failed",
      code: answered ? "GATEWAY_ANSWER_INVALID" : "GATEWAY_UPSTREAM_UNAVAILABLE",
      reason: code ?? "the connection broke",
    });
  }

  #read(): ForwardedAnswer {
    const status = this.#status;
    const bytes = this.#chunks.length === 1 ? (this.#chunks[0] as Uint8Array) : Buffer.concat(this.#chunks);
    // What an error says is never passed on, so it need not be read.
    if (bytes.length === 0 || status > 299) return { kind: "answer", status, value: undefined };
    if (this.#type === undefined || !jsonType.test(this.#type))
      return { kind: "failed", code: "GATEWAY_ANSWER_INVALID", reason: "the answer is not JSON" };
    try {
      return { kind: "answer", status, value: JSON.parse(decoder.decode(bytes)) };
    } catch {
      return { kind: "failed", code: "GATEWAY_ANSWER_INVALID", reason: "the answer is malformed JSON" };
    }
  }

  #settle(answer: ForwardedAnswer): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#done(answer);
  }
}
