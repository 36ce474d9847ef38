import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eleventyLayout, install, writeSite } from "./build-site.ts";
import type { PeerResult } from "./print-table.ts";
import type { Suite } from "./run.ts";

const pageCount = 1000;
/** However slow the machine is today. */
const minRounds = 1;

interface Peer {
  readonly name: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly prepare?: () => void;
  /** Part of its work is done in a jail, whose CPU time can't be told: bubblewrap does not wait for its processes. */
  readonly isSplit?: boolean;
}

interface Sample {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly userMs: number;
  readonly rssMb: number;
}

/** Building a site from Markdown, each time in a process of its own. PERFORMANCE.md, E. */
export const build: Suite = async ({ folder, seconds, say }) => {
  const until = performance.now() + seconds * 1000;
  say("build: compiling and installing the package");
  const own = await install(folder);
  const site = join(folder, "build-site");
  writeSite(site, pageCount);
  const meter = writeMeter(folder);
  const peers = listPeers({ folder, site, own });
  say("build: the first build, which compresses every page, is not counted");
  for (const peer of peers) measure(peer, meter);
  const rounds: Sample[][] = [];
  while (rounds.length < minRounds || performance.now() < until) {
    say(`build: round ${rounds.length}`);
    rounds.push(peers.map((peer) => measure(peer, meter)));
  }
  return [
    {
      title: `${pageCount} Markdown pages of about 4 KB; a request is a page, so that microseconds of CPU are milliseconds of the whole build`,
      note:
        `${rounds.length} rounds, in turns, a process each time, of the compiled package; compressed copies are there from before. ` +
        "Ours checks every page and address, highlights code and gives each page a policy; Eleventy and markdown-it do nothing of that. " +
        "The command's templates run in a jail, whose CPU can't be told: there the time on the wall counts, which is what somebody waits, and memory is the command's own." +
        (eleventyFolder() === undefined
          ? " Eleventy is not installed: CURTAINWALL_BENCH_PEERS names a folder with @11ty/eleventy."
          : ""),
      results: peers.map((peer, index) => summarise(peer, index, rounds)),
    },
  ];
};

function eleventyFolder(): string | undefined {
  const folder = process.env.CURTAINWALL_BENCH_PEERS;
  const modules = folder === undefined ? undefined : join(folder, "node_modules");
  return modules !== undefined && existsSync(join(modules, "@11ty/eleventy")) ? modules : undefined;
}

function listPeers({ folder, site, own }: { folder: string; site: string; own: string }): Peer[] {
  const cli = [join(own, "dist/cli/main.js"), "build"];
  const page = join(site, "content/pages/page-7.md");
  const cache = join(site, ".curtainwall/cache");
  let edits = 0;
  const eleventy = eleventyFolder();
  return [
    ...(eleventy === undefined ? [] : [makeEleventy({ folder, site, modules: eleventy })]),
    { name: "markdown-it, read and write", args: [writeFloor(folder, site, own)], cwd: folder },
    {
      name: "curtainwall's buildSite, cold",
      args: [writeOnce(site, own)],
      cwd: site,
      prepare: () => forget(join(folder, "build-cache")),
    },
    {
      name: "curtainwall build, cold",
      args: cli,
      cwd: site,
      prepare() {
        forget(join(cache, "site"));
        for (const name of ["build.record", "leaks.verdicts"]) rmSync(join(cache, name), { force: true });
      },
      isSplit: true,
    },
    {
      name: "curtainwall build, one page edited",
      args: cli,
      cwd: site,
      prepare: () => appendFileSync(page, `\nEdit ${++edits}.\n`),
      isSplit: true,
    },
    { name: "curtainwall build, unchanged", args: cli, cwd: site },
    { name: "node, which prints a letter", args: [writeLetter(folder)], cwd: folder },
  ];
}

/** Removes what an earlier build remembers, compressed copies aside. */
function forget(cache: string): void {
  for (const name of ["pages.memory", "templates.json", "pages.notes"])
    rmSync(join(cache, name), { force: true });
}

function makeEleventy({ folder, site, modules }: { folder: string; site: string; modules: string }): Peer {
  const cwd = join(folder, "eleventy");
  cpSync(join(site, "content/pages"), join(cwd, "pages"), { recursive: true });
  mkdirSync(join(cwd, "_includes"));
  symlinkSync(modules, join(cwd, "node_modules"));
  writeFileSync(join(cwd, "pages/pages.json"), '{"layout":"layout.njk"}');
  writeFileSync(join(cwd, "_includes/layout.njk"), eleventyLayout);
  const command = join(modules, "@11ty/eleventy/cmd.cjs");
  const args = [command, "--input=.", `--output=${join(folder, "eleventy-out")}`, "--quiet"];
  return { name: "Eleventy", args, cwd };
}

/** Renders each file with markdown-it, and writes it: what nothing in Node can be faster than. */
function writeFloor(folder: string, site: string, own: string): string {
  const file = join(folder, "floor.mjs");
  const out = join(folder, "floor");
  const content = join(site, "content/pages/");
  writeFileSync(
    file,
    `import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
const MarkdownIt = createRequire(${JSON.stringify(join(own, "package.json"))})("markdown-it");
const markdown = new (MarkdownIt.default ?? MarkdownIt)();
mkdirSync(${JSON.stringify(out)}, { recursive: true });
for (const name of readdirSync(${JSON.stringify(content)})) {
  const text = readFileSync(${JSON.stringify(content)} + name, "utf8");
  writeFileSync(${JSON.stringify(`${out}/`)} + name + ".html", markdown.render(text.replace(/^---[^]*?---\\n/, "")));
}
`,
  );
  return file;
}

/** What any command takes. */
function writeLetter(folder: string): string {
  const file = join(folder, "letter.mjs");
  writeFileSync(file, 'console.log("a");\n');
  return file;
}

/** Builds the site once, in one process, and publishes nothing. */
function writeOnce(site: string, own: string): string {
  const file = join(site, "..", "build-once.mjs");
  const entry = (name: string): string => JSON.stringify(join(own, "dist", name));
  writeFileSync(
    file,
    `import { parseContract } from ${entry("contract/index.js")};
import { buildSite } from ${entry("site/index.js")};
const { default: stack } = await import(${JSON.stringify(join(site, "curtainwall.config.ts"))});
await buildSite({ root: ${JSON.stringify(site)}, contract: parseContract(stack), cacheFolder: ${JSON.stringify(join(site, "..", "build-cache"))} });
`,
  );
  return file;
}

/** Tells a process's CPU time and memory when it ends. */
function writeMeter(folder: string): string {
  const file = join(folder, "meter.mjs");
  writeFileSync(
    file,
    `process.on("exit", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  process.getBuiltinModule("node:fs").writeSync(2, "\\nMETER " + JSON.stringify([(userCPUTime + systemCPUTime) / 1000, userCPUTime / 1000, maxRSS / 1024]) + "\\n");
});
`,
  );
  return file;
}

function measure({ prepare, args, cwd, isSplit = false }: Peer, meter: string): Sample {
  prepare?.();
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ["--import", meter, ...args], {
    cwd,
    encoding: "utf8",
  });
  const wallMs = performance.now() - started;
  const told = /METER (\[.*\])/.exec(stderr)?.[1];
  if (status !== 0 || told === undefined) throw new Error(`${args.join(" ")} failed:\n${stderr}`);
  const [cpuMs, userMs, rssMb] = JSON.parse(told) as [number, number, number];
  return isSplit
    ? { wallMs, cpuMs: Number.NaN, userMs: Number.NaN, rssMb }
    : { wallMs, cpuMs, userMs, rssMb };
}

function summarise({ name }: Peer, index: number, rounds: readonly (readonly Sample[])[]): PeerResult {
  const of = (key: keyof Sample, at = index): number[] =>
    rounds.map((round) => round[at]?.[key] ?? Number.NaN);
  const ratios = (key: keyof Sample): number => {
    const first = of(key, 0);
    return median(of(key).map((value, round) => (first[round] ?? Number.NaN) / value));
  };
  return {
    name,
    cpuBest: Math.min(...of("cpuMs")),
    cpuMedian: median(of("cpuMs")),
    userBest: Math.min(...of("userMs")),
    ratioMedian: ratios("cpuMs"),
    wallRatioMedian: ratios("wallMs"),
    wallMedianMs: median(of("wallMs")),
    instructionsK: undefined,
    perSecondMedian: Number.NaN,
    p99MsMedian: Number.NaN,
    rssMb: Math.max(...of("rssMb")),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}
