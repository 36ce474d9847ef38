import { chmodSync, chownSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { CurtainwallError } from "../../shared/index.ts";
import type { HeldListenersAnswer, HeldListenersTask } from "./held-listeners-thread.ts";
import type { DomainUser } from "./messages.ts";

/** A unix socket that somebody will listen on. */
export interface HeldListenerPlan {
  /** What it is called, like `vault` or `egress:quotes`. */
  readonly name: string;
  /** Where it lies, in a folder that nobody else may enter until this has resolved. */
  readonly path: string;
  /** The one user that may connect. Default: this one. */
  readonly owner?: DomainUser | undefined;
}

/** Listening sockets that this process holds for others, and never accepts on. */
export interface HeldListeners {
  /** The descriptor to hand down. */
  fd(name: string): number;
  path(name: string): string;
  /** Closes them: who waits in a queue is cut off, and nobody can connect any more. */
  close(): Promise<void>;
}

/** The kernel has 108 bytes for a path and its end. */
const maxPathBytes = 107;
/** Connections that wait for a process to be started; the kernel's own bound (`net.core.somaxconn`) may be lower. */
const backlog = 4096;

/**
 * Opens unix sockets that processes inherit. Whoever connects while none of them runs waits in the kernel's queue: a process that is started
 * later, or again, inherits the same socket, so that nobody is refused meanwhile. They live in a thread that never turns its event loop, since
 * this process would accept on them otherwise.
 *
 * @throws {CurtainwallError} `STACK_SOCKET_FAILED`
 */
export async function openHeldListeners(plans: readonly HeldListenerPlan[]): Promise<HeldListeners> {
  for (const { path } of plans) assertPathFits(path);
  const gate = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const thread = startThread({ paths: plans.map(({ path }) => path), backlog, gate });
  const ended = new Promise<void>((resolve) => thread.once("exit", () => resolve()));
  const held = new Map<string, { path: string; fd: number }>();
  const close = (): Promise<void> => {
    // Their numbers are soon those of other files.
    held.clear();
    // Its end is waited for.
    thread.ref();
    Atomics.store(new Int32Array(gate), 0, 1);
    Atomics.notify(new Int32Array(gate), 0);
    return ended;
  };
  const fds = await descriptorsFrom(thread);
  // From here on the thread has no say in when this process ends.
  thread.unref();
  try {
    for (const { path, owner } of plans) {
      if (owner !== undefined) chownSync(path, owner.uid, owner.gid);
      chmodSync(path, 0o600);
    }
  } catch (error) {
    await close();
    throw failed(error as Error);
  }
  for (const [index, { name, path }] of plans.entries()) held.set(name, { path, fd: fds[index] ?? -1 });
  const find = (name: string): { path: string; fd: number } => {
    const found = held.get(name);
    if (found === undefined) throw new Error(`there is no socket ${name}`);
    return found;
  };
  return { fd: (name) => find(name).fd, path: (name) => find(name).path, close };
}

function assertPathFits(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= maxPathBytes) return;
  throw new CurtainwallError(
    "STACK_SOCKET_FAILED",
    `A socket's path may have ${maxPathBytes} bytes, and ${path} has ${bytes}.`,
    { hint: "Name a shorter folder for temporary files:  TMPDIR=/tmp npx curtainwall start" },
  );
}

function startThread(task: HeldListenersTask): Worker {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new Worker(new URL(`./held-listeners-thread.${extension}`, import.meta.url), {
    workerData: task,
    name: "held-listeners",
    env: {},
  });
}

function descriptorsFrom(thread: Worker): Promise<number[]> {
  return new Promise((resolve, reject) => {
    thread.once("message", (answer: HeldListenersAnswer) => {
      if (answer.type === "listening") resolve(answer.fds);
      else reject(failed(new Error(`${answer.path}: ${answer.message}`)));
    });
    thread.once("error", (error) => reject(failed(error as Error)));
  });
}

const failed = (cause: Error): CurtainwallError =>
  new CurtainwallError("STACK_SOCKET_FAILED", `A socket for the domains can't be opened: ${cause.message}.`, {
    cause,
    hint: "See who may write to the folder it would lie in, and whether its disk is full",
  });
