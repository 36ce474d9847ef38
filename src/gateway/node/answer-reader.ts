import { errors } from "undici";
import type { Dispatcher } from "undici";
import type { ContractRoute } from "../../contract/index.ts";
import type { AnswerHeaders } from "../answers/response-headers.ts";
import type { ForwardedAnswer } from "../types.ts";
import { UpstreamBody } from "./upstream-body.ts";

type Controller = Dispatcher.DispatchController;

/** What {@link AnswerReader} needs to know of a request. */
export interface ReaderOptions {
  readonly route: ContractRoute;
  /** How long the whole answer may take. */
  readonly timeoutMs: number;
  /** The largest answer that is read. What comes in parts is bounded elsewhere. */
  readonly maxBytes: number;
}

const jsonType = /^application\/(?:[\w.-]+\+)?json$/;
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads one answer: whole, within a time and a size, or, if its route says so, in parts. */
export class AnswerReader implements Dispatcher.DispatchHandler {
  readonly #route: ContractRoute;
  readonly #maxBytes: number;
  readonly #done: (answer: ForwardedAnswer) => void;
  readonly #onOver: () => void;
  readonly #timer: NodeJS.Timeout;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;
  #controller: Controller | undefined;
  #status = 0;
  #headers: AnswerHeaders = {};
  #body: UpstreamBody | undefined;
  #settled = false;

  /**
   * @param done takes the answer
   * @param onOver called once, when the upstream has no part in this any more
   */
  constructor(
    { route, timeoutMs, maxBytes }: ReaderOptions,
    done: (answer: ForwardedAnswer) => void,
    onOver: () => void,
  ) {
    this.#route = route;
    this.#maxBytes = maxBytes;
    this.#done = done;
    this.#onOver = onOver;
    this.#timer = setTimeout(() => {
      this.#fail("GATEWAY_UPSTREAM_TIMEOUT", `no full answer within ${timeoutMs} ms`);
      this.#controller?.abort(new Error("timeout"));
    }, timeoutMs);
  }

  /** Whether nobody waits for an answer any more. */
  get isSettled(): boolean {
    return this.#settled;
  }

  /**
   * Who asked has gone. What may be done twice is cut; any other request is, once it was sent, let finish: cutting would not undo it, and
   * nobody would know whether it was done.
   */
  callOff(): void {
    if (this.#settled || (this.#controller !== undefined && !isRepeatable(this.#route))) return;
    this.#settle(calledOff);
    this.#controller?.abort(new Error("nobody waits for it"));
  }

  /** For a request that could not be sent. */
  giveUp(reason: string): void {
    this.#fail("GATEWAY_UPSTREAM_UNAVAILABLE", reason);
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    // Nothing was written yet, and to abort it would cost the connection.
    if (this.#settled) throw new Error("nobody waits for it");
  }

  onResponseStart(controller: Controller, status: number, headers: AnswerHeaders): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    const type = this.#streamType();
    if (type !== undefined) return this.#open(controller, type);
    // What is announced as too large need not be waited for.
    if (Number(headers["content-length"]) > this.#maxBytes)
      controller.abort(new errors.ResponseExceededMaxSizeError());
  }

  onResponseData(controller: Controller, chunk: Uint8Array): void {
    if (this.#body !== undefined) return this.#body.push(chunk);
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes) return controller.abort(new errors.ResponseExceededMaxSizeError());
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (this.#body === undefined) this.#settle(this.#read());
    else this.#body.end();
  }

  onResponseError(_controller: Controller, error: Error): void {
    if (this.#body !== undefined) return this.#body.fail();
    const { code } = error as { code?: string };
    if (code === "UND_ERR_RES_EXCEEDED_MAX_SIZE")
      return this.#fail("GATEWAY_ANSWER_INVALID", "the answer is too large");
    if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT")
      return this.#fail("GATEWAY_UPSTREAM_TIMEOUT", code);
    // Once anything came, what broke is the answer, not the way to it.
    const answered =
      this.#status !== 0 ||
      error instanceof errors.HTTPParserError ||
      code === "UND_ERR_HEADERS_OVERFLOW" ||
      code?.startsWith("UND_ERR_RES_");
    this.#fail(
      answered ? "GATEWAY_ANSWER_INVALID" : "GATEWAY_UPSTREAM_UNAVAILABLE",
      code ?? "the connection broke",
    );
  }

  /** The type of an answer that comes in parts as its route declares it. */
  #streamType(): string | undefined {
    const { stream } = this.#route;
    if (stream === undefined || this.#status !== 200 || isEncoded(this.#headers)) return undefined;
    const type = typeOf(this.#headers);
    const types = stream.kind === "events" ? eventTypes : stream.types;
    return type !== undefined && types.includes(type) ? type : undefined;
  }

  #open(controller: Controller, type: string): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    const body = new UpstreamBody(controller, this.#onOver);
    this.#body = body;
    const length = this.#headers["content-length"];
    this.#done({
      kind: "stream",
      type,
      length: typeof length === "string" ? Number(length) : undefined,
      headers: this.#headers,
      stream: body,
    });
  }

  #read(): ForwardedAnswer {
    const status = this.#status;
    const headers = this.#headers;
    const bytes = this.#chunks.length === 1 ? (this.#chunks[0] as Uint8Array) : Buffer.concat(this.#chunks);
    const silent: ForwardedAnswer = { kind: "answer", status, value: undefined, headers };
    if (bytes.length === 0) return silent;
    if (status <= 299 || this.#route.errors.has(status)) return this.#readJson(bytes);
    // What an error says is not passed on unless the contract says what it is, or looks at what there is, so it need not be read.
    if (this.#route.observe === undefined || status < 400 || status > 499) return silent;
    const read = this.#readJson(bytes);
    return read.kind === "answer" ? read : silent;
  }

  #readJson(bytes: Uint8Array): ForwardedAnswer {
    const status = this.#status;
    const headers = this.#headers;
    if (isEncoded(headers)) return invalid("the answer is compressed, which nobody asked for");
    const type = typeOf(headers);
    if (type === undefined || !jsonType.test(type)) return invalid("the answer is not JSON");
    try {
      const text = decoder.decode(bytes);
      return { kind: "answer", status, value: JSON.parse(text), text, headers };
    } catch {
      return invalid("the answer is malformed JSON");
    }
  }

  #fail(code: Extract<ForwardedAnswer, { kind: "failed" }>["code"], reason: string): void {
    this.#settle({ kind: "failed", code, reason });
  }

  #settle(answer: ForwardedAnswer): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#onOver();
    this.#done(answer);
  }
}

/** Whether it may be done twice (RFC 9110 §9.2.2). What the contract does not say may not, but for reading. */
export const isRepeatable = ({ method, idempotent }: ContractRoute): boolean =>
  method === "GET" || idempotent === true;

const calledOff: ForwardedAnswer = {
  kind: "failed",
  code: "GATEWAY_UPSTREAM_UNAVAILABLE",
  reason: "who asked has gone",
  isCancelled: true,
};

const eventTypes: readonly string[] = ["text/event-stream"];

const invalid = (reason: string): ForwardedAnswer => ({
  kind: "failed",
  code: "GATEWAY_ANSWER_INVALID",
  reason,
});

/** Media type, lower-case, without parameters. */
function typeOf(headers: AnswerHeaders): string | undefined {
  const type = headers["content-type"];
  return typeof type === "string" ? type.split(";", 1)[0]?.trim().toLowerCase() : undefined;
}

function isEncoded(headers: AnswerHeaders): boolean {
  const encoding = headers["content-encoding"];
  return encoding !== undefined && encoding !== "identity";
}
