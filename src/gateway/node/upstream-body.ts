import type { Dispatcher } from "undici";
import type { BodySink, BodyStream } from "../types.ts";

type Controller = Dispatcher.DispatchController;

/** An upstream's body on its way: what arrives is handed on at once, and no more is read than is wanted. */
export class UpstreamBody implements BodyStream {
  readonly #controller: Controller;
  readonly #onOver: () => void;
  #sink: BodySink | undefined;
  #isOver = false;
  /** All of it came, before anybody wanted it. */
  #isEmpty = false;

  /** @param onOver called once, when nothing more comes or is wanted */
  constructor(controller: Controller, onOver: () => void) {
    this.#controller = controller;
    this.#onOver = onOver;
    controller.pause();
  }

  start(sink: BodySink): void {
    if (this.#isOver) return this.#isEmpty ? sink.end() : sink.fail();
    this.#sink = sink;
    this.#controller.resume();
  }

  resume(): void {
    if (!this.#isOver) this.#controller.resume();
  }

  cancel(): void {
    if (!this.#finish()) return;
    this.#sink = undefined;
    this.#controller.abort(new Error("nobody reads it"));
  }

  push(chunk: Uint8Array): void {
    // What nobody takes would be missing later on.
    if (this.#sink === undefined) this.cancel();
    else if (!this.#sink.write(chunk)) this.#controller.pause();
  }

  end(): void {
    if (!this.#finish()) return;
    this.#isEmpty = this.#sink === undefined;
    this.#sink?.end();
  }

  fail(): void {
    if (this.#finish()) this.#sink?.fail();
  }

  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#onOver();
    return true;
  }
}
