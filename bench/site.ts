import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { walk } from "../src/harden/node/walk.ts";
import type { PeerResult } from "./print-table.ts";
import type { Suite } from "./run.ts";
import { choosePages, makePages } from "./site-pages.ts";
import { floor, listPeers } from "./site-peers.ts";
import type { SiteOrder, SiteSample, SiteTask } from "./site-worker.ts";

/** Pages in one turn. Peers take turns so quickly that a busy machine is as busy for all of them. */
const turnPages = 100;
/** V8 compiles in the first of them; they are not counted. */
const warmUpRounds = 2;
const minRounds = 5;

/** Rewriting pages with a policy of their own, against reading, hashing and writing them unchanged. PERFORMANCE.md, D. */
export const site: Suite = async ({ folder, seconds, say }) => {
  const root = process.env.CURTAINWALL_DOCS ?? makePages(folder);
  const kind = process.env.CURTAINWALL_DOCS === undefined ? "made" : "real";
  const { files } = walk(root);
  const pages = choosePages(files);
  const { present, missing } = listPeers();
  if (missing.length > 0)
    say(
      `site: without ${missing.join(", ")}: install them in a folder, and name it in CURTAINWALL_BENCH_PEERS`,
    );
  const running = await Promise.all(
    present.map((peer) => start({ peer, files, pages, out: join(folder, peer) })),
  );
  try {
    const until = performance.now() + seconds * 1000;
    for (let round = 0; round < warmUpRounds + minRounds || performance.now() < until; round++) {
      say(`site: round ${round}`);
      await measure(running, pages.length, round);
      if (round < warmUpRounds) for (const { rounds } of running) rounds.length = 0;
    }
  } finally {
    for (const { child } of running) child.kill();
  }
  const total = pages.reduce((sum, { size }) => sum + size, 0);
  const floors = running.find(({ peer }) => peer === floor)?.rounds ?? [];
  return [
    {
      title: `${pages.length} ${kind} pages of ${Math.round(total / pages.length)} bytes, each with its own policy: a request is a page`,
      note:
        "Each page is read, rewritten, hashed (SHA-256) and written into a fresh folder, which goes after each turn, in one thread; the leak gate and compression are not in it. " +
        `Peers take turns of ${turnPages} pages, each in a process of its own; "best" adds the best of each turn over all rounds, × is the first row's CPU by this row's, ` +
        "in the median of the same round. The first row is what the disk asks for, and no less: a folder in memory (TMPDIR) asks for less. " +
        "What was learned of a text in an earlier round may be remembered, what was found out about a page may not." +
        (missing.length === 0 ? "" : ` Not installed: ${missing.join(", ")}.`),
      results: running.map(({ peer, rounds }) => summarise(peer, rounds, floors, pages.length)),
    },
  ];
};

interface RunningPeer {
  readonly peer: string;
  readonly child: ChildProcess;
  /** Rejects when the process ends, which it does only when it failed or is told to. */
  readonly ended: Promise<never>;
  /** By round, and in it by turn. */
  readonly rounds: SiteSample[][];
}

async function start(task: SiteTask): Promise<RunningPeer> {
  const child = fork(fileURLToPath(new URL("site-worker.ts", import.meta.url)), [], {
    execArgv: ["--conditions=curtainwall-source"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = once(child, "exit").then((): never => {
    throw new Error(`${task.peer} ended by itself`);
  });
  // Nobody waits for it when it is told to end.
  ended.catch(() => {});
  const peer = { peer: task.peer, child, ended, rounds: [] };
  await ask(peer, task);
  return peer;
}

async function measure(running: readonly RunningPeer[], pages: number, round: number): Promise<void> {
  for (const { rounds } of running) rounds.push([]);
  for (let from = 0, turn = 0; from < pages; from += turnPages, turn++) {
    const order: SiteOrder = { from, to: Math.min(from + turnPages, pages) };
    for (let place = 0; place < running.length; place++) {
      const next = running[(place + turn + round) % running.length];
      if (next !== undefined) next.rounds.at(-1)?.push((await ask(next, order)) as SiteSample);
    }
  }
}

async function ask(
  { child, ended }: Pick<RunningPeer, "child" | "ended">,
  question: SiteTask | SiteOrder,
): Promise<unknown> {
  const answered = once(child, "message");
  child.send(question);
  const [answer] = (await Promise.race([answered, ended])) as [unknown];
  return answer;
}

function summarise(
  name: string,
  rounds: readonly (readonly SiteSample[])[],
  floors: readonly (readonly SiteSample[])[],
  pages: number,
): PeerResult {
  const sum = (samples: readonly SiteSample[] | undefined, of: keyof SiteSample): number =>
    (samples ?? []).reduce((total, sample) => total + sample[of], 0) / pages;
  const best = (of: keyof SiteSample): number =>
    (rounds[0] ?? []).reduce(
      (total, _, turn) => total + Math.min(...rounds.map((round) => round[turn]?.[of] ?? Number.NaN)),
      0,
    ) / pages;
  const ratio = (of: keyof SiteSample): number =>
    median(rounds.map((round, index) => sum(floors[index], of) / sum(round, of)));
  return {
    name,
    cpuBest: best("cpuUs"),
    cpuMedian: median(rounds.map((round) => sum(round, "cpuUs"))),
    userBest: best("userUs"),
    ratioMedian: ratio("cpuUs"),
    wallRatioMedian: ratio("wallUs"),
    instructionsK: undefined,
    perSecondMedian: median(rounds.map((round) => 1e6 / sum(round, "wallUs"))),
    p99MsMedian: Number.NaN,
    rssMb: Number.NaN,
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
