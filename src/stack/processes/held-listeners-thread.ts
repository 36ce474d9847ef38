import { createServer } from "node:net";
import type { Server } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import { descriptorOf } from "../edge/listeners.ts";

// Opens listening sockets and holds them without ever accepting: this thread's event loop does not turn while they are open.

/** What the thread starts with. */
export interface HeldListenersTask {
  paths: readonly string[];
  backlog: number;
  /** Becomes 1 when they are to be closed. */
  gate: SharedArrayBuffer;
}

/** What it says: their descriptors in the same order, or why one could not be opened. */
export type HeldListenersAnswer =
  | { type: "listening"; fds: number[] }
  | { type: "failed"; path: string; code: string; message: string };

const port = parentPort as NonNullable<typeof parentPort>;
const { paths, backlog, gate } = workerData as HeldListenersTask;
const say = (answer: HeldListenersAnswer): void => port.postMessage(answer);

const servers = paths.map((path) => {
  const server = createServer((socket) => socket.destroy());
  server.on("error", ({ code = "", message }: NodeJS.ErrnoException) => {
    closeAll();
    say({ type: "failed", path, code, message });
  });
  return server.listen({ path, backlog, exclusive: true });
});
const fds = servers.map(descriptorOf).filter((fd) => fd !== undefined);
// One that could not be opened says so in the next turn.
if (fds.length === servers.length) hold();

function hold(): void {
  say({ type: "listening", fds });
  Atomics.wait(new Int32Array(gate), 0, 0);
  closeAll();
}

function closeAll(): void {
  for (const server of servers) close(server);
}

function close(server: Server): void {
  if (server.listening) server.close();
}
