import { execFile, spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

/**
 * Starts servers, loads them in turn, and reads what each request cost them.
 *
 * Server and load share one core. On two, a load that waits for a slow server sleeps, and each answer has to wake it by an
 * interrupt that the server pays: measured on a virtual machine, 2.5 µs a request for a server that is faster than the load
 * and 9.8 for one that is slower, so that whoever is slower looks slower still. On one core nobody is woken across cores.
 */

const run = promisify(execFile);
const ticksPerSecond = 100;
const pin = (command: string[]): string[] => (has("taskset") ? ["taskset", "-c", "0", ...command] : command);
/** As a batch job the load doesn't take the core from the server in the middle of an answer. */
const pinLoad = (command: string[]): string[] =>
  has("chrt") ? pin(["chrt", "-b", "0", ...command]) : pin(command);

/** V8 goes on compiling for a hundred thousand requests; before, the larger program looks slower than it is. */
const warmUpRequests = 200_000;
/** For those that would take minutes to get there. */
const longestWarmUpSeconds = 20;

/** A server that is compared. */
export interface Peer {
  readonly name: string;
  /** Prints `ready <port>` when it answers. */
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Puts a server under load for so many seconds. */
export type Load = (port: number, seconds: number) => Promise<LoadResult>;

/** What a load saw. */
export interface LoadResult {
  readonly requests: number;
  readonly failed: number;
  readonly p99Ms: number;
}

/** What one server took, over all rounds. */
export interface PeerResult {
  readonly name: string;
  /** CPU microseconds per request: of the server's processes, all threads. */
  readonly cpuBest: number;
  readonly cpuMedian: number;
  /** The part of {@link cpuBest}'s kind that was spent outside the kernel: what the server's own code takes. */
  readonly userBest: number;
  /** CPU of the first peer in the same round by this peer's: the median over the rounds. */
  readonly ratioMedian: number;
  /** Instructions per request, in thousands; undefined where the machine can't count them. */
  readonly instructionsK: number | undefined;
  readonly perSecondMedian: number;
  readonly p99MsMedian: number;
  readonly rssMb: number;
}

/** Tells whether a program is installed. */
export function has(program: string): boolean {
  return spawnSync("which", [program]).status === 0;
}

/** The command of a server of ours, run from source. */
export function nodeServer(script: string, ...args: string[]): string[] {
  const url = new URL(script, import.meta.url);
  return [process.execPath, "--conditions=curtainwall-source", url.pathname, ...args];
}

interface Sample extends LoadResult {
  readonly cpuUs: number;
  readonly userUs: number;
  readonly instructions: number | undefined;
}

/** Measures peers in interleaved rounds. The first is what the others are compared with. */
export async function compare(options: {
  title: string;
  peers: readonly Peer[];
  load: Load;
  rounds: number;
  /** At most so long for each. Default 20. */
  warmUpSeconds?: number;
  say: (text: string) => void;
}): Promise<PeerResult[]> {
  const { peers, load, rounds, warmUpSeconds = longestWarmUpSeconds, say } = options;
  const running: { peer: Peer; server: Running; samples: Sample[] }[] = [];
  try {
    for (const peer of peers) {
      const server = await start(peer);
      running.push({ peer, server, samples: [] });
      say(`${options.title}: ${peer.name} warms up`);
      await warmUp(peer, server, load, warmUpSeconds);
    }
    for (let round = 1; round <= rounds; round++) {
      say(`${options.title}: round ${round} of ${rounds}`);
      for (const { server, samples } of running) samples.push(await measure(server, load));
    }
    const first = running[0]?.samples ?? [];
    return running.map(({ peer, server, samples }) => summarise(peer.name, server, samples, first));
  } finally {
    await Promise.all(running.map(({ server }) => server.stop()));
  }
}

async function warmUp(peer: Peer, server: Running, load: Load, mostSeconds: number): Promise<void> {
  let requests = 0;
  for (let seconds = 0; seconds < mostSeconds && requests < warmUpRequests; seconds += 2) {
    const result = await load(server.port, 2);
    if (result.requests === 0 || result.failed > 0)
      throw new Error(`${peer.name} does not answer as it should`);
    requests += result.requests;
  }
}

async function measure(server: Running, load: Load): Promise<Sample> {
  const before = cpuTicks(server.pid);
  const counting = countInstructions(server.pid);
  const result = await load(server.port, 1);
  const after = cpuTicks(server.pid);
  const instructions = await counting;
  const { requests } = result;
  return {
    ...result,
    cpuUs: ((after.user + after.system - before.user - before.system) * 1e6) / ticksPerSecond / requests,
    userUs: ((after.user - before.user) * 1e6) / ticksPerSecond / requests,
    // Counted over a little less than the load took.
    instructions: instructions === undefined ? undefined : instructions / requests,
  };
}

function summarise(name: string, server: Running, samples: Sample[], first: Sample[]): PeerResult {
  const cpu = samples.map((sample) => sample.cpuUs);
  const counted = samples.flatMap(({ instructions }) => (instructions === undefined ? [] : [instructions]));
  return {
    name,
    cpuBest: Math.min(...cpu),
    cpuMedian: median(cpu),
    userBest: Math.min(...samples.map(({ userUs }) => userUs)),
    ratioMedian: median(samples.map(({ cpuUs }, round) => (first[round]?.cpuUs ?? Number.NaN) / cpuUs)),
    instructionsK: counted.length === 0 ? undefined : median(counted) / 1000,
    perSecondMedian: median(samples.map(({ requests }) => requests)),
    p99MsMedian: median(samples.map(({ p99Ms }) => p99Ms)),
    rssMb: rssMb(server.pid),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** A server that answers. */
export interface Running {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts a server and waits until it answers. */
export async function start(peer: Peer): Promise<Running> {
  const [program = "", ...args] = pin([...peer.command]);
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...peer.env },
  });
  const port = await Promise.race([
    readPort(child),
    once(child, "exit").then(() => {
      throw new Error(`${peer.name} ended before it was ready`);
    }),
  ]);
  return {
    pid: child.pid ?? 0,
    port,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill();
      await exited;
    },
  };
}

async function readPort(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error("The server's output is not read");
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /^ready ([0-9]+)$/.exec(line)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error("The server was never ready");
}

/** Processor time of a process, all threads, and of its children. */
function cpuTicks(pid: number): { user: number; system: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = { user: Number(fields[11]), system: Number(fields[12]) };
  for (const child of children(pid)) {
    const { user, system } = cpuTicks(child);
    ticks.user += user;
    ticks.system += system;
  }
  return ticks;
}

function children(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

function rssMb(pid: number): number {
  const pages = /VmRSS:\s+([0-9]+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(pages) / 1024 + children(pid).reduce((sum, child) => sum + rssMb(child), 0);
}

let countable = has("perf");

/** Instructions of a process and its children during one second; undefined where the machine can't count. */
async function countInstructions(pid: number): Promise<number | undefined> {
  if (!countable) return undefined;
  const pids = [pid, ...children(pid)].join();
  const events = "instructions:u,instructions:k";
  try {
    const { stderr } = await run("perf", ["stat", "-x,", "-e", events, "-p", pids, "--", "sleep", "1"]);
    const counts = stderr
      .split("\n")
      .flatMap((line) => (line.includes("instructions") ? [Number(line.split(",")[0])] : []));
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (counts.length === 2 && Number.isFinite(total)) return total;
  } catch {
    // As where it is not permitted.
  }
  countable = false;
  return undefined;
}

/** A load by wrk: 64 connections that stay open. */
export function wrkLoad(path: string, script?: string): Load {
  return async (port, seconds) => {
    const url = `https://127.0.0.1:${port}${path}`;
    const lua = script === undefined ? [] : ["-s", script];
    const args = ["wrk", "-t1", "-c64", `-d${seconds}s`, "--latency", "-H", "Host: localhost", ...lua, url];
    const [program = "", ...rest] = pinLoad(args);
    const { stdout } = await run(program, rest);
    const number = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? 0);
    const p99 = /99%\s+([0-9.]+)(us|ms|s)/.exec(stdout);
    const unit = { us: 0.001, ms: 1, s: 1000 }[p99?.[2] ?? "ms"] ?? 1;
    return {
      requests: number(/([0-9]+) requests in/),
      failed: number(/Non-2xx or 3xx responses: ([0-9]+)/),
      p99Ms: Number(p99?.[1] ?? 0) * unit,
    };
  };
}

/** A load by a script of ours, which takes a port, seconds and what else it is given, and prints a result as JSON. */
export function scriptLoad(script: string, ...args: string[]): Load {
  return async (port, seconds) => {
    const command = nodeServer(script, String(port), String(seconds), ...args);
    const [program = "", ...rest] = pinLoad(command);
    const { stdout } = await run(program, rest, { env: { ...process.env, NODE_NO_WARNINGS: "1" } });
    return JSON.parse(stdout) as LoadResult;
  };
}
