import { formatRecord, readCheckpoint } from "../../ledger/index.ts";
import type { Checkpoint, CheckpointClaim } from "../../ledger/index.ts";
import type { LogFile } from "../../ledger/node.ts";

/** Asks for checkpoints of a log, and writes them into it. */
export interface CheckpointRequests {
  /** Takes what came back. Undefined: it was not signed. */
  answered(checkpoint: Checkpoint | undefined): void;
  /** Takes that records came to lie on disk, and whether one of them is an alert: it may be asked for one of them before its time. */
  written(hasAlert: boolean): void;
  /** Asks for one of all that is on disk, and waits for it no longer than this. */
  ask(timeoutMs: number): Promise<void>;
  /** Asks for a last one, and waits for it no longer than this. */
  finish(timeoutMs: number): Promise<void>;
}

const everyMs = 60_000;
/** The first one: a log that nobody signed yet can be replaced unseen. */
const firstMs = 1000;
/** So many records are not left unsigned until the minute is over. An attack writes thousands. */
const manyRecords = 1000;
/**
 * How long it rests after it was asked, before it is again for so many records, or for an alert. Whoever can send requests can cause both: a
 * flood of records is to be no flood of signatures, each of which costs some 6 ms of CPU and
 * 40 ms of a busy disk (2026-11-23), and those for alerts alone are to push nothing out of the log.
 */
const [manyRestMs, alertRestMs] = [1000, 5000];

/** Has a log signed soon, and then once a minute, if something was written; sooner after many records, and after an alert. */
export function askCheckpoints(log: LogFile, ask: (claim: CheckpointClaim) => void): CheckpointRequests {
  let asked = 0;
  /** The record of the last checkpoint needs none of its own. */
  let own = 0;
  /** Requests that were not answered yet, and who waits until all are. */
  let open = 0;
  let waiting: (() => void)[] = [];
  /** An alert that it was not asked for yet. */
  let isAlerted = false;
  let rested = Infinity;
  let rests: NodeJS.Timeout[] = [];
  /** What is refused is refused again, with an alarm each time: that stays once a minute. */
  let isRefused = false;

  const unasked = (): number => log.head().seq - Math.max(asked, own);

  function request(): void {
    if (unasked() <= 0) return;
    const { seq, chain } = log.head();
    asked = seq;
    open += 1;
    isAlerted = false;
    rest();
    ask({ log: log.log, through: seq, head: Buffer.from(chain).toString("base64url") });
  }

  function rest(): void {
    rested = 0;
    rests.forEach(clearTimeout);
    rests = [manyRestMs, alertRestMs].map((restMs) =>
      setTimeout(() => {
        rested = restMs;
        askSoon();
      }, restMs).unref(),
    );
  }

  function askSoon(): void {
    if (open > 0 || isRefused) return;
    if ((isAlerted && rested >= alertRestMs) || (unasked() >= manyRecords && rested >= manyRestMs)) request();
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
  const first = setTimeout(() => {
    if (asked === 0) request();
  }, firstMs);
  first.unref();
  return {
    ask: askNow,
    written(hasAlert) {
      isAlerted ||= hasAlert;
      askSoon();
    },
    answered(given) {
      const checkpoint = readCheckpoint(given);
      isRefused = checkpoint === undefined;
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
      askSoon();
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
