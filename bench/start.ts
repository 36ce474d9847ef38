import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { developmentCertificate } from "../src/edge/index.ts";
import { install } from "./build-site.ts";
import type { PeerResult, Table } from "./print-table.ts";
import type { Suite } from "./run.ts";

/** A way to start a server, in a folder. */
interface Peer {
  readonly name: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Done before each of its starts, and afterwards. */
  readonly before?: () => void;
  readonly after?: () => void;
}

interface Sample {
  readonly wallMs: number;
  /** Of all its processes, until it served. */
  readonly cpuMs: number;
  readonly rssMb: number;
}

const minRounds = 3;

/**
 * From the start of the process until it serves, against Node with the same libraries, the same bytes and the same certificate.
 * PERFORMANCE.md, F.
 */
export const start: Suite = async ({ folder, seconds, say }) => {
  const until = performance.now() + seconds * 1000;
  say("start: compiling and installing the package");
  const own = await install(folder, ["workerd"]);
  const libraries = ["zod", "jose", "undici"];
  const kinds = [
    { title: "a site of pages alone", config: "", libraries: ["zod"] },
    { title: "a site with an API behind the gateway", config: api, libraries },
    { title: "a site with a vault, egress and a function", config: secrets, libraries },
  ];
  const tables: { title: string; peers: Peer[]; rounds: Sample[][] }[] = [];
  for (const [index, { title, config, libraries }] of kinds.entries()) {
    const site = join(folder, `start-site-${index}`);
    writeSite(site, config);
    await run([process.execPath, join(own, "dist/cli/main.js"), "build"], site);
    tables.push({ title, peers: await listPeers({ site, own, libraries }), rounds: [] });
  }
  // One round to warm the disk's cache and the kept code, which is not counted.
  for (const { peers } of tables) for (const peer of peers) await measure(peer);
  for (let round = 0; round < minRounds || performance.now() < until; round++) {
    say(`start: round ${round}`);
    for (const { peers, rounds } of tables) {
      const samples: Sample[] = [];
      for (const peer of peers) samples.push(await measure(peer));
      rounds.push(samples);
    }
  }
  return tables.map(toTable);
};

const api = `
  upstreams: { shop: upstream({ url: "https://127.0.0.1:9" }) },
  routes: { "GET /api/x": { access: everyone, limit: "5/min per client", response: z.object({}), to: "shop" } },`;

const secrets = `
  functions: { quotes: {} },
  secrets: {
    DELIVERY_KEY: secret({ use: { request: "GET https://127.0.0.1:9/quotes" }, by: fn("quotes"), inject: bearer() }),
  },
  routes: { "GET /api/x": { access: everyone, limit: "5/min per client", response: z.object({}), to: fn("quotes") } },`;

/** One page of 10 KB, and what else its contract names. */
function writeSite(site: string, config: string): void {
  mkdirSync(join(site, "content/pages"), { recursive: true });
  mkdirSync(join(site, "templates"));
  writeFileSync(
    join(site, "curtainwall.config.ts"),
    `import { bearer, defineStack, everyone, fn, secret, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: false },
  site: { content: "content", templates: "templates", collections: { pages: z.object({ title: z.string() }) } },${config}
});
`,
  );
  if (config === secrets) {
    mkdirSync(join(site, "functions"));
    writeFileSync(
      join(site, "functions/quotes.ts"),
      `import { defineFunction } from "curtainwall/functions";\nexport default defineFunction(() => ({}));\n`,
    );
  }
  writeFileSync(join(site, "content/pages/index.md"), `---\ntitle: Home\n---\n${"Bread. ".repeat(1400)}\n`);
  writeFileSync(
    join(site, "templates/pages.tsx"),
    `import { Content } from "curtainwall/template";
export const page = ({ entry }) => <html lang="en"><head><title>{entry.data.title}</title></head><body><Content of={entry} /></body></html>;
`,
  );
}

async function listPeers({
  site,
  own,
  libraries,
}: {
  site: string;
  own: string;
  libraries: readonly string[];
}): Promise<Peer[]> {
  const releases = join(site, ".curtainwall/edge/releases");
  const pack = readdirSync(releases, { recursive: true, encoding: "utf8" }).find((name) =>
    name.endsWith(".release"),
  );
  if (pack === undefined) throw new Error(`no release in ${readdirSync(releases).join(", ")}`);
  const { cert, key } = await developmentCertificate({ folder: join(site, "raw-authority") });
  const leaf = join(site, "leaf.pem");
  writeFileSync(leaf, `${key}\n${cert}`);
  // Beside the package, so that it finds the same libraries.
  const script = join(site, "start-raw.ts");
  writeFileSync(script, readFileSync(fileURLToPath(new URL("./servers/start-raw.ts", import.meta.url))));
  const raw = [process.execPath, script, join(releases, pack), leaf];
  const command = [process.execPath, join(own, "dist/cli/main.js"), "start"];
  // Set aside for the start that has none, so that the others' is still there.
  const code = join(site, ".curtainwall/code");
  const aside = join(site, "code-aside");
  const first = {
    before: (): void => renameSync(code, aside),
    after(): void {
      rmSync(code, { recursive: true, force: true });
      renameSync(aside, code);
    },
  };
  return [
    { name: `raw node with ${libraries.join(", ")}`, command: [...raw, ...libraries], cwd: site },
    { name: "raw node, no library", command: raw, cwd: site },
    { name: "curtainwall start, again", command, cwd: site },
    { name: "curtainwall start, the first time", command, cwd: site, ...first },
    { name: "curtainwall start, not bundled", command, cwd: site, environment: { CURTAINWALL_PLAIN: "1" } },
  ];
}

async function run([file = "", ...args]: readonly string[], cwd: string): Promise<void> {
  const child = spawn(file, args, { cwd, stdio: ["ignore", "ignore", "inherit"] });
  const [status] = (await once(child, "exit")) as [number | null];
  if (status !== 0) throw new Error(`${args.join(" ")} failed`);
}

/** Starts a server, waits until it says that it serves, and ends it. */
async function measure({
  command: [file = "", ...args],
  cwd,
  environment,
  before,
  after,
}: Peer): Promise<Sample> {
  before?.();
  const started = performance.now();
  const child = spawn(file, args, {
    cwd,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...environment },
  });
  let words = "";
  const sample = await new Promise<Sample>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => {
      words += String(chunk);
      if (!/^serving/m.test(words)) return;
      child.stderr.removeAllListeners("data").resume();
      const wallMs = performance.now() - started;
      resolve({ wallMs, ...spentBy(child.pid ?? 0) });
    });
    child.once("exit", () => reject(new Error(words)));
  });
  child.removeAllListeners("exit");
  child.kill("SIGTERM");
  await once(child, "exit");
  after?.();
  return sample;
}

/** CPU time and memory of a process and of those that it started and that still run. */
function spentBy(pid: number): { cpuMs: number; rssMb: number } {
  const tasks = readdirSync(`/proc/${pid}/task`);
  let cpuMs = 0;
  let rssMb = Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  for (const task of tasks) {
    const place = `/proc/${pid}/task/${task}`;
    cpuMs += Number(readFileSync(`${place}/schedstat`, "utf8").split(" ")[0]) / 1e6;
    for (const child of readFileSync(`${place}/children`, "utf8").split(" ").filter(Boolean)) {
      const spent = spentBy(Number(child));
      cpuMs += spent.cpuMs;
      rssMb += spent.rssMb;
    }
  }
  return { cpuMs, rssMb };
}

function toTable({ title, peers, rounds }: { title: string; peers: Peer[]; rounds: Sample[][] }): Table {
  const of = (index: number, key: keyof Sample): number[] =>
    rounds.map((round) => round[index]?.[key] ?? NaN);
  const best = (index: number): number => Math.min(...of(index, "wallMs"));
  const times = peers.map(
    ({ name }, index) => `${name}: ${best(index).toFixed(0)} ms, × ${(best(index) / best(0)).toFixed(2)}`,
  );
  return {
    title: `Start: ${title}. A request is a start: CPU in milliseconds, of all processes until it served`,
    note: `${rounds.length} rounds, in turns. Best on the wall, and how often as long as the first row takes: ${times.join("; ")}.`,
    results: peers.map(({ name }, index): PeerResult => ({
      name,
      cpuBest: Math.min(...of(index, "cpuMs")),
      cpuMedian: median(of(index, "cpuMs")),
      userBest: NaN,
      ratioMedian: ratio("cpuMs", index),
      wallRatioMedian: ratio("wallMs", index),
      wallMedianMs: median(of(index, "wallMs")),
      instructionsK: undefined,
      perSecondMedian: NaN,
      p99MsMedian: NaN,
      rssMb: Math.max(...of(index, "rssMb")),
    })),
  };

  function ratio(key: keyof Sample, index: number): number {
    const first = of(0, key);
    return median(of(index, key).map((value, round) => (first[round] ?? NaN) / value));
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? NaN;
}
