import { formatRecord, readCheckpoint } from "../../ledger/index.ts";
import type { Checkpoint, CheckpointClaim } from "../../ledger/index.ts";
import type { LogFile } from "../../ledger/node.ts";

/** Asks for checkpoints of a log, and writes them into it. */
export interface CheckpointRequests {
  /** Takes what came back. Undefined: it was not signed. */
  answered(checkpoint: Checkpoint | undefined): void;
  /** Asks for one of all that is on disk, and waits for it no longer than this. */
  ask(timeoutMs: number): Promise<void>;
  /** Asks for a last one, and waits for it no longer than this. */
  finish(timeoutMs: number): Promise<void>;
}

const everyMs = 60_000;
/** The first one: a log that nobody signed yet can be replaced unseen. */
const firstMs = 1000;

/** Has a log signed soon, and then once a minute, if something was written. */
export function askCheckpoints(log: LogFile, ask: (claim: CheckpointClaim) => void): CheckpointRequests {
  let asked = 0;
  /** The record of the last checkpoint needs none of its own. */
  let own = 0;
  /** Requests that were not answered yet, and who waits until all are. */
  let open = 0;
  let waiting: (() => void)[] = [];

  function request(): void {
    const { seq, chain } = log.head();
    if (seq <= Math.max(asked, own)) return;
    asked = seq;
    open += 1;
    ask({ log: log.log, through: seq, head: Buffer.from(chain).toString("base64url") });
  }

  async function whenAnswered(timeoutMs: number): Promise<void> {
    if (open > 0) await Promise.race([new Promise<void>((done) => waiting.push(done)), pause(timeoutMs)]);
  }

  function askNow(timeoutMs: number): Promise<void> {
    request();
    return whenAnswered(timeoutMs);
  }

  const timer = setInterval(request, everyMs);
  timer.unref();
  const first = setTimeout(request, firstMs);
  first.unref();
  return {
    ask: askNow,
    answered(given) {
      const checkpoint = readCheckpoint(given);
      if (checkpoint?.log === log.log) {
        log.append(formatRecord({ type: "ledger.checkpoint", time: Date.now(), ...checkpoint }, "ledger"));
        void log.flush().then(() => {
          if (log.head().seq === checkpoint.through + 1) own = log.head().seq;
        });
      }
      open -= 1;
      if (open > 0) return;
      for (const done of waiting) done();
      waiting = [];
    },
    async finish(timeoutMs) {
      clearInterval(timer);
      clearTimeout(first);
      // What was asked for a moment ago is written into the log first, so that the last checkpoint is of all but itself.
      await whenAnswered(timeoutMs);
      await Promise.race([log.flush(), pause(timeoutMs)]);
      await askNow(timeoutMs);
    },
  };
}

const pause = (timeoutMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, timeoutMs).unref());
