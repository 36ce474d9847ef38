import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { openStand, workerOf } from "../src/stack/functions/fixtures/group-stand.ts";
import type { StandGroup } from "../src/stack/functions/fixtures/group-stand.ts";
import { nodeEngine } from "../src/stack/functions/node-engine.ts";
import type { PeerResult, Table } from "./print-table.ts";
import type { Suite } from "./run.ts";
import { runWorker } from "./worker.ts";

/** Something that runs a function. */
interface Runner {
  readonly name: string;
  open(): Promise<OpenRunner>;
}

interface OpenRunner {
  call(): Promise<void>;
  /** Ends its process by force; resolves when it has ended. Undefined: nobody starts it again. */
  readonly kill?: () => Promise<void>;
  /** Processes beside this one. */
  pids(): Promise<number[]>;
  close(): Promise<void>;
}

interface Sample {
  readonly coldMs: number;
  readonly warmMs: number;
  /** Of all processes, for one warm call. */
  readonly warmCpuUs: number;
  readonly againMs: number;
  readonly rssMb: number;
}

const source = workerOf("return { echo: call.body };");
const warmCalls = 500;
const minRounds = 5;
const usPerTick = 10_000;

/**
 * A function from nothing to its first answer, its answers afterwards, one at a time, and from the end of its process to the next answer. Ours with sandbox,
 * filter, limits and keeper; the others without any.
 */
export const functions: Suite = async ({ folder, seconds, say }) => {
  const runners = listRunners(folder);
  const until = performance.now() + seconds * 1000;
  for (const runner of runners) await measure(runner);
  const rounds: Sample[][] = [];
  while (rounds.length < minRounds || performance.now() < until) {
    say(`functions: round ${rounds.length}`);
    const samples: Sample[] = [];
    for (const runner of runners) samples.push(await measure(runner));
    rounds.push(samples);
  }
  say("functions: what egress adds");
  return [
    toTable(runners, rounds),
    egressTable([1, 16].map((size) => [size, runWorker("egress-worker.ts", size)])),
  ];
};

/** What a request takes directly, and by way of egress, in milliseconds: medians. */
interface EgressSample {
  readonly directMs: number;
  readonly throughMs: number;
  /** Of each round. */
  readonly addedMs: number;
  readonly ratio: number;
}

function egressTable(samples: readonly (readonly [number, EgressSample])[]): Table {
  const told = samples.map(
    ([size, { directMs, throughMs, addedMs, ratio }]) =>
      `${size} at once: ${directMs.toFixed(2)} ms directly, ${throughMs.toFixed(2)} ms through egress (${ratio.toFixed(1)} times, ${addedMs.toFixed(2)} ms more)`,
  );
  return {
    title: "Egress: a request to a service over TLS, with a key added; medians on the wall, in turns",
    note: `${told.join("; ")}.`,
    results: [],
  };
}

async function measure({ open }: Runner): Promise<Sample> {
  const openedMs = performance.now();
  const runner = await open();
  try {
    // The stand's own sockets are there before a site is asked for anything: the clock begins with the call.
    const begunMs = runner.kill === undefined ? openedMs : performance.now();
    await runner.call();
    const coldMs = performance.now() - begunMs;
    for (let index = 0; index < warmCalls / 5; index++) await runner.call();
    const pids = await runner.pids();
    const cpuBefore = cpuOf(pids);
    const times: number[] = [];
    for (let index = 0; index < warmCalls; index++) {
      const callMs = performance.now();
      await runner.call();
      times.push(performance.now() - callMs);
    }
    const warmCpuUs = (cpuOf(pids) - cpuBefore) / warmCalls;
    const rssMb = pids.reduce((sum, pid) => sum + rssOf(pid), 0);
    const endMs = performance.now();
    await runner.kill?.();
    if (runner.kill !== undefined) await runner.call();
    const againMs = runner.kill === undefined ? NaN : performance.now() - endMs;
    return { coldMs, warmMs: median(times), warmCpuUs, againMs, rssMb };
  } finally {
    await runner.close();
  }
}

function listRunners(folder: string): Runner[] {
  const inNode: StandGroup["engine"] = (bundles, egressSocket) =>
    nodeEngine({ bundles, egressSocket, isSandboxed: true });
  return [
    { name: "curtainwall, workerd", open: () => openOwn({ functions: { own: source } }) },
    { name: "curtainwall, Node", open: () => openOwn({ functions: { own: source }, engine: inNode }) },
    { name: "Miniflare", open: openMiniflare },
    { name: "a child process of Node", open: () => openChild(folder) },
  ];
}

async function openOwn(group: StandGroup): Promise<OpenRunner> {
  const stand = await openStand({ group });
  const running = (): NonNullable<ReturnType<typeof stand.process>> => {
    const process = stand.process("group");
    if (process === undefined) throw new Error("the group does not run");
    return process;
  };
  return {
    async call() {
      const { status } = await stand.call("own", { text: "hello" });
      if (status !== 200) throw new Error(`answered ${status}`);
    },
    async kill() {
      const process = running();
      process.kill();
      await process.exited;
    },
    pids: async () => [(await running().inner) ?? 0],
    close: stand.close,
  };
}

const body = JSON.stringify({
  version: 1,
  id: "0f",
  route: "r",
  params: {},
  query: {},
  headers: {},
  body: {},
});

async function openMiniflare(): Promise<OpenRunner> {
  const miniflare = new Miniflare({ modules: true, script: source, compatibilityDate: "2026-07-30" });
  return {
    async call() {
      const answer = await miniflare.dispatchFetch("http://localhost/call/own", { method: "POST", body });
      await answer.text();
    },
    pids: async () => childrenOf(process.pid),
    close: () => miniflare.dispose(),
  };
}

async function openChild(folder: string): Promise<OpenRunner> {
  const socketPath = join(folder, "child.sock");
  const file = join(folder, "child.mjs");
  writeFileSync(
    file,
    `import { createServer } from "node:http";
createServer(async (request, response) => {
  let text = "";
  for await (const part of request) text += part;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ echo: JSON.parse(text).body }));
}).listen(${JSON.stringify(socketPath)}, () => process.stdout.write("ready"));`,
  );
  const agent = new Agent({ keepAlive: true });
  const start = (): Promise<ChildProcess> =>
    new Promise((resolve) => {
      rmSync(socketPath, { force: true });
      const started = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "inherit"] });
      started.stdout.once("data", () => resolve(started));
    });
  let child: ChildProcess | undefined;
  const end = (): Promise<void> =>
    new Promise((resolve) => {
      child?.once("exit", () => resolve());
      child?.kill("SIGKILL");
      child = undefined;
    });
  return {
    async call() {
      child ??= await start();
      await post(socketPath, agent);
    },
    kill: end,
    pids: async () => [child?.pid ?? 0],
    async close() {
      agent.destroy();
      await end();
    },
  };
}

function post(socketPath: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, agent, method: "POST", path: "/call/own" }, (answer) => {
      answer.resume();
      answer.on("end", resolve);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

/** Microseconds of processor time that this process and others have used. */
function cpuOf(pids: readonly number[]): number {
  const { user, system } = process.cpuUsage();
  return user + system + pids.reduce((sum, pid) => sum + ticksOf(pid) * usPerTick, 0);
}

function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

const rssOf = (pid: number): number =>
  (Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * 4096) / 2 ** 20;

function toTable(runners: readonly Runner[], rounds: readonly Sample[][]): Table {
  const of = (index: number, key: keyof Sample): number[] =>
    rounds.map((round) => round[index]?.[key] ?? NaN);
  const ms = (index: number, key: keyof Sample, digits: number): string =>
    `${median(of(index, key)).toFixed(digits)} (best ${Math.min(...of(index, key)).toFixed(digits)})`;
  const walls = runners.map(
    ({ name }, index) =>
      `${name}: first answer ${ms(index, "coldMs", 0)} ms, warm ${ms(index, "warmMs", 2)} ms, after its end ${ms(index, "againMs", 0)} ms`,
  );
  return {
    title: "Functions: a warm call, one at a time; CPU in microseconds, of all processes",
    note: `${rounds.length} rounds, in turns; medians on the wall, and the best. ${walls.join("; ")}.`,
    results: runners.map(({ name }, index): PeerResult => ({
      name,
      cpuBest: Math.min(...of(index, "warmCpuUs")),
      cpuMedian: median(of(index, "warmCpuUs")),
      userBest: NaN,
      ratioMedian: median(
        of(index, "warmCpuUs").map((value, round) => (rounds[round]?.[0]?.warmCpuUs ?? NaN) / value),
      ),
      instructionsK: undefined,
      perSecondMedian: NaN,
      p99MsMedian: NaN,
      rssMb: Math.max(...of(index, "rssMb")),
    })),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
