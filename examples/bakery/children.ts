import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import type { ServiceMessage } from "./service.ts";

/** A service that runs in a process of its own. */
export interface ChildService {
  readonly url: string;
  /** Settles when the process has ended, for whatever reason. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a service (see `runService`) in a process of its own, and waits until it listens.
 *
 * @throws {Error} with the service's own words when it can't start.
 */
export async function startChild(name: string, file: string): Promise<ChildService> {
  const child = fork(file, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  child.once("exit", () => resolve());
  child.once("error", () => resolve());
  const message = await Promise.race([firstMessage(child), ended]);
  if (message === undefined) throw new Error(`${name} ended before it was ready.`);
  if (message.kind === "failed") throw new Error(message.message);
  return {
    url: message.url,
    ended,
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

function firstMessage(child: ChildProcess): Promise<ServiceMessage> {
  const { promise, resolve } = Promise.withResolvers<ServiceMessage>();
  child.once("message", (message) => resolve(message as ServiceMessage));
  return promise;
}
