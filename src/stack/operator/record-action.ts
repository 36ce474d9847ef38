import { chownSync, mkdirSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { formatRecord } from "../../ledger/index.ts";
import { lockLog, openLogFile } from "../../ledger/node.ts";
import { CurtainwallError, isCurtainwallError, printable } from "../../shared/index.ts";
import { openControl } from "../processes/control.ts";
import type { StackErrorCode } from "../errors.ts";
import { assertStateUsable, makeStateFolder, stackFolders } from "../folders.ts";
import type { StackFolders } from "../folders.ts";
import { domainUser, findIsolation } from "../isolation/isolation.ts";
import type { LoadedContract } from "../contract/load-contract.ts";
import { ownState } from "../supervisor/own-state.ts";
import { whoIsThis } from "./who-is-this.ts";
import type { OperatorAnswer, OperatorEvent } from "./operator-event.ts";
import { findActionSockets } from "./serve-actions.ts";
import type { FromActions, ToActions } from "./serve-actions.ts";

/** Something that an operator asked for at the command line. */
export interface OperatorAction {
  /** As it is typed: `secret set`. */
  readonly action: string;
  /** What it changes; never a value. */
  readonly target: string;
}

/**
 * Makes a change once the log has it on disk: by the ledger of the stack that runs, or, where none does, in the log's own file, which nobody else can
 * write meanwhile. If the change fails that is recorded too, as far as it can be.
 *
 * @throws {CurtainwallError} `STACK_ACTION_UNRECORDED`, `STACK_STATE_READ_ONLY` or `STACK_STATE_FOREIGN` when it could not be recorded, and nothing was changed;
 *   what `act` throws
 */
export async function recordedAction<Result>(
  { contract, root }: Pick<LoadedContract, "contract" | "root">,
  { action, target }: OperatorAction,
  act: () => Promise<Result> | Result,
): Promise<Result> {
  const write = (event: OperatorEvent): Promise<void> =>
    recordEvent(stackFolders(root), contract.ledger, event);
  const about = { action, target, id: crypto.randomUUID(), by: whoIsThis() };
  await write({ type: "operator.action.begun", time: Date.now(), ...about });
  try {
    return await act();
  } catch (error) {
    const reason = isCurtainwallError(error) ? error.code : "it failed";
    // What it failed of matters more than that this can't be written.
    await write({
      type: "operator.action.failed",
      time: Date.now(),
      ...about,
      reason,
    }).catch(() => undefined);
    throw error;
  }
}

/** A stack that starts has the log before it takes actions, and one that stops has it a while longer. */
const maxWaitMs = 15_000;
const pauseMs = 200;

async function recordEvent(
  folders: StackFolders,
  keep: LoadedContract["contract"]["ledger"],
  event: OperatorEvent,
): Promise<void> {
  const deadline = performance.now() + maxWaitMs;
  for (;;) {
    const socket = findActionSockets(folders).at(-1);
    // Where nobody listens no stack need be: what was killed left its socket. Whether one runs is told by who owns the state.
    const answer =
      (socket === undefined ? undefined : await ask(socket, event)) ??
      (await writeAlone(folders, keep, event));
    if ("seq" in answer) return;
    if (!("owner" in answer)) throw unrecorded(answer.reason);
    if (performance.now() > deadline)
      throw unrecorded(answer.owner, undefined, "Say it again when that one has ended");
    await pause(pauseMs);
  }
}

/** Asks the ledger of a running stack. Undefined: it is gone, or goes. */
async function ask(path: string, event: OperatorEvent): Promise<OperatorAnswer | undefined> {
  const socket = connect({ path });
  try {
    return await new Promise<OperatorAnswer | undefined>((resolve, reject) => {
      socket.on("error", (error: NodeJS.ErrnoException) =>
        error.code === "EACCES" || error.code === "EPERM" ? reject(error) : resolve(undefined),
      );
      socket.on("connect", () => {
        const { send, onMessage, onClose } = openControl<FromActions, ToActions>(socket);
        // What was sent may have been written: to send it again would record twice what is done once.
        onClose(() => resolve({ reason: "the stack ended before it confirmed it" }));
        socket.setTimeout(maxWaitMs, () => resolve({ reason: "the stack does not answer" }));
        onMessage(({ answer }) => resolve(answer));
        send({ type: "record", event });
      });
    });
  } catch (error) {
    throw unrecorded(
      `the stack runs as another user (${
        (error as NodeJS.ErrnoException).code
      }): do it as that one, or as root`,
    );
  } finally {
    socket.destroy();
  }
}

/** Writes it where no stack runs. An owner: one does, or somebody else writes, such as the ledger of one that was killed. */
async function writeAlone(
  folders: StackFolders,
  keep: LoadedContract["contract"]["ledger"],
  event: OperatorEvent,
): Promise<OperatorAnswer | { readonly owner: string }> {
  // What these say is clearer than that a record is missing, and as much of a refusal.
  makeStateFolder(folders);
  assertStateUsable(folders, "build");
  let giveBack: () => void;
  try {
    giveBack = ownState(folders, (message) => {
      throw unrecorded(message);
    });
  } catch (error) {
    if (isCurtainwallError(error) && error.code === "STACK_RUNS_ALREADY")
      return { owner: `${error.message} It takes no actions where this user could reach it.` };
    throw isCurtainwallError(error) && error.code === "STACK_ACTION_UNRECORDED"
      ? error
      : unrecorded((error as Error).message, error);
  }
  let unlock: () => void = () => undefined;
  try {
    // Waited for by who asks again: a start that waits for the site's state is let through meanwhile.
    unlock = lockLog(folders.logLockFile, 0);
    const owner = findIsolation() === "uid" ? domainUser("ledger", folders.root) : undefined;
    mkdirSync(folders.ledger, { recursive: true, mode: 0o700 });
    if (owner !== undefined) chownSync(folders.ledger, owner.uid, owner.gid);
    const log = openLogFile({
      path: folders.logFile,
      ...keep,
      owner,
      onError: () => undefined,
    });
    try {
      return { seq: await log.record(formatRecord(event, "operator")) };
    } finally {
      await log.close();
    }
  } catch (error) {
    if (isCurtainwallError(error) && error.code === "LEDGER_IN_USE")
      return { owner: `${error.message} ${error.hint ?? ""}` };
    const { cause } = error as { cause?: NodeJS.ErrnoException };
    return {
      reason: `${(error as Error).message} (${cause?.code ?? "unknown"})`,
    };
  } finally {
    unlock();
    giveBack();
  }
}

const unrecorded = (
  reason: string,
  cause?: unknown,
  hint = "Free space for the log, or do it as the user whose stack it is, then say it again",
): CurtainwallError<StackErrorCode> =>
  new CurtainwallError(
    "STACK_ACTION_UNRECORDED",
    `Nothing was changed: the log can't take it. ${printable(reason)}`,
    { cause, hint },
  );
