import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Building 1,000 Markdown pages: PERFORMANCE.md, E. Each build is a process of its own, and they take turns. Run it with
 *
 *   node --conditions=curtainwall-source bench/build.ts [rounds]
 *
 * Compressed copies are there already, as after any build before. `CURTAINWALL_BENCH_PEERS` names a folder in which
 * `@11ty/eleventy` is installed; without it Eleventy is left out.
 */
const rounds = Number(process.argv[2] ?? 5);
const peersFolder = process.env.CURTAINWALL_BENCH_PEERS;
const folder = mkdtempSync(join(tmpdir(), "curtainwall-bench-build-"));
const site = join(folder, "site");
const cache = join(site, ".curtainwall", "cache", "compressed");
const pageCount = 1000;

/** Tells a process's CPU time and memory when it ends. */
const meter = join(folder, "meter.mjs");

interface Sample {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly rssMb: number;
}

interface Peer {
  readonly prepare?: () => void;
  readonly args: readonly string[];
  readonly cwd?: string;
}

try {
  writeSite();
  writeFileSync(
    meter,
    `import { writeSync } from "node:fs"; process.on("exit", () => { const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage(); writeSync(2, "\\nMETER " + JSON.stringify([(userCPUTime + systemCPUTime) / 1000, maxRSS / 1024]) + "\\n"); });`,
  );
  const own = ["--conditions=curtainwall-source", join(import.meta.dirname, "build-once.ts"), site];
  let edits = 0;
  const peers: Record<string, Peer> = {
    ...(peersFolder === undefined ? {} : { eleventy: eleventy(peersFolder) }),
    "markdown-it, read and write": { args: [writeFloor()] },
    "curtainwall, cold": { prepare: forget, args: own },
    "curtainwall, unchanged": { args: own },
    "curtainwall, one page edited": {
      prepare: () => appendFileSync(join(site, "content/pages/page-7.md"), `\nEdit ${++edits}.\n`),
      args: own,
    },
  };
  measure({ args: own });
  const samples = Object.fromEntries(Object.keys(peers).map((name): [string, Sample[]] => [name, []]));
  for (let round = 0; round < rounds; round++) {
    console.error(`build: round ${round}`);
    for (const [name, peer] of Object.entries(peers)) samples[name]?.push(measure(peer));
  }
  console.log(
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, ${pageCount} pages, ${rounds} rounds`,
  );
  if (peersFolder === undefined)
    console.log("Eleventy is absent: CURTAINWALL_BENCH_PEERS names no folder with it");
  console.log("least CPU ms, median CPU ms, median wall ms, most memory in MB, of whole processes");
  for (const [name, all] of Object.entries(samples)) {
    const cpu = all.map(({ cpuMs }) => cpuMs);
    const figures = [
      Math.min(...cpu),
      median(cpu),
      median(all.map(({ wallMs }) => wallMs)),
      Math.max(...all.map(({ rssMb }) => rssMb)),
    ];
    console.log(name.padEnd(30), ...figures.map((figure) => figure.toFixed(0).padStart(8)));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function measure({ prepare, args, cwd }: Peer): Sample {
  prepare?.();
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ["--import", meter, ...args], {
    cwd: cwd ?? folder,
    encoding: "utf8",
  });
  const wallMs = performance.now() - started;
  const told = /METER (\[.*\])/.exec(stderr)?.[1];
  if (status !== 0 || told === undefined) throw new Error(`${args.join(" ")} failed:\n${stderr}`);
  const [cpuMs, rssMb] = JSON.parse(told) as [number, number];
  return { wallMs, cpuMs, rssMb };
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** What an earlier build left, compressed copies aside. */
function forget(): void {
  for (const name of ["pages.memory", "templates.json", "release.memory"])
    rmSync(join(cache, name), { force: true });
}

function eleventy(modules: string): Peer {
  const cwd = join(folder, "eleventy");
  cpSync(join(site, "content/pages"), join(cwd, "pages"), { recursive: true });
  mkdirSync(join(cwd, "_includes"));
  symlinkSync(join(modules, "node_modules"), join(cwd, "node_modules"));
  writeFileSync(join(cwd, "pages/pages.json"), '{"layout":"layout.njk"}');
  writeFileSync(
    join(cwd, "_includes/layout.njk"),
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title><link rel="stylesheet" href="/site.css"></head><body><nav><a href="/page-0/">Home</a></nav><main><h1>{{ title }}</h1><time datetime="{{ date }}">{{ date }}</time><div>{{ content | safe }}</div></main></body></html>',
  );
  const command = join(modules, "node_modules/@11ty/eleventy/cmd.cjs");
  return { args: [command, "--input=.", `--output=${join(folder, "eleventy-out")}`, "--quiet"], cwd };
}

/** Renders each file with markdown-it, and writes it: what nothing in Node can be faster than. */
function writeFloor(): string {
  const file = join(folder, "floor.mjs");
  writeFileSync(
    file,
    `import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import MarkdownIt from ${JSON.stringify(import.meta.resolve("markdown-it"))};
const markdown = new MarkdownIt();
mkdirSync(${JSON.stringify(join(folder, "floor"))}, { recursive: true });
for (const name of readdirSync(${JSON.stringify(join(site, "content/pages"))})) {
  const text = readFileSync(${JSON.stringify(join(site, "content/pages/"))} + name, "utf8");
  writeFileSync(${JSON.stringify(join(folder, "floor/"))} + name + ".html", markdown.render(text.replace(/^---[^]*?---\\n/, "")));
}
`,
  );
  return file;
}

function writeSite(): void {
  for (const name of ["content/pages", "templates", "public"])
    mkdirSync(join(site, name), { recursive: true });
  for (let index = 0; index < pageCount; index++)
    writeFileSync(join(site, "content/pages", `page-${index}.md`), makePage(index));
  writeFileSync(join(site, "public/site.css"), "body { color: #222; font-family: sans-serif }\n".repeat(20));
  writeFileSync(
    join(site, "templates/pages.tsx"),
    `import { asset, Content } from "curtainwall/template";
export function page({ entry }) {
  return (
    <html lang="en">
      <head><meta charset="utf-8" /><title>{entry.data.title}</title><link rel="stylesheet" href={asset("site.css")} /></head>
      <body>
        <nav><a href="/page-0/">Home</a></nav>
        <main><h1>{entry.data.title}</h1><time dateTime={entry.data.date}>{entry.data.date}</time><Content of={entry} /></main>
      </body>
    </html>
  );
}
`,
  );
}

/** About 4 KB, with what people write: headings, links, lists, sometimes code and a table. */
function makePage(index: number): string {
  const words = readFileSync(import.meta.filename, "utf8").match(/[a-z]{3,9}/g) ?? [];
  const word = (at: number): string => words[(index * 31 + at * 7) % words.length] ?? "bread";
  const sentence = (at: number): string =>
    `${Array.from({ length: 12 }, (_, step) => word(at * 12 + step)).join(" ")}.`;
  const parts = [`---\ntitle: "Page ${index}"\ndate: "2026-09-02"\n---\n`];
  for (let part = 0; part < 4; part++) {
    const paragraph = [0, 1, 2, 3].map((line) => sentence(part * 8 + line)).join(" ");
    parts.push(
      `## Part ${part} of ${word(part)}\n`,
      `${paragraph} See **${word(part)}** and [a page](/page-${(index * 7 + part) % pageCount}/), or \`${word(part + 1)}()\`.\n`,
      `${paragraph}\n`,
      `- ${sentence(part)}\n- *${sentence(part + 1)}*\n`,
    );
  }
  if (index % 10 === 0)
    parts.push("```js\nconst a = 1; // a comment\n```\n", "| a | b |\n|---|:-:|\n| 1 | 2 |\n");
  return parts.join("\n");
}
