import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createLeakGate } from "../src/harden/index.ts";
import { unpack } from "../src/harden/node.ts";
import { Secret } from "../src/shared/index.ts";
import { formsOf } from "../src/harden/leaks/value-forms.ts";

/**
 * The leak gate's speed on one core, over a folder of real pages, beside `grep -F -f` with the same fixed forms (which opens nothing,
 * decodes nothing and knows no tokens) and beside reading the same bytes. Rounds are interleaved; CPU time, best and median.
 *
 *   node --conditions=curtainwall-source bench/leaks.ts <folder> [--values 100] [--rounds 5] [--json]
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    values: { type: "string", default: "100" },
    rounds: { type: "string", default: "5" },
    json: { type: "boolean", default: false },
  },
});
const [folder] = positionals;
if (folder === undefined) {
  console.error(
    "node --conditions=curtainwall-source bench/leaks.ts <folder> [--values 100] [--rounds 5] [--json]",
  );
  process.exit(2);
}

const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(?:html?|js|css|txt|json|svg|xml)$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name))
  .sort();
const texts = files.map((path) => ({ path, bytes: new Uint8Array(readFileSync(path)) }));
const megabytes = texts.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1e6;

/** Made-up values, the same in every run. */
const secrets = Array.from({ length: Number(values.values) }, (_, index) =>
  createHash("sha256").update(`value ${index}`).digest("base64").slice(0, 28),
);

const scratch = mkdtempSync(join(tmpdir(), "curtainwall-bench-leaks-"));
const patterns = join(scratch, "patterns");
const list = join(scratch, "files");
const forms = secrets.flatMap((secret) => formsOf(secret)).filter(({ bytes }) => !bytes.includes(0));
writeFileSync(patterns, forms.map(({ bytes }) => new TextDecoder().decode(bytes)).join("\n"));
writeFileSync(list, files.join("\0"));

const gate = createLeakGate({
  unpack,
  values: secrets.map((secret, index) => ({ name: `VALUE_${index}`, value: new Secret(secret) })),
});

/** CPU seconds of this process, or of a program that it runs. */
const contenders: Record<string, () => number> = {
  "read (floor)": () =>
    cpu(() => {
      for (const path of files) readFileSync(path);
    }),
  "leak gate, from memory": () =>
    cpu(() => {
      for (const file of texts) gate.inspect(file);
    }),
  "leak gate, with reading": () =>
    cpu(() => {
      for (const path of files) gate.inspect({ path, bytes: readFileSync(path) });
    }),
  "grep -F -f, fixed forms only": () =>
    program("xargs", ["-0", "-a", list, "grep", "-F", "-c", "-f", patterns]),
};

function cpu(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** `time` of the shell, in the C locale: bytes, as the gate reads them. */
function program(name: string, args: readonly string[]): number {
  const { stderr } = spawnSync(
    "bash",
    ["-c", 'TIMEFORMAT="%U %S"; time "$0" "$@" >/dev/null', name, ...args],
    {
      encoding: "utf8",
      env: { PATH: process.env.PATH, LC_ALL: "C" },
    },
  );
  const [user = Number.NaN, system = Number.NaN] = (stderr.trim().split("\n").at(-1) ?? "")
    .split(" ")
    .map(Number);
  return user + system;
}

const samples = new Map(Object.keys(contenders).map((name) => [name, [] as number[]]));
try {
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const [name, run] of Object.entries(contenders)) {
      const seconds = run();
      // The first round is for V8's compiler.
      if (round > 0) samples.get(name)?.push(seconds);
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

const results = Array.from(samples, ([name, seconds]) => {
  const sorted = seconds.toSorted((left, right) => left - right);
  const speed = (value: number | undefined): number => Math.round(megabytes / (value ?? Number.NaN));
  return {
    name,
    bestMbPerCpuSecond: speed(sorted[0]),
    medianMbPerCpuSecond: speed(sorted[sorted.length >> 1]),
  };
});
if (values.json)
  console.log(
    JSON.stringify({
      megabytes,
      files: files.length,
      values: secrets.length,
      needles: forms.length,
      results,
    }),
  );
else {
  console.log(
    `${files.length} files, ${megabytes.toFixed(1)} MB, ${secrets.length} values in ${forms.length} fixed forms; MB per CPU second`,
  );
  for (const { name, bestMbPerCpuSecond, medianMbPerCpuSecond } of results)
    console.log(
      `${name.padEnd(30)} best ${String(bestMbPerCpuSecond).padStart(6)}   median ${String(medianMbPerCpuSecond).padStart(6)}`,
    );
}
