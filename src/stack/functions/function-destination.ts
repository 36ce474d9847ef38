import { Pool } from "undici";
import type { Dispatcher } from "undici";
import type { Contract, ContractFunction } from "../../contract/index.ts";
import { callPath, failureHeader } from "../../functions/index.ts";
import { AnswerReader } from "../../gateway/node.ts";
import type { Destination, ForwardedAnswer } from "../../gateway/index.ts";
import { callOf } from "./call-of.ts";

/** Options of {@link openFunctions}. */
export interface OpenFunctionsOptions {
  readonly contract: Pick<Contract, "functions">;
  /** Where the keeper listens. */
  readonly socketPath: string;
}

/** The functions of a site, as its gateway asks them. */
export interface OpenedFunctions {
  /** By what routes name: `fn:name`. */
  readonly destinations: ReadonlyMap<string, Destination>;
  /** Lets calls under way end, for at most so many milliseconds, and cuts the rest. */
  close(graceMs: number): Promise<void>;
}

/** Connections over which the keeper says that it takes no more calls. */
const spare = 8;

type Failure = Extract<ForwardedAnswer, { kind: "failed" }>;

/** What the gateway makes of the keeper's word; of any other, that it can't be reached. */
const failures: Readonly<Record<string, Failure["code"]>> = {
  FUNCTIONS_TIMEOUT: "GATEWAY_UPSTREAM_TIMEOUT",
  FUNCTIONS_HUNG: "GATEWAY_UPSTREAM_TIMEOUT",
  FUNCTIONS_THREW: "GATEWAY_ANSWER_INVALID",
  FUNCTIONS_ENDED: "GATEWAY_ANSWER_INVALID",
  FUNCTIONS_ANSWER_INVALID: "GATEWAY_ANSWER_INVALID",
  FUNCTIONS_ANSWER_TOO_LARGE: "GATEWAY_ANSWER_INVALID",
};

/** Opens the way from the edge to functions: over the keeper's socket, one call a request, answers read like an upstream's. */
export function openFunctions({ contract, socketPath }: OpenFunctionsOptions): OpenedFunctions {
  const pools: Pool[] = [];
  const destinationOf = ({
    name,
    settings,
    maxResponseBytes,
    concurrency,
  }: ContractFunction): Destination => {
    const path = callPath(name);
    // Of its own: calls of a slow one wait for nobody's connection but theirs.
    const pool = new Pool("http://functions", {
      socketPath,
      connections: concurrency + spare,
      // Each route has a time of its own, over which a reader watches.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    pools.push(pool);
    return (request, done) => {
      const { route, id, timeoutMs = route.timeoutMs } = request;
      const handler = new KeeperAnswer({ route, timeoutMs, maxBytes: maxResponseBytes }, done);
      const headers = ["content-type", "application/json", "request-id", id];
      pool.dispatch(
        { method: "POST", path, headers, body: JSON.stringify(callOf(request, settings)) },
        handler,
      );
      return () => handler.callOff();
    };
  };
  return {
    destinations: new Map(
      [...contract.functions.values()].map((one) => [`fn:${one.name}`, destinationOf(one)]),
    ),
    async close(graceMs) {
      const cut = setTimeout(() => {
        for (const pool of pools) void pool.destroy();
      }, graceMs);
      await Promise.all(pools.map((pool) => pool.close().catch(() => undefined)));
      clearTimeout(cut);
    },
  };
}

/** An answer that came through the keeper: the function's, read as any answer is, or the keeper's own word that there is none. */
class KeeperAnswer implements Dispatcher.DispatchHandler {
  readonly #reader: AnswerReader;
  #failure: Failure | undefined;

  constructor(
    options: ConstructorParameters<typeof AnswerReader>[0],
    done: (answer: ForwardedAnswer) => void,
  ) {
    this.#reader = new AnswerReader(
      options,
      (answer) => done(this.#failure ?? answer),
      () => undefined,
    );
  }

  callOff(): void {
    this.#reader.callOff();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#reader.onRequestStart(controller);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Parameters<AnswerReader["onResponseStart"]>[2],
  ): void {
    const failure = headers[failureHeader];
    if (typeof failure !== "string") return this.#reader.onResponseStart(controller, status, headers);
    const code = failures[failure] ?? "GATEWAY_UPSTREAM_UNAVAILABLE";
    this.#failure = { kind: "failed", code, reason: failure };
    // What follows says no more, and is read so that the connection can be used again.
    this.#reader.giveUp(failure);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#failure === undefined) this.#reader.onResponseData(controller, chunk);
  }

  onResponseEnd(): void {
    if (this.#failure === undefined) this.#reader.onResponseEnd();
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.#reader.onResponseError(controller, error);
  }
}
