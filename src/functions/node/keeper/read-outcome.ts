import type { Dispatcher } from "undici";
import { printable } from "../../../shared/index.ts";
import { failureHeader, isAnswerStatus } from "../../call.ts";
import type { CallFailure, CallOutcome } from "./types.ts";

type Controller = Dispatcher.DispatchController;
type Headers = Record<string, string | string[] | undefined>;

/** Of one connection, or written by whoever sends the answer on. Names of ours are never taken from a function. */
const withheld = new Set([
  "connection",
  "content-length",
  "date",
  "keep-alive",
  "proxy-authenticate",
  "server",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
const ownPrefix = "x-curtainwall-";
/** What is read of the word on an error: more than the wrapper tells. */
const maxFailureBytes = 262_144;

/** Reads what a group answers to one call: whole, and no more than the function may say. */
export class OutcomeReader implements Dispatcher.DispatchHandler {
  readonly #maxBytes: number;
  readonly #done: (outcome: CallOutcome) => void;
  readonly #chunks: Uint8Array[] = [];
  #controller: Controller | undefined;
  #size = 0;
  #status = 0;
  #headers: Headers = {};
  #settled = false;

  constructor(maxBytes: number, done: (outcome: CallOutcome) => void) {
    this.#maxBytes = maxBytes;
    this.#done = done;
  }

  /** Nobody waits for an answer any more, or not for this one. */
  giveUp(code: CallFailure, reason: string): void {
    this.#fail(code, reason);
    this.#controller?.abort(new Error(reason));
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#settled) throw new Error("nobody waits for it");
  }

  onResponseStart(controller: Controller, status: number, headers: Headers): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    if (Number(headers["content-length"]) > this.#limit()) this.#refuseSize(controller);
  }

  onResponseData(controller: Controller, chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#size > this.#limit()) return this.#refuseSize(controller);
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const [first] = this.#chunks;
    const body = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
    if (failureHeader in this.#headers) return this.#fail("FUNCTIONS_THREW", thrownIn(body));
    // All that functions throw is marked: this is the engine's word on a call that nothing can bring on any more.
    if (this.#status === 500) return this.#fail("FUNCTIONS_HUNG", "it waits for something that never comes");
    if (!isAnswerStatus(this.#status))
      return this.#fail("FUNCTIONS_ANSWER_INVALID", `it answered with ${this.#status}`);
    this.#settle({ kind: "answered", status: this.#status, headers: passedOn(this.#headers), body });
  }

  onResponseError(_controller: Controller, error: Error): void {
    const reason = (error as { code?: string }).code ?? "the connection broke";
    this.#settle({ kind: "failed", code: "FUNCTIONS_ENDED", reason, isBroken: true });
  }

  #limit(): number {
    return failureHeader in this.#headers ? maxFailureBytes : this.#maxBytes;
  }

  #refuseSize(controller: Controller): void {
    this.#fail("FUNCTIONS_ANSWER_TOO_LARGE", `it answered with more than ${this.#limit()} bytes`);
    controller.abort(new Error("too large"));
  }

  #fail(code: CallFailure, reason: string): void {
    this.#settle({ kind: "failed", code, reason });
  }

  #settle(outcome: CallOutcome): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#done(outcome);
  }
}

function passedOn(headers: Headers): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    value === undefined || withheld.has(name) || name.startsWith(ownPrefix)
      ? []
      : [value].flat().flatMap((one) => [name, one]),
  );
}

const maxStack = 4000;

/** The stack of what was thrown, or what there is instead: a hostile text, which may say anything. */
function thrownIn(body: Uint8Array): string {
  try {
    const { stack, message } = JSON.parse(new TextDecoder().decode(body)) as Record<string, unknown>;
    const told = typeof stack === "string" && stack !== "" ? stack : String(message);
    return told
      .slice(0, maxStack)
      .split("\n", 40)
      .map((line) => printable(line, 300))
      .join("\n");
  } catch {
    return "it threw, and did not say what";
  }
}
