import { createHash } from "node:crypto";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";

/** Another checkout has an example of its own. A digest, since such names have at most 107 bytes. */
const checkout = createHash("sha256")
  .update(import.meta.url)
  .digest("hex")
  .slice(0, 16);

/**
 * Waits until no other test file uses what is named, and keeps it until it is released, or this process ends: several files run at once, and
 * some need what is there once, as the example with the state beside it. A file that has it may ask again. The kernel holds it, in a name
 * that stands for no file, so a process that is killed gives it back too.
 */
export function alone(what: string): Promise<() => void> {
  const holding = held.get(what) ?? hold(what);
  held.set(what, holding);
  return holding;
}

/** What this process has, or waits for. */
const held = new Map<string, Promise<() => void>>();

async function hold(what: string): Promise<() => void> {
  // Elsewhere there are no such names; nothing that needs them is tested there.
  if (process.platform !== "linux") return () => undefined;
  const name = `\0curtainwall-test ${what} ${checkout}`;
  for (;;) {
    const release = await take(name);
    if (release !== undefined) {
      return () => {
        held.delete(what);
        release();
      };
    }
    await isFree(name);
  }
}

/** Takes the name, if nobody has it; returns how to give it back. */
function take(path: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const waiting = new Set<Socket>();
    const server = createServer((socket) => {
      waiting.add(socket);
      socket.on("error", () => undefined).unref();
    });
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
    );
    server.listen({ path }, () => {
      server.unref();
      resolve(() => {
        server.close();
        for (const socket of waiting) socket.destroy();
      });
    });
  });
}

/** Resolves when the process that has the name closed its end. */
function isFree(path: string): Promise<void> {
  return new Promise((resolve) => {
    const waiting = connect({ path });
    waiting.on("error", () => undefined).on("close", () => resolve());
    waiting.resume();
  });
}
