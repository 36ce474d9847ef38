import { Pool } from "undici";
import type { Quarantine } from "../../keeper/quarantine.ts";
import { OutcomeReader } from "./read-outcome.ts";
import type { CallFailure, CallOutcome, KeeperSurroundings, KeptFunction, KeptGroup } from "./types.ts";
import { createWatchdog, pingOnce } from "./watchdog.ts";
import type { Watchdog } from "./watchdog.ts";

/** One call of a function, or of the clock. */
export interface GroupCall {
  readonly function: KeptFunction;
  readonly path: string;
  readonly body: Uint8Array;
  /** Called once. */
  readonly done: (outcome: CallOutcome) => void;
}

/** Runs the calls of a group: starts its process when there is one, watches it while there are, and settles who was to blame when it ends. */
export interface GroupRunner {
  /** @returns what calls it off */
  call(call: GroupCall): () => void;
  started(): void;
  exited(how: string): void;
  /** Its code is another now: calls under way end with the old one, and whoever comes meanwhile waits for the new. */
  replaced(): void;
  /** Calls under way. */
  readonly underWay: number;
  close(): Promise<void>;
}

interface Flight {
  readonly call: GroupCall;
  readonly reader: OutcomeReader;
  /** Whether the function has it: only then can the function have done anything. */
  isSent: boolean;
}

const defaults = { pingMs: 50, silentMs: 1000, startMs: 10_000, idleMs: 300_000 } as const;
const maxConnections = 256;
/** Ends in a row, before one call was answered, after which it is started only for a call. */
const eagerRestarts = 3;

/** Creates a {@link GroupRunner}; nothing is started before the first call. */
export function createGroupRunner(
  group: KeptGroup,
  quarantine: Quarantine,
  { start, kill, events, watch = {} }: KeeperSurroundings,
): GroupRunner {
  const { pingMs, silentMs, startMs, idleMs } = { ...defaults, ...watch };
  const calls = group.functions.reduce((sum, { concurrency }) => sum + concurrency, 0);
  const pool = new Pool("http://group", {
    socketPath: group.socket,
    connections: Math.min(calls, maxConnections),
    headersTimeout: 0,
    bodyTimeout: 0,
    // Connecting takes as long as it takes to start; the call's own time is the bound.
    connectTimeout: 0,
  });
  const flights = new Set<Flight>();
  /** Suspects that wait until another one has answered. */
  const queue: Flight[] = [];
  let suspect: Flight | undefined;
  /** Functions whose calls nobody waits for any more, which may loop still; cleared when the process has answered since. */
  const lingering = new Set<string>();
  /** Calls whose connection broke: their process is about to be told to have ended. */
  let broken: { readonly name: string; readonly atMs: number }[] = [];
  /** `ending`: a connection broke, or its end was asked for. What comes now waits for the next process. */
  let state: "stopped" | "starting" | "running" | "ending" = "stopped";
  let reason: string | undefined;
  let failures = 0;
  let watchdog: Watchdog | undefined;
  let startTimer: NodeJS.Timeout | undefined;
  let idleTimer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let isDraining = false;
  let drainTimer: NodeJS.Timeout | undefined;

  function begin(): void {
    if (state !== "stopped" || isClosed) return;
    state = "starting";
    startTimer = setTimeout(() => end("it did not come up in time"), startMs);
    start(group.name);
  }

  function end(why: string): void {
    reason = why;
    if (state === "running") state = "ending";
    kill(group.name);
  }

  function send(flight: Flight): void {
    if (flight.isSent || isDraining || !flights.has(flight)) return;
    const { call } = flight;
    // It waited, and was sentenced meanwhile.
    if (quarantine.remainingMs(call.function.name) > 0)
      return flight.reader.giveUp(
        "FUNCTIONS_QUARANTINED",
        `${call.function.name} ended its process too often`,
      );
    if (quarantine.isSuspect(call.function.name)) {
      if (suspect !== undefined) return void queue.push(flight);
      suspect = flight;
    }
    flight.isSent = true;
    watchdog ??= createWatchdog({
      socket: group.socket,
      pingMs,
      silentMs,
      onAlive() {
        lingering.clear();
        if (flights.size === 0) rest();
      },
      onSilent: () => end(`it did not answer for ${silentMs} ms`),
    });
    const headers = ["content-type", "application/json"];
    pool.dispatch({ method: "POST", path: call.path, headers, body: call.body }, flight.reader);
  }

  function settle(flight: Flight, outcome: CallOutcome): void {
    if (!flights.delete(flight)) return;
    const { name } = flight.call.function;
    const isAnswer = outcome.kind === "answered" || outcome.code === "FUNCTIONS_THREW";
    if (isAnswer) {
      failures = 0;
      watchdog?.heard();
    }
    if (flight === suspect) {
      suspect = undefined;
      if (isAnswer) quarantine.answered(name);
    }
    if (flight.isSent && outcome.kind === "failed") note(name, outcome);
    if (flights.size === 0 && lingering.size === 0) rest();
    if (isDraining) endDrained();
    flight.call.done(outcome);
    // A call that waited for its turn finds it now; one whose time is over is gone already.
    while (suspect === undefined && state === "running" && queue.length > 0) send(queue.shift() as Flight);
  }

  function endDrained(): void {
    if (![...flights].some(({ isSent }) => isSent)) end(replacement);
  }

  function note(name: string, { code, isBroken }: Extract<CallOutcome, { kind: "failed" }>): void {
    if (isBroken === true) {
      broken.push({ name, atMs: performance.now() });
      expectEnd();
    }
    if (isBroken !== true && code !== "FUNCTIONS_THREW") lingering.add(name);
  }

  /** A connection that breaks by itself is one of many; only an answer shows that its process is there still. */
  function expectEnd(): void {
    if (state !== "running") return;
    state = "ending";
    void pingOnce(group.socket).then((answered) => {
      if (answered && state === "ending" && reason === undefined) run();
    });
  }

  function run(): void {
    state = "running";
    for (const flight of flights) send(flight);
    if (flights.size === 0) rest();
  }

  function rest(): void {
    watchdog?.stop();
    watchdog = undefined;
    clearTimeout(idleTimer);
    if (state !== "stopped") idleTimer = setTimeout(() => end(idle), idleMs).unref();
  }

  /** Why a connection broke says whoever ended its process; else it is told when the process is known to have ended. */
  function withReason(outcome: CallOutcome): CallOutcome {
    if (outcome.kind === "answered" || outcome.isBroken !== true) return outcome;
    return {
      ...outcome,
      reason: reason === undefined ? "its process broke off" : `its process was ended: ${reason}`,
    };
  }

  function forgive(): void {
    for (const { name } of group.functions) quarantine.forget(name);
  }

  function judge(how: string): void {
    const since = performance.now() - brokenMs;
    const guilty = [
      ...[...flights].filter(({ isSent }) => isSent).map(({ call }) => call.function.name),
      ...broken.filter(({ atMs }) => atMs > since).map(({ name }) => name),
      ...lingering,
    ];
    broken = [];
    lingering.clear();
    const time = Date.now();
    const functions = [...new Set(guilty)];
    events({ type: "function.group.ended", time, group: group.name, reason: how, functions });
    for (const { function: name, forMs, times } of quarantine.processEnded(guilty))
      events({ type: "function.quarantined", time, function: name, forMs, times });
  }

  return {
    get underWay() {
      return flights.size;
    },
    call(call) {
      const { name, timeoutMs, maxResponseBytes } = call.function;
      const timer = setTimeout(() => {
        flight.reader.giveUp("FUNCTIONS_TIMEOUT", `${name} did not answer within ${timeoutMs} ms`);
      }, timeoutMs);
      const flight: Flight = {
        call,
        isSent: false,
        reader: new OutcomeReader(maxResponseBytes, (outcome) => {
          clearTimeout(timer);
          settle(flight, withReason(outcome));
        }),
      };
      flights.add(flight);
      clearTimeout(idleTimer);
      if (state === "running") send(flight);
      else begin();
      return () => flight.reader.giveUp("FUNCTIONS_ABANDONED", "who asked has gone");
    },
    started() {
      // It accepts when it has come up, and its listener has been there all the time: until then this waits in the queue.
      void pingOnce(group.socket).then((answered) => {
        if (!answered || state !== "starting") return;
        clearTimeout(startTimer);
        run();
      });
    },
    exited(how) {
      const why = reason ?? how;
      const wasRunning = state === "running" || state === "ending";
      reason = undefined;
      state = "stopped";
      suspect = undefined;
      queue.length = 0;
      clearTimeout(startTimer);
      clearTimeout(idleTimer);
      watchdog?.stop();
      watchdog = undefined;
      clearTimeout(drainTimer);
      const wasReplaced = isDraining;
      isDraining = false;
      if (why === idle && flights.size === 0) return;
      if (wasReplaced) {
        forgive();
        for (const { isSent, reader } of flights) if (isSent) reader.giveUp("FUNCTIONS_ENDED", why);
        return begin();
      }
      judge(why);
      failures++;
      const code: CallFailure = wasRunning ? "FUNCTIONS_ENDED" : "FUNCTIONS_UNAVAILABLE";
      // Those that it had never got are told nothing: they go to the next process, as long as it comes up.
      const lost = [...flights].filter(({ isSent }) => isSent || !wasRunning);
      for (const { reader } of lost) reader.giveUp(code, `its process ended: ${why}`);
      if (flights.size > 0 || (wasRunning && failures <= eagerRestarts)) begin();
    },
    replaced() {
      if (isDraining) return;
      if (state === "stopped") return forgive();
      isDraining = true;
      drainTimer = setTimeout(() => end(replacement), drainMs);
      endDrained();
    },
    async close() {
      isClosed = true;
      clearTimeout(drainTimer);
      clearTimeout(startTimer);
      clearTimeout(idleTimer);
      watchdog?.stop();
      for (const { reader } of flights) reader.giveUp("FUNCTIONS_UNAVAILABLE", "the stack stops");
      await pool.destroy();
    },
  };
}

/** Between a connection's end and word of its process's. */
const brokenMs = 1000;
const idle = "nobody called it for long";
const replacement = "its code was replaced";
/** Longer than this nobody waits for a call of the old code to end. */
const drainMs = 5000;
