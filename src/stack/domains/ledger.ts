import { flushCompileCache } from "node:module";
import { basename, dirname } from "node:path";
import { formatRecord } from "../../ledger/index.ts";
import { lockLog, openLogFile } from "../../ledger/node.ts";
import type { LogFile } from "../../ledger/node.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import { openDomainControl } from "../processes/control.ts";
import { askCheckpoints } from "../log/ask-checkpoints.ts";
import type { CheckpointRequests } from "../log/ask-checkpoints.ts";
import type { FromDomain, ToLedger } from "../processes/messages.ts";
import type { OperatorEvent } from "../operator/operator-event.ts";
import { readEvents } from "../log/read-events.ts";
import { becomeUser } from "./become.ts";

// The ledger's process: reads events from the other domains' pipes and appends them to the log. It answers nobody.

/** The log is signed once more when the stack stops; who signs may be gone. */
const lastCheckpointMs = 1500;
/** Before records are removed it is signed too, and events wait for that no longer than this. */
const removalCheckpointMs = 2000;
/** The ledger of a stack that was killed may still be signing and writing what it had read. */
const otherWriterMs = 10_000;

const control = openDomainControl<ToLedger, FromDomain>();
let stop: () => void = () => process.exit(0);
let record: (message: Extract<ToLedger, { type: "record" }>) => void = () => undefined;
let answered: CheckpointRequests["answered"] = () => undefined;

control.onMessage((message) => {
  if (message.type === "configure") configure(message);
  else if (message.type === "checkpoint") answered(message.checkpoint);
  else if (message.type === "record") record(message);
  else stop();
});
// A terminal's Ctrl-C goes to every process; the supervisor decides when this one ends.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => stop());

function configure({ file, lockFile, keep, sources, user }: Extract<ToLedger, { type: "configure" }>): void {
  try {
    keepLock(lockFile);
    // By its folder from now on: once root is given up, the folders above it may be out of reach, and a full file must still be
    // moved out of the way.
    process.chdir(dirname(file));
    let askNow: CheckpointRequests["ask"] = () => Promise.resolve();
    let written: CheckpointRequests["written"] = () => undefined;
    const log = openLogFile({
      path: basename(file),
      ...keep,
      // Else what was signed last could go before anything that follows from it is signed.
      beforeRemoval: () => askNow(removalCheckpointMs),
      onWritten: (hasAlert) => written(hasAlert),
      owner: user,
      onError: (error) => console.error(`${error.code} ${error.message} ${error.hint ?? ""}`),
    });
    flushCompileCache();
    becomeUser(user);
    const drains = sources.map(({ name, fd }) => readEvents(name, fd, log));
    const checkpoints = askCheckpoints(log, (claim) => control.send({ type: "sign-checkpoint", ...claim }));
    ({ answered, written, ask: askNow } = checkpoints);
    record = ({ number, event }) =>
      void recordAction(log, event).then((told) => control.send({ number, ...told }));
    stop = () => {
      for (const drain of drains) drain();
      void checkpoints
        .finish(lastCheckpointMs)
        .then(() => log.close())
        .finally(() => process.exit(0));
    };
    control.send({ type: "ready" });
  } catch (error) {
    const known = isCurtainwallError(error) ? error : undefined;
    control.send({
      type: "failed",
      code: known?.code ?? "STACK_DOMAIN_FAILED",
      message: (error as Error).message,
      hint: known?.hint,
    });
  }
}

/** Waits until nobody else writes the log. Given back by the kernel when this process ends: nothing that it still writes comes later. */
function keepLock(lockFile: string): void {
  try {
    lockLog(lockFile, otherWriterMs);
  } catch (error) {
    if (isCurtainwallError(error)) throw error;
    console.error(`nothing keeps another process from writing the log: ${(error as Error).message}`);
  }
}

type Told = { type: "recorded"; seq: number } | { type: "unrecorded"; reason: string };

/** Writes down what an operator is about to do. If that can't be said to be on disk it is not done: that follows in the log, if it comes there after all. */
async function recordAction(log: LogFile, event: OperatorEvent): Promise<Told> {
  try {
    return { type: "recorded", seq: await log.record(formatRecord(event, "operator")) };
  } catch (error) {
    const { cause, message } = error as { cause?: NodeJS.ErrnoException; message: string };
    const refused = {
      ...event,
      type: "operator.action.failed",
      reason: "it could not be recorded in time",
    } as const;
    log.append(formatRecord(refused, "operator"));
    return { type: "unrecorded", reason: `${message} (${cause?.code ?? "unknown"})` };
  }
}
