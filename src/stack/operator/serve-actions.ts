import { chmodSync } from "node:fs";
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import { openControl } from "../processes/control.ts";
import type { StackFolders } from "../folders.ts";
import type { DomainProcess } from "../processes/launch.ts";
import type { FromDomain, ToLedger } from "../processes/messages.ts";
import { actionsFolder, findRunningStacks, openRunFolder } from "../processes/run-folder.ts";
import { parseOperatorEvent } from "./operator-event.ts";
import type { OperatorAnswer, OperatorEvent } from "./operator-event.ts";

// While a stack runs its ledger alone writes the log. What operators do is handed to it here: the folder and its socket are the supervisor's user's alone.

/** What a command says through the socket. */
export type ToActions = { readonly type: "record"; readonly event: unknown };
/** And what it gets. */
export type FromActions = { readonly type: "recorded"; readonly answer: OperatorAnswer };

/** Hands operators' actions to the ledger, and waits for its word. */
export interface ActionRecorder {
  /** Takes what the ledger says. */
  onMessage(message: FromDomain): void;
  record(event: OperatorEvent): Promise<OperatorAnswer>;
}

/** How long the ledger may take: a disk that takes longer is no place to act on. */
const confirmMs = 5000;
const maxWaiting = 100;

export function createActionRecorder(ledger: () => DomainProcess<ToLedger> | undefined): ActionRecorder {
  const waiting = new Map<number, (answer: OperatorAnswer) => void>();
  let number = 0;
  return {
    onMessage(message) {
      if (message.type === "recorded") waiting.get(message.number)?.({ seq: message.seq });
      if (message.type === "unrecorded") waiting.get(message.number)?.({ reason: message.reason });
    },
    async record(event) {
      const process = ledger();
      if (process === undefined) return { reason: "the ledger does not run" };
      if (waiting.size >= maxWaiting) return { reason: "too many wait for the ledger" };
      const own = ++number;
      const { promise, resolve } = Promise.withResolvers<OperatorAnswer>();
      const timer = setTimeout(resolve, confirmMs, { reason: "the ledger did not confirm it in time" });
      waiting.set(own, resolve);
      void process.exited.then(() => resolve({ reason: "the ledger ended" }));
      process.control.send({ type: "record", number: own, event });
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        waiting.delete(own);
      }
    },
  };
}

const socketName = "actions";

/** The sockets of a site's stacks that take actions, the newest last. A folder that somebody else made would confirm what nobody wrote. */
export function findActionSockets({ root }: Pick<StackFolders, "root">): string[] {
  return findRunningStacks(root).map(({ actions }) => join(actions, socketName));
}

/** Takes operators' actions until it is closed. */
export async function serveActions(root: string, { record }: ActionRecorder): Promise<() => Promise<void>> {
  const folder = openRunFolder(actionsFolder(root));
  const connected = new Set<Socket>();
  const server = createServer((socket) => {
    connected.add(socket);
    socket.on("close", () => connected.delete(socket));
    socket.setTimeout(confirmMs * 2, () => socket.destroy());
    const { send, onMessage } = openControl<ToActions, FromActions>(socket);
    onMessage((message) => {
      const event = message.type === "record" ? parseOperatorEvent(message.event) : undefined;
      if (event === undefined) return void socket.destroy();
      void record(event).then((answer) => send({ type: "recorded", answer }));
    });
  });
  server.maxConnections = maxWaiting;
  const path = join(folder.path, socketName);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
    chmodSync(path, 0o600);
  } catch (error) {
    folder.remove();
    throw error;
  }
  return async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of connected) socket.destroy();
    await closed;
    folder.remove();
  };
}
