import type { Dispatcher } from "undici";
import type { AnswerReader } from "../answer-reader.ts";
import type { Verdict } from "./breaker.ts";

type Controller = Dispatcher.DispatchController;
type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>[2];

/** How an attempt ended. */
export interface AttemptEnd {
  readonly verdict: Verdict;
  /** What went wrong, if something did. */
  readonly reason: string;
}

/** Options of {@link Attempt}. */
export interface AttemptOptions {
  /** Takes what comes. */
  reader: AnswerReader;
  /** Called once. */
  onEnd: (end: AttemptEnd) => void;
  /** Could not connect, and somebody still waits: nothing was sent, so it may go elsewhere. */
  onUnsent: () => void;
  /** Asked when it was sent and failed: true if it is sent again. The reader is then told nothing of this attempt. */
  resend: (status: number | undefined) => boolean;
  /** Whether an answer is of whoever sends requests on, and why there is none of the upstream's. Default: none is. */
  readRefusal?: ((headers: Headers) => string | undefined) | undefined;
}

/** What is wrong with an address that answers so is not the request. */
const failing: ReadonlySet<number> = new Set([502, 503, 504]);

/** Say that we gave up, or never began: nothing of the address. */
const ownErrors: ReadonlySet<string | undefined> = new Set([
  "UND_ERR_ABORTED",
  "UND_ERR_CLOSED",
  "UND_ERR_DESTROYED",
  "UND_ERR_INVALID_ARG",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

/** What a longer answer says is not worth its connection, if nobody is to read it. */
const maxUnreadBytes = 16_384;

/** One request to one address: hands on what comes to the reader of the answer, and tells how it went. */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly #options: AttemptOptions;
  readonly #reader: AnswerReader;
  #isSent = false;
  #isResent = false;
  #unreadBytes = 0;
  #verdict: Verdict = "unknown";
  #reason = "";

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.#reader = options.reader;
  }

  onRequestStart(controller: Controller): void {
    this.#isSent = true;
    this.#reader.onRequestStart(controller);
  }

  onResponseStart(controller: Controller, status: number, headers: Headers): void {
    if (status < 200) return;
    this.#verdict = failing.has(status) ? "badly" : "well";
    if (this.#verdict === "badly") {
      this.#reason = `it answers ${status}`;
      this.#isResent = !this.#reader.isSettled && this.#options.resend(status);
    }
    if (this.#isResent) return;
    const refusal = this.#options.readRefusal?.(headers);
    if (refusal === undefined) this.#reader.onResponseStart(controller, status, headers);
    else this.#reader.giveUp(refusal);
  }

  onResponseData(controller: Controller, chunk: Uint8Array): void {
    if (!this.#isResent) return this.#reader.onResponseData(controller, chunk);
    this.#unreadBytes += chunk.length;
    if (this.#unreadBytes > maxUnreadBytes) controller.abort(new Error("nobody reads it"));
  }

  onResponseEnd(): void {
    this.#end();
    if (!this.#isResent) this.#reader.onResponseEnd();
  }

  onResponseError(controller: Controller, error: Error): void {
    if (this.#isResent) return this.#end();
    const isFirstWord = this.#verdict === "unknown";
    if (isFirstWord) this.#judge((error as { code?: string }).code);
    const verdict = this.#verdict;
    // Before anything else is sent, so that the next address is chosen in the light of it.
    this.#end();
    // What came in parts broke off: whoever reads it must not wait for more.
    if (this.#reader.isSettled) return this.#reader.onResponseError(controller, error);
    if (verdict === "unreachable") this.#options.onUnsent();
    else if (!(isFirstWord && verdict === "badly" && this.#options.resend(undefined)))
      this.#reader.onResponseError(controller, error);
  }

  #judge(code: string | undefined): void {
    if (ownErrors.has(code) || (this.#isSent && this.#reader.isSettled)) return;
    this.#verdict = this.#isSent ? "badly" : "unreachable";
    this.#reason = code ?? "the connection broke";
  }

  #end(): void {
    this.#options.onEnd({ verdict: this.#verdict, reason: this.#reason });
  }
}
