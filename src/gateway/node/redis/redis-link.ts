import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import { limitScript } from "../../limits/limit-script.ts";
import type { ScriptLink } from "../../limits/shared-counting.ts";
import { createReplyReader, writeCommand } from "./reply-reader.ts";
import type { RedisReply } from "./reply-reader.ts";

/** A connection to a Redis or Valkey that takes commands. */
export interface RedisConnection {
  /** Connected, TLS and password and all. */
  readonly socket: Duplex;
  /** What counters' names are hashed with, from whoever knows a secret of this store. Default: what all sites like this one know. */
  readonly seed?: readonly [number, number] | undefined;
}

/** Options of {@link createRedisLink}. */
export interface RedisLinkOptions {
  /** Opens a connection, or has it opened by whoever has the password. */
  readonly open: () => Promise<RedisConnection>;
  /** What counters' names are hashed with unless a connection says otherwise. */
  readonly seed: readonly [number, number];
  /** How long an answer may take. */
  readonly timeoutMs: number;
  /** The store can't be asked any more, and why; told once until {@link onBack}. */
  readonly onLost: (reason: string) => void;
  readonly onBack: () => void;
}

/** A connection to a Redis that is made again whenever it is lost. */
export interface RedisLink extends ScriptLink {
  close(): void;
}

interface Pending {
  readonly at: number;
  readonly done: (reply: RedisReply | undefined) => void;
}

/** Calls that may be under way at once: what comes above them is counted here, as when the store is lost. */
const maxPending = 10_000;
const connectTimeoutMs = 5000;
const firstDelayMs = 100;
const longestDelayMs = 5000;
const scriptDigest = createHash("sha1").update(limitScript).digest("hex");
/** A counter that nobody is limited by. */
const probe = ["1", "cw:{probe}:probe", "1", "1000000", "1"];

/**
 * Keeps a connection to a Redis or Valkey and runs the limits' script there: all calls of one turn of the event loop in one write. No call waits
 * longer than `timeoutMs`. An answer that is late, an error or a broken connection end the connection; every call is then refused at once, until
 * a new one has run the script on trial. Attempts come ever later, 5 seconds apart at most.
 */
export function createRedisLink({
  open,
  seed: ownSeed,
  timeoutMs,
  onLost,
  onBack,
}: RedisLinkOptions): RedisLink {
  let socket: Duplex | undefined;
  let seed = ownSeed;
  let pending: Pending[] = [];
  let isReady = false;
  let isLost = false;
  let isClosed = false;
  let isWatching = false;
  let isCorked = false;
  let attempts = 0;
  let retry: NodeJS.Timeout | undefined;
  /** Of the connection that is being made: what comes of an earlier one is no longer of interest. */
  let current = 0;

  function connect(): void {
    const connection = ++current;
    const isOld = (): boolean => connection !== current || isClosed;
    const timer = setTimeout(() => fail(connection, "no connection in time"), connectTimeoutMs);
    timer.unref();
    open().then(
      ({ socket: opened, seed: given = ownSeed }) => {
        if (isOld()) return void opened.destroy();
        // Unless it is another, names that are known stay so.
        if (given[0] !== seed[0] || given[1] !== seed[1]) seed = given;
        attach(opened, connection);
        greet(connection, () => clearTimeout(timer));
      },
      (error: unknown) => {
        clearTimeout(timer);
        fail(connection, `no connection (${codeOf(error)})`);
      },
    );
  }

  function attach(opened: Duplex, connection: number): void {
    socket = opened;
    const reader = createReplyReader();
    opened.on("data", (part: Uint8Array) => {
      if (connection !== current) return;
      try {
        for (const reply of reader.push(part)) {
          const call = pending.shift();
          if (call === undefined) throw new Error("it answers what was not asked");
          call.done(reply);
        }
      } catch (error) {
        fail(connection, (error as Error).message);
      }
    });
    opened.on("error", (error) => fail(connection, codeOf(error)));
    opened.on("close", () => fail(connection, "it closed the connection"));
    // Who opened it may have read from it, and paused it since.
    opened.resume();
  }

  /** A connection counts once it has run the script: a replica that only reads, or a server that is loading, is none. */
  function greet(connection: number, done: () => void): void {
    const judge = (reply: RedisReply | undefined): boolean => {
      if (reply === undefined || connection !== current) return false;
      const fault = faultOf(reply);
      if (fault !== undefined) fail(connection, `it answers ${fault}`);
      return fault === undefined;
    };
    write(writeCommand("EVAL", limitScript, ...probe), (reply) => {
      done();
      if (!judge(reply)) return;
      isReady = true;
      attempts = 0;
      if (isLost) onBack();
      isLost = false;
    });
  }

  function write(command: string, done: Pending["done"]): void {
    pending.push({ at: performance.now(), done });
    if (!isCorked) {
      isCorked = true;
      socket?.cork();
      setImmediate(() => {
        isCorked = false;
        socket?.uncork();
      });
    }
    socket?.write(command);
    if (isWatching) return;
    isWatching = true;
    watch(timeoutMs);
  }

  function watch(delayMs: number): void {
    // What lies in the socket is read before it is judged late: perhaps it was this thread that had no time.
    setTimeout(() => setImmediate(judgeOldest), delayMs).unref();
  }

  function judgeOldest(): void {
    const [oldest] = pending;
    if (oldest === undefined) {
      isWatching = false;
      return;
    }
    // Whoever is greeted has the time that a connection may take.
    const allowedMs = isReady ? timeoutMs : connectTimeoutMs;
    const leftMs = oldest.at + allowedMs - performance.now();
    if (leftMs > 0) return watch(leftMs);
    isWatching = false;
    fail(current, `no answer in ${allowedMs} ms`);
  }

  function fail(connection: number, reason: string): void {
    if (connection !== current || isClosed) return;
    current++;
    isReady = false;
    socket?.destroy();
    socket = undefined;
    isCorked = false;
    const unanswered = pending;
    pending = [];
    if (!isLost) onLost(reason);
    isLost = true;
    for (const { done } of unanswered) done(undefined);
    const delayMs = Math.min(longestDelayMs, firstDelayMs * 2 ** attempts++);
    // Not all threads of all hosts at the same moment.
    retry = setTimeout(connect, delayMs * (0.5 + Math.random() / 2));
    retry.unref();
  }

  function run(
    command: readonly string[],
    keys: readonly string[],
    args: readonly string[],
    done: (reply: readonly number[] | undefined) => void,
  ): void {
    const connection = current;
    write(writeCommand(...command, String(keys.length), ...keys, ...args), (reply) => {
      if (reply === undefined) return done(undefined);
      if (isNumbers(reply)) return done(reply);
      const fault = faultOf(reply) ?? "no numbers";
      // As after a restart: once it was sent whole, it is known again.
      if (fault === "NOSCRIPT" && command[0] === "EVALSHA")
        return run(["EVAL", limitScript], keys, args, done);
      fail(connection, `it answers ${fault}`);
      done(undefined);
    });
  }

  connect();
  return {
    seed: () => seed,
    run(keys, args, done) {
      if (!isReady || pending.length >= maxPending) return done(undefined);
      run(["EVALSHA", scriptDigest], keys, args, done);
    },
    close() {
      isClosed = true;
      current++;
      isReady = false;
      clearTimeout(retry);
      socket?.destroy();
      const unanswered = pending;
      pending = [];
      for (const { done } of unanswered) done(undefined);
    },
  };
}

const faultOf = (reply: RedisReply): string | undefined =>
  typeof reply === "object" && reply !== null && "fault" in reply ? reply.fault : undefined;

const isNumbers = (reply: RedisReply): reply is number[] =>
  Array.isArray(reply) && reply.every((entry) => typeof entry === "number");

function codeOf(error: unknown): string {
  const { code, name } = error as { code?: string; name?: string };
  return code ?? name ?? "unknown";
}
