// How long `curtainwall start` takes until it serves, against raw Node with the same libraries (PERFORMANCE.md F).
//   node --conditions=curtainwall-source bench/start.ts [rounds]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { developmentCertificate } from "../src/edge/index.ts";
import { build } from "../src/cli/build.ts";

const repository = fileURLToPath(new URL("..", import.meta.url));
const rounds = Number(process.argv[2] ?? 7);
const cli = process.env["CURTAINWALL_CLI"] ?? join(repository, "dist/cli/main.js");

// Inside the repository, where the packages are found.
mkdirSync(join(repository, ".curtainwall"), { recursive: true });
const site = mkdtempSync(join(repository, ".curtainwall/bench-start-"));

/** A way to start, and what it stands for. */
interface Contestant {
  readonly name: string;
  readonly command: readonly string[];
  /** Done before each of its starts. */
  readonly before?: () => void;
}

/** Milliseconds from the start of the process until it says that it serves. */
async function startOnce({ command: [file = "", ...args], before }: Contestant): Promise<number> {
  before?.();
  const started = performance.now();
  const child = spawn(file, args, { cwd: site, stdio: ["ignore", "ignore", "pipe"] });
  let words = "";
  const ready = await new Promise<number>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => {
      words += String(chunk);
      if (/^serving/m.test(words)) resolve(performance.now() - started);
    });
    child.once("exit", () => reject(new Error(words)));
  });
  child.removeAllListeners("exit");
  child.kill("SIGTERM");
  await once(child, "exit");
  return ready;
}

const median = (values: readonly number[]): number =>
  values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;

try {
  writeFileSync(
    join(site, "curtainwall.config.ts"),
    `import { defineStack, everyone, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: false },
  site: { content: "content", templates: "templates", collections: { pages: z.object({ title: z.string() }) } },
  upstreams: { shop: upstream({ url: "https://127.0.0.1:9" }) },
  routes: { "GET /api/x": { access: everyone, limit: "5/min per client", response: z.object({}), to: "shop" } },
});
`,
  );
  mkdirSync(join(site, "content/pages"), { recursive: true });
  mkdirSync(join(site, "templates"));
  writeFileSync(join(site, "content/pages/index.md"), `---\ntitle: Home\n---\n${"Bread. ".repeat(1400)}\n`);
  writeFileSync(
    join(site, "templates/pages.tsx"),
    `import { Content } from "curtainwall/template";
export const page = ({ entry }) => <html lang="en"><head><title>{entry.data.title}</title></head><body><Content of={entry} /></body></html>;
`,
  );
  const { file } = await build(site);
  const { cert, key } = await developmentCertificate({ folder: join(site, ".curtainwall/ca") });
  const leaf = join(site, "leaf.pem");
  writeFileSync(leaf, `${key}\n${cert}`);
  const raw = [
    process.execPath,
    fileURLToPath(new URL("./servers/start-raw.ts", import.meta.url)),
    file,
    leaf,
  ];
  const start = [process.execPath, cli, "start"];
  const contestants: Contestant[] = [
    { name: "raw node, no library", command: raw },
    { name: "raw node, zod + jose + undici", command: [...raw, "zod", "jose", "undici"] },
    {
      name: "curtainwall start, first time",
      command: start,
      before: () => rmSync(join(site, ".curtainwall/code"), { recursive: true, force: true }),
    },
    { name: "curtainwall start, again", command: start },
  ];
  const times = new Map<Contestant, number[]>(contestants.map((contestant) => [contestant, []]));
  // One round to warm the disk's cache, which is not counted.
  for (let round = -1; round < rounds; round++)
    for (const contestant of contestants) {
      const time = await startOnce(contestant);
      if (round >= 0) times.get(contestant)?.push(time);
    }
  const base = contestants[1] as Contestant;
  const best = (contestant: Contestant): number => Math.min(...(times.get(contestant) ?? []));
  console.log(`Until it serves, ms; ${rounds} interleaved rounds; × raw node with the same libraries`);
  for (const contestant of contestants)
    console.log(
      `${contestant.name.padEnd(32)} best ${best(contestant).toFixed(0).padStart(5)}   median ${median(
        times.get(contestant) ?? [],
      )
        .toFixed(0)
        .padStart(
          5,
        )}   × ${(best(contestant) / best(base)).toFixed(2)} (median × ${(median(times.get(contestant) ?? []) / median(times.get(base) ?? [])).toFixed(2)})`,
    );
  console.log(
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}, ${new Date().toISOString().slice(0, 10)}`,
  );
} finally {
  rmSync(site, { recursive: true, force: true });
}
