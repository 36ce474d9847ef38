import {
  closeSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { createReadStream } from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { recordLine } from "../src/ledger/index.ts";
import { openLogFile, verifyLog } from "../src/ledger/node.ts";
import { measureRequests } from "./ledger-request.ts";
import { measureSigning } from "./ledger-signing.ts";

/**
 * What the security log costs: chained records a second, from the line that a domain sent to the disk, beside a plain append with one `fdatasync` a batch
 * of the same lines; then how long it takes to verify a million of them, beside SHA-256 of the same bytes; then what the supervisor does for a log that is
 * full, each time that records are given up; then what a request costs with and without the log. Rounds are interleaved. The log lies in the system's temporary folder.
 *
 *   node --conditions=curtainwall-source bench/ledger.ts [events a round] [events to verify]
 */
const rounds = 5;
const perRound = Number(process.argv[2] ?? 100_000);
const toVerify = Number(process.argv[3] ?? 1_000_000);
/** What the ledger finds in a pipe at once. */
const batch = 500;

const folder = mkdtempSync(join(tmpdir(), "curtainwall-bench-ledger-"));
const sent = Array.from({ length: batch }, (_, index) =>
  Buffer.from(
    JSON.stringify({
      type: "gateway.request.refused",
      time: 1_800_000_000_000 + index,
      id: `0b1f6c0e-5d1c-4a55-8f3e-${String(index).padStart(12, "0")}`,
      code: "GATEWAY_LIMIT_REACHED",
      status: 429,
      route: "GET /api/orders/:id",
      client: "192.0.2.7",
    }),
  ),
);

interface Measured {
  readonly wallMs: number;
  readonly cpuMs: number;
}

async function measure(run: () => Promise<void> | void): Promise<Measured> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await run();
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: performance.now() - start, cpuMs: (user + system) / 1000 };
}

async function chained(file: string, count: number): Promise<void> {
  const log = openLogFile({
    path: file,
    keepFiles: 999,
    onError: (error) => {
      throw error;
    },
  });
  for (let done = 0; done < count; done += batch) {
    for (const line of sent) log.append(recordLine(line, "edge", 0));
    await log.flush();
  }
  await log.close();
}

function plain(file: string, count: number): void {
  const fd = openSync(file, "a", 0o600);
  for (let done = 0; done < count; done += batch) {
    const bytes = Buffer.from(sent.map((line) => recordLine(line, "edge", 0)).join(""));
    for (let from = 0; from < bytes.length;) from += writeSync(fd, bytes, from);
    fdatasyncSync(fd);
  }
  closeSync(fd);
}

const median = (values: readonly number[]): number =>
  values.toSorted((left, right) => left - right)[values.length >> 1] ?? NaN;
const row = (name: string, ...cells: string[]): void =>
  console.log([name.padEnd(44), ...cells.map((cell) => cell.padStart(14))].join(""));

function report(name: string, measured: readonly Measured[], count: number): void {
  row(
    name,
    Math.round(count / (median(measured.map(({ wallMs }) => wallMs)) / 1000)).toLocaleString("en"),
    ((median(measured.map(({ cpuMs }) => cpuMs)) / count) * 1000).toFixed(2),
    ((Math.min(...measured.map(({ cpuMs }) => cpuMs)) / count) * 1000).toFixed(2),
  );
}

try {
  const results: Record<"chained" | "plain", Measured[]> = { chained: [], plain: [] };
  await chained(join(folder, "warm.jsonl"), 10_000);
  plain(join(folder, "warm.plain"), 10_000);
  for (let round = 0; round < rounds; round++) {
    results.chained.push(await measure(() => chained(join(folder, `chained-${round}.jsonl`), perRound)));
    results.plain.push(await measure(() => plain(join(folder, `plain-${round}`), perRound)));
  }
  row(
    `${perRound.toLocaleString("en")} events, ${rounds} rounds`,
    "events/s",
    "CPU µs median",
    "CPU µs best",
  );
  report("chained log", results.chained, perRound);
  report("plain append + fdatasync", results.plain, perRound);

  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  const file = join(folder, "events.jsonl");
  await chained(file, toVerify);
  const names = readdirSync(folder);
  const bytes = names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  let verified = 0;
  const verifying = await measure(() => {
    const { found, last } = verifyLog(file);
    if (found > 0) throw new Error("the log does not verify");
    verified = last;
  });
  const hashing = await measure(async () => {
    const digest = createHash("sha256");
    for (const name of names)
      for await (const chunk of createReadStream(join(folder, name), { highWaterMark: 1_048_576 }))
        digest.update(chunk as Buffer);
    digest.digest();
  });
  console.log();
  row(`${verified.toLocaleString("en")} records, ${Math.round(bytes / 1e6)} MB`, "s", "CPU s");
  for (const [name, { wallMs, cpuMs }] of [
    ["verify", verifying],
    ["SHA-256 of the same files", hashing],
  ] as const)
    row(name, (wallMs / 1000).toFixed(2), (cpuMs / 1000).toFixed(2));

  console.log();
  const signing = await measureSigning(sent.map((line) => recordLine(line, "edge", 0)));
  row(
    `${signing.records.toLocaleString("en")} events into a full log`,
    "signatures",
    "CPU µs/event",
    "restart CPU s",
  );
  row(
    "what the supervisor does to sign it",
    String(signing.signatures),
    signing.cpuUs.toFixed(2),
    (signing.restartCpuMs / 1000).toFixed(2),
  );

  console.log();
  row("per request, median CPU µs", "without", "with", "ledger", "added", "ratio");
  for (const { name, off, on, ledger } of await measureRequests(rounds, perRound / 2)) {
    const [without, withLog, kept] = [median(off), median(on), median(ledger)];
    const added = median(on.map((cost, index) => cost + (ledger[index] ?? NaN) - (off[index] ?? NaN)));
    const ratio = ((withLog + kept) / without).toFixed(2);
    row(`gateway, ${name}`, ...[without, withLog, kept, added].map((value) => value.toFixed(2)), ratio);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
