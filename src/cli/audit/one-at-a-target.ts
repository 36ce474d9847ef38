import { createServer } from "node:net";
import type { Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { isLoopbackHost } from "../../contract/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { CliErrorCode } from "../errors.ts";
import { say } from "../voice.ts";

/** Longer than an audit or an attack takes by default. */
const maxWaitMs = 600_000;
const pauseMs = 200;

/**
 * Waits until nobody else on this machine audits or attacks a target, and keeps others waiting until it is done: what one of them writes, the other
 * would take for a refusal that was done all the same. The name is the kernel's, so that a process that was killed holds nothing.
 *
 * @throws {CurtainwallError} `CLI_TARGET_BUSY` after ten minutes
 */
export async function aloneAt<Result>(target: URL, act: () => Promise<Result>): Promise<Result> {
  const server = await hold(target);
  try {
    return await act();
  } finally {
    server?.close();
  }
}

async function hold(target: URL): Promise<Server | undefined> {
  const deadline = performance.now() + maxWaitMs;
  for (let tries = 0; ; tries++) {
    const held = await take(target);
    if (held !== "busy") return held;
    if (tries === 0) say(`Another audit or attack of ${target.origin} runs here; this one waits for it.`);
    if (performance.now() > deadline)
      throw new CurtainwallError<CliErrorCode>(
        "CLI_TARGET_BUSY",
        `Another audit or attack of ${target.origin} still runs on this machine.`,
        { hint: "End it, or wait for it" },
      );
    await sleep(pauseMs);
  }
}

/** Takes the target's name. Undefined: this system has no such names, so nobody is kept waiting. */
function take({ hostname, host, port }: URL): Promise<Server | "busy" | undefined> {
  const { promise, resolve } = Promise.withResolvers<Server | "busy" | undefined>();
  if (process.platform !== "linux") return Promise.resolve(undefined);
  // This machine has many names.
  const name = isLoopbackHost(hostname) ? port : host.slice(0, 80);
  const server = createServer((socket) => socket.destroy());
  server.once("error", ({ code }: NodeJS.ErrnoException) =>
    resolve(code === "EADDRINUSE" ? "busy" : undefined),
  );
  // Begins with a zero byte: a name without a file (unix(7)), at most 107 bytes long.
  server.listen(`\0curtainwall-target-${name}`, () => resolve(server.unref()));
  return promise;
}
