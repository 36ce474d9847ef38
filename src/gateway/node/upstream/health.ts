import type { Dispatcher } from "undici";
import type { AssertionSigner } from "../../assertion.ts";
import { assertionHeader } from "../../assertion.ts";
import type { Schedule } from "../../limits/pace.ts";
import type { Backend } from "./backend.ts";
import type { Backends } from "./backends.ts";

/** Options of {@link watchHealth}. */
export interface HealthOptions {
  backends: Backends;
  /** What is asked for, on each address. */
  path: string;
  everyMs: number;
  assertions: AssertionSigner;
  schedule: Schedule;
  /** Told of each answer; `reason` is empty when all is well. */
  onHealth: (backend: Backend, reason: string) => void;
}

/**
 * Asks each address how it is: at once, and then again and again. Well is a 2xx within the time between two questions, 2 s at
 * most; over a connection of its own, so that requests that are slow don't make an address look ill.
 *
 * @returns what ends it
 */
export function watchHealth(options: HealthOptions): () => void {
  const { backends, path, everyMs, assertions, schedule, onHealth } = options;
  const timeoutMs = Math.min(everyMs, 2000);
  let isOver = false;
  let callOff = (): void => undefined;

  async function ask(backend: Backend): Promise<void> {
    const assertion = await assertions.sign({
      caller: undefined,
      method: "GET",
      path,
      id: crypto.randomUUID(),
    });
    const headers = ["accept", "*/*", assertionHeader, assertion];
    const reason = await probe(backend, { method: "GET", path, headers }, timeoutMs);
    if (!isOver) onHealth(backend, reason);
  }

  async function round(): Promise<void> {
    if (backends.current().length === 0) await backends.load();
    await Promise.all(backends.current().map(ask));
  }

  function repeat(): void {
    const next = (): void => {
      // Threads and hosts that started together must not ask together for ever.
      if (!isOver) callOff = schedule(everyMs * (0.9 + Math.random() * 0.2), repeat);
    };
    round().then(next, next);
  }

  repeat();
  return () => {
    isOver = true;
    callOff();
  };
}

/** Asks once. Returns why it is not well; empty if it is. */
function probe(
  backend: Backend,
  request: Pick<Dispatcher.DispatchOptions, "method" | "path" | "headers">,
  timeoutMs: number,
): Promise<string> {
  return new Promise((resolve) => {
    let controller: Dispatcher.DispatchController | undefined;
    const end = (reason: string): void => {
      clearTimeout(timer);
      resolve(reason);
    };
    const timer = setTimeout(() => {
      end("its health check takes too long");
      controller?.abort(new Error("timeout"));
    }, timeoutMs);
    backend.healthPool().dispatch(request, {
      onRequestStart: (given) => {
        controller = given;
      },
      onResponseStart(given, status) {
        if (status < 200) return;
        end(status <= 299 ? "" : `its health check answers ${status}`);
        // What it says does not matter, and may have no end.
        given.abort(new Error("nobody reads it"));
      },
      onResponseData: () => undefined,
      onResponseEnd: () => undefined,
      onResponseError: (_, error) =>
        end(`its health check fails: ${(error as { code?: string }).code ?? "broken"}`),
    });
  });
}
