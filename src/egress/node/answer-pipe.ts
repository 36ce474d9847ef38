import type { ServerResponse } from "node:http";
import { errors } from "undici";
import type { Dispatcher } from "undici";
import { answerHeaders } from "../answer/answer-headers.ts";
import type { Echoes, Redactor } from "../answer/redactor.ts";
import { Refused } from "../errors.ts";

type Controller = Dispatcher.DispatchController;
type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>[2];

/** Options of {@link AnswerPipe}. */
export interface AnswerPipeOptions {
  response: ServerResponse;
  /** What must not come back. */
  echoes: Echoes | undefined;
  maxBytes: number;
  /** Told once it is known what the service says. False: the answer is not passed on. */
  onStatus: (status: number) => boolean;
  /** Told once, at the end. Undefined: all of it was passed on, or was not to be. */
  onEnd: (fault: Refused | undefined) => void;
}

/** A service that talks on without answering. */
const mostInterim = 20;
/** What a longer answer says is not worth its connection, if nobody is to read it. */
const maxUnreadBytes = 16_384;
const bodiless = new Set([204, 205, 304]);

/** Passes one answer on, as fast as it is read: bounded, without echoes of what it must not hold. */
export class AnswerPipe implements Dispatcher.DispatchHandler {
  readonly #options: AnswerPipeOptions;
  readonly #redactor: Redactor | undefined;
  #controller: Controller | undefined;
  #fault: Refused | undefined;
  #interim = 0;
  #bytes = 0;
  #isPassedOn = false;
  #isOver = false;

  constructor(options: AnswerPipeOptions) {
    this.#options = options;
    this.#redactor = options.echoes?.openRedactor();
  }

  /** Ends it from outside. */
  abort(fault: Refused): void {
    if (this.#isOver) return;
    this.#fault = fault;
    if (this.#controller === undefined) this.#end(fault);
    else this.#controller.abort(fault);
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    // Nothing was written yet, and to abort it would cost the connection.
    if (this.#isOver) throw this.#fault ?? new Error("nobody waits for it");
  }

  onResponseStart(controller: Controller, status: number, headers: Headers): void {
    if (status < 200) {
      if (++this.#interim > mostInterim)
        controller.abort(new Refused("EGRESS_ANSWER_INVALID", "it does not come to its answer"));
      return;
    }
    const { response, echoes, maxBytes } = this.#options;
    this.#isPassedOn = this.#options.onStatus(status);
    if (!this.#isPassedOn) return;
    const fault = faultOf(status, headers, maxBytes);
    if (fault !== undefined) return controller.abort(fault);
    const lines = answerHeaders(headers, echoes);
    // What is taken out makes a body shorter than it was said to be.
    const length = this.#redactor === undefined ? headers["content-length"] : undefined;
    if (typeof length === "string" && !bodiless.has(status)) lines.push("content-length", length);
    response.sendDate = false;
    response.writeHead(status, lines);
    response.on("drain", () => controller.resume());
  }

  onResponseData(controller: Controller, chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    const { response, maxBytes } = this.#options;
    if (!this.#isPassedOn) {
      if (this.#bytes > maxUnreadBytes) controller.abort(new Error("nobody reads it"));
      return;
    }
    if (this.#bytes > maxBytes) return controller.abort(tooLarge);
    const clean = this.#redactor === undefined ? chunk : this.#redactor.push(chunk);
    if (clean.length > 0 && !response.write(clean)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.#isPassedOn) this.#options.response.end(this.#redactor?.end());
    this.#end(undefined);
  }

  onResponseError(_controller: Controller, error: Error): void {
    // What is not passed on has said what was to be known of it.
    const isUnread = !this.#isPassedOn && this.#bytes > 0;
    this.#end(isUnread ? undefined : (this.#fault ?? faultFrom(error)));
  }

  #end(fault: Refused | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onEnd(fault);
  }
}

const tooLarge = new Refused("EGRESS_ANSWER_TOO_LARGE", "its answer is larger than the contract permits");

function faultOf(status: number, headers: Headers, maxBytes: number): Refused | undefined {
  const { "content-encoding": encoding = "identity", "transfer-encoding": coding = "chunked" } = headers;
  if (status > 599) return new Refused("EGRESS_ANSWER_INVALID", "its answer has a status that there is not");
  // What can't be read can't be searched for echoes, and may unfold to any size.
  if (encoding !== "identity" || String(coding).toLowerCase() !== "chunked")
    return new Refused("EGRESS_ANSWER_INVALID", "its answer is compressed, which nobody asked for");
  if (bodiless.has(status)) return undefined;
  return Number(headers["content-length"]) > maxBytes ? tooLarge : undefined;
}

const timeouts = new Set(["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT", "UND_ERR_CONNECT_TIMEOUT"]);
const malformed = /^(?:UND_ERR_HEADERS_OVERFLOW|UND_ERR_RES_|UND_ERR_BAD_RESPONSE)/;

/** What Node and OpenSSL say of a chain or a name; `ERR_SSL_…` is what the other side says of us. */
const certificate =
  /^(?!ERR_SSL_).*CERT|CRL|^(?:INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY)$/;

/** Names what went wrong by its code alone: what a message says was partly said by the service. */
function faultFrom(error: Error): Refused {
  if (error instanceof Refused) return error;
  const { code = "" } = error as { code?: string };
  if (code === "UND_ERR_RES_EXCEEDED_MAX_SIZE") return tooLarge;
  if (timeouts.has(code)) return new Refused("EGRESS_SERVICE_TIMEOUT", code);
  if (certificate.test(code)) return new Refused("EGRESS_CERTIFICATE_REFUSED", code);
  // What undici takes for granted of an answer, a status below 100 for one.
  if (error instanceof errors.HTTPParserError || code === "ERR_ASSERTION")
    return new Refused("EGRESS_ANSWER_INVALID", "its answer is no well-formed HTTP");
  if (malformed.test(code)) return new Refused("EGRESS_ANSWER_INVALID", `its answer is malformed: ${code}`);
  return new Refused("EGRESS_SERVICE_UNAVAILABLE", code === "" ? "the connection broke" : code);
}
