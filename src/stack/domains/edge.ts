import { randomBytes } from "node:crypto";
import { fstatSync, readSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { decodeRelease } from "../../contract/index.ts";
import type { Release, SecurityEvent } from "../../contract/index.ts";
import { createLimitMemory } from "../../gateway/index.ts";
import { createEventQueue } from "../../ledger/node.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import { openDomainControl } from "../control.ts";
import type { EdgeConfiguration, FromDomain, ToEdge } from "../messages.ts";
import { becomeUser } from "./become.ts";
import type { FromThread, ThreadConfiguration, ToThread } from "./thread-messages.ts";

// The edge's process. This thread checks the release, starts a thread a core, gives up its rights once all have loaded,
// and only then lets them listen: no request is served by root. Afterwards it hands events to the ledger.

const control = openDomainControl<ToEdge, FromDomain>();
const threads: Worker[] = [];
let stopping = false;

control.onMessage((message) => {
  if (message.type === "configure") start(message).catch(fail);
  else if (message.type === "certificate")
    tellThreads({ type: "certificate", certificate: message.certificate });
  else stop(message.graceMs);
});
// A terminal's Ctrl-C goes to every process; the supervisor decides when this one ends.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => stop(5000));

async function start(configuration: EdgeConfiguration): Promise<void> {
  const release = await readRelease(configuration.releaseFd);
  const limits = createLimitMemory({ maxClients: configuration.maxClients });
  const events = createEventQueue({ fd: configuration.eventsFd, source: "edge" });
  const ticketKeys = new Uint8Array(randomBytes(48));
  await Promise.all(
    configuration.threads.map((sockets) =>
      startThread({ ...configuration, sockets, release, limits, ticketKeys }, events.send),
    ),
  );
  becomeUser(configuration.user);
  await Promise.all(threads.map((thread) => ask(thread, { type: "listen" }, "listening")));
  control.send({ type: "ready", release: release.digest });
}

/** Reads the release into memory that all threads share, and checks every byte of it once. */
async function readRelease(fd: number): Promise<Release> {
  const { size } = fstatSync(fd);
  const bytes = new Uint8Array(new SharedArrayBuffer(size));
  for (let from = 0; from < size;) {
    const count = readSync(fd, bytes, from, size - from, from);
    if (count === 0) break;
    from += count;
  }
  return decodeRelease(bytes);
}

async function startThread(
  configuration: ThreadConfiguration,
  onEvent: (event: SecurityEvent) => void,
): Promise<void> {
  const file = new URL(
    import.meta.url.endsWith(".ts") ? "./edge-thread.ts" : "./edge-thread.js",
    import.meta.url,
  );
  const thread = new Worker(file, { workerData: configuration, name: `edge-${threads.length}` });
  threads.push(thread);
  thread.on("message", (message: FromThread) => {
    if (message.type === "events") {
      for (const event of message.events) onEvent(event);
      tell(thread, { type: "taken", count: message.events.length });
    }
    if (message.type === "failed") control.send(message);
  });
  thread.on("error", (error) => {
    console.error(error);
    process.exit(1);
  });
  thread.on("exit", () => {
    if (!stopping) process.exit(1);
  });
  await heard(thread, "loaded");
}

function ask(thread: Worker, message: ToThread, answer: FromThread["type"]): Promise<void> {
  const answered = heard(thread, answer);
  thread.postMessage(message);
  return answered;
}

function heard(thread: Worker, type: FromThread["type"]): Promise<void> {
  return new Promise((resolve) => {
    const listener = (message: FromThread): void => {
      if (message.type !== type) return;
      thread.off("message", listener);
      resolve();
    };
    thread.on("message", listener);
  });
}

const tell = (thread: Worker, message: ToThread): void => thread.postMessage(message);

function tellThreads(message: ToThread): void {
  for (const thread of threads) tell(thread, message);
}

function stop(graceMs: number): void {
  if (stopping) return;
  stopping = true;
  // A thread that does not end in time ends with the process.
  setTimeout(() => process.exit(0), graceMs + 1000).unref();
  Promise.all(threads.map((thread) => ask(thread, { type: "stop", graceMs }, "stopped")))
    .then(() => process.exit(0))
    .catch(() => process.exit(1));
}

function fail(error: unknown): void {
  const known = isCurtainwallError(error) ? error : undefined;
  control.send({
    type: "failed",
    code: known?.code ?? "STACK_DOMAIN_FAILED",
    message: (error as Error).message,
    hint: known?.hint,
  });
}
