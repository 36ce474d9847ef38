import type { EventSink, Priority } from "../../contract/index.ts";
import type { Destination } from "../types.ts";

/** Tells how much one thread has to do, and whom it has to send away. */
export interface LoadMeter {
  /** Whether a request of this priority is not to be begun. */
  sheds(priority: Priority): boolean;
  /** Requests that wait for an upstream. */
  pending: number;
  close(): void;
}

/** Options of {@link createLoadMeter}. */
export interface LoadMeterOptions {
  readonly events: EventSink;
  /** Requests that may wait for upstreams before the first are refused; with twice as many only those of high priority begin. Default 500. */
  readonly maxPending?: number;
  /** How late the thread may be on average, in milliseconds. Default 20. */
  readonly maxDelayMs?: number;
  /** Milliseconds, monotonic. Default `performance.now`. */
  readonly clock?: () => number;
  /**
   * Milliseconds that this thread has worked, which others on the machine don't make more: what requests are refused for is what they
   * themselves take. Default: the clock.
   */
  readonly workMs?: () => number;
  /** Runs something when what came in together was begun or refused. Default: `setImmediate`, or else a timer. */
  readonly afterTurn?: (run: () => void) => void;
  /** Runs something again and again. Returns what ends it. Default: timers. */
  readonly every?: (intervalMs: number, run: () => void) => () => void;
}

const tickMs = 10;
/** Ticks between two decisions. */
const ticksInWindow = 10;
const windowsInReport = 10;
/** How fast more is refused, by how late it is, and how fast less: the way back is longer, or the thread would swing. */
const rise = 0.1;
const highestRise = 0.5;
const fall = 0.05;
/** From this level on, after half a second of some lateness or a moment of a great one, no turn of the loop may take long. */
const watchful = 0.5;
/** Requests of a turn that are begun unless those before them took long: of so few the lateness does not come, but from whatever else runs. */
const alwaysBegun = 4;
/** What a turn may take before the rest of what came in with it is refused, as a part of how late the thread may be. */
const partOfDelay = 0.2;
/** From 0 to 1 requests of low priority are refused, from 1 to 2 ordinary ones; never quite all, so that it is noticed when it is over. */
const highestLevel = 1.98;

/**
 * Measures how late a thread is with what it has to do. Once it was later than it may be, only the first request of each turn of the loop is sure
 * to be begun, and the next ones for as long as the turn has been short: whoever is admitted then waits for hardly more than one other. If it
 * stays late, a growing part of all is refused, those of low priority first. That ends when nothing had to be refused any more. Static pages
 * don't come by here.
 */
export function createLoadMeter({
  events,
  maxPending = 500,
  maxDelayMs = 20,
  clock = () => performance.now(),
  workMs = clock,
  afterTurn = afterThisTurn,
  every = everyInterval,
}: LoadMeterOptions): LoadMeter {
  let level = 0;
  let last = clock();
  let lateMs = 0;
  let ticks = 0;
  let windows = 0;
  let shed = 0;
  let shedInWindow = false;
  /** Requests that came in this turn, once there was reason to count. */
  let came = 0;
  /** When the first of them came, and what the thread had worked by then. */
  let cameAt = 0;
  let workBefore = 0;
  /** Parts of a refusal that are owed: so that one in three is every third, and chance plays no part. */
  let owed = 0;

  const end = every(tickMs, () => {
    const now = clock();
    lateMs += Math.max(0, now - last - tickMs);
    last = now;
    // A thread that is late has fewer ticks: its windows must not become longer for that.
    if (++ticks < ticksInWindow && lateMs < ticksInWindow * maxDelayMs) return;
    const delayMs = lateMs / ticks;
    const least = shedInWindow ? watchful : 0;
    level = Math.min(highestLevel, Math.max(least, level + changeOf(delayMs)));
    shedInWindow = false;
    ticks = 0;
    lateMs = 0;
    if (++windows >= windowsInReport) report(delayMs);
  });

  const changeOf = (delayMs: number): number =>
    delayMs > maxDelayMs ? Math.min(highestRise, (rise * delayMs) / maxDelayMs) : -fall;

  function report(delayMs: number): void {
    windows = 0;
    if (shed === 0) return;
    events({
      type: "gateway.load.shed",
      time: Date.now(),
      count: shed,
      delayMs: Math.round(delayMs),
      pending: meter.pending,
    });
    shed = 0;
  }

  function isOwed(part: number): boolean {
    if (part <= 0) return false;
    owed += Math.min(1, part);
    if (owed < 1) return false;
    owed -= 1;
    return true;
  }

  function isTooLate(priority: Priority): boolean {
    if (level === 0) return false;
    if (++came === 1) {
      cameAt = clock();
      workBefore = workMs();
      afterTurn(() => (came = 0));
      return false;
    }
    return isTurnFull(priority) || (came > alwaysBegun && isOwed(partOf(level, priority)));
  }

  function isTurnFull(priority: Priority): boolean {
    if (level < watchful) return false;
    const mostMs = maxDelayMs * partOfDelay * (priority === "low" ? 0.5 : 1);
    // A kernel counts a thread's work in steps as long as that: both clocks have to say so, the coarse one roughly.
    return clock() - cameAt > mostMs && workMs() - workBefore > mostMs / 2;
  }

  function isCrowded(priority: Priority): boolean {
    return meter.pending >= maxPending && isOwed(partOf(Math.min(2, meter.pending / maxPending), priority));
  }

  const partOf = (total: number, priority: Priority): number => (priority === "low" ? total : total - 1);

  const meter: LoadMeter = {
    pending: 0,
    sheds(priority) {
      if ((level === 0 && meter.pending < maxPending) || priority === "high") return false;
      if (!isTooLate(priority) && !isCrowded(priority)) return false;
      shed++;
      shedInWindow = true;
      return true;
    },
    close: end,
  };
  return meter;
}

/** Counts what waits for destinations. */
export function watchLoad(
  load: LoadMeter,
  destinations: ReadonlyMap<string, Destination>,
): ReadonlyMap<string, Destination> {
  const watch =
    (destination: Destination): Destination =>
    (request, done) => {
      load.pending++;
      return destination(request, (answer) => {
        load.pending--;
        done(answer);
      });
    };
  return new Map([...destinations].map(([name, destination]) => [name, watch(destination)]));
}

function afterThisTurn(run: () => void): void {
  const { setImmediate: soon } = globalThis as { setImmediate?: (run: () => void) => unknown };
  if (soon === undefined) setTimeout(run, 0);
  else soon(run);
}

function everyInterval(intervalMs: number, run: () => void): () => void {
  const timer = setInterval(run, intervalMs);
  // In Node a timer that nobody waits for must not keep a process running.
  (timer as { unref?: () => void }).unref?.();
  return () => clearInterval(timer);
}
