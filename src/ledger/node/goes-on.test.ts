import assert from "node:assert/strict";
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { formatRecord } from "../record.ts";
import { watchLog } from "./goes-on.ts";
import type { LogFlood, LogWatch } from "./goes-on.ts";
import { openLogFile } from "./log-file.ts";
import type { LogFile } from "./log-file.ts";
import type { ChainPlace } from "./seen-records.ts";

const small = { maxFileBytes: 50_000, keepFiles: 4 };
const large = { maxFileBytes: 500_000, keepFiles: 8 };
const keptBy = ({ maxFileBytes, keepFiles }: typeof small): number => maxFileBytes * keepFiles;
const day = 86_400_000;

interface Watched {
  readonly path: string;
  readonly watch: LogWatch;
  readonly log: LogFile;
  readonly floods: readonly LogFlood[];
  /** What the watch takes for the present. */
  clock: { ms: number };
  /** Writes so many bytes at least; each removal is looked at, from where the one before ended. */
  write(bytes: number): Promise<void>;
  /** Looks at what was written since. */
  look(): Promise<string | undefined>;
  /** How many bytes each look read. */
  readonly read: number[];
}

/** What this process read until now, of whatever file. */
const bytesRead = (): number => Number(/^rchar: (\d+)/.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);

async function watched(t: TestContext, bound = small): Promise<Watched> {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-watch-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "events.jsonl");
  const floods: LogFlood[] = [];
  const clock = { ms: 0 };
  const watch = watchLog({ path, bound, onFlood: (flood) => floods.push(flood), now: () => clock.ms });
  const read: number[] = [];
  let last: ChainPlace | undefined;
  const place = (): ChainPlace => {
    const { seq, chain } = log.head();
    return { through: seq, head: Buffer.from(chain).toString("base64url") };
  };
  async function look(): Promise<string | undefined> {
    const to = place();
    const before = bytesRead();
    const refusal = await watch.whyNotGoingOn(last ?? to, to);
    read.push(bytesRead() - before);
    if (refusal === undefined) last = to;
    return refusal;
  }
  const log: LogFile = openLogFile({
    path,
    ...bound,
    onError: (error) => assert.fail(error),
    beforeRemoval: async () => assert.equal(await look(), undefined),
  });
  t.after(() => log.close());
  const line = formatRecord({ type: "stack.stopped", time: 0, reason: "x".repeat(200) }, "supervisor");
  async function write(bytes: number): Promise<void> {
    for (let done = 0; done < bytes; done += 20 * line.length) {
      for (let number = 0; number < 20; number++) log.append(line);
      await log.flush();
    }
  }
  await log.flush();
  return { path, watch, log, floods, clock, write, look, read };
}

suite("a log that is full", () => {
  test("is read once: each look takes what was written since the one before, however much is kept", async (t) => {
    const { write, look, read } = await watched(t, large);
    assert.equal(await look(), undefined);
    await write(2.2 * keptBy(large));
    assert.ok(read.length > 8, `${read.length} looks`);
    // A chunk more, and what the count itself reads. Of half of what is kept each would be two million.
    for (const bytes of read.slice(2)) assert.ok(bytes < large.maxFileBytes + 300_000, read.join());
  });

  test("is looked through as far as needed by who saw nothing of it yet, and from there on read once", async (t) => {
    const { path, log, write, look } = await watched(t, large);
    assert.equal(await look(), undefined);
    await write(1.4 * keptBy(large));
    const { seq, chain } = log.head();
    const before = { through: seq, head: Buffer.from(chain).toString("base64url") };
    await write(large.maxFileBytes);
    const after = log.head();
    const to = { through: after.seq, head: Buffer.from(after.chain).toString("base64url") };
    const fresh = watchLog({ path, bound: large });
    const start = bytesRead();
    assert.equal(await fresh.whyNotGoingOn(before, to), undefined);
    assert.ok(bytesRead() - start > keptBy(large) / 2);
    const again = bytesRead();
    assert.equal(await fresh.whyNotGoingOn(before, to), undefined);
    assert.ok(bytesRead() - again < 10_000);
  });
});

suite("what was seen before is no excuse for what came since", () => {
  const lineOf = (path: string, seq: number): string =>
    readFileSync(path, "utf8")
      .split("\n")
      .find((line) => line.includes(`"seq":${seq},`)) ?? assert.fail();
  const attacks: Record<string, { change: (path: string, last: number) => void; says: RegExp }> = {
    "a record changed": {
      change: (path, last) =>
        writeFileSync(
          path,
          readFileSync(path, "utf8").replace(lineOf(path, last - 3), (line) => line.replace("xxx", "yyy")),
        ),
      says: /does not follow from what was signed before/,
    },
    "a value changed that another record covers": {
      change: (path, last) =>
        writeFileSync(
          path,
          readFileSync(path, "utf8").replace(lineOf(path, last - 3), (line) =>
            line.replace(/.{4}(?="\}$)/, "AAAA"),
          ),
        ),
      says: /does not follow from what was signed before/,
    },
    "a record taken out": {
      change: (path, last) =>
        writeFileSync(path, readFileSync(path, "utf8").replace(`${lineOf(path, last - 3)}\n`, "")),
      says: /does not follow from what was signed before/,
    },
    "the end taken away": {
      change: (path, last) => {
        const text = readFileSync(path, "utf8");
        writeFileSync(path, text.slice(0, text.indexOf(lineOf(path, last - 1))));
      },
      says: /is not in the log as it is said to be/,
    },
    "all of it taken away": {
      change: (path) => writeFileSync(path, ""),
      says: /is not in the log any more/,
    },
  };
  for (const [name, { change, says }] of Object.entries(attacks))
    test(`${name}: refused, and accepted once it is as it was`, async (t) => {
      const { path, log, write, look } = await watched(t);
      await write(10_000);
      assert.equal(await look(), undefined);
      await write(10_000);
      const genuine = readFileSync(path);
      change(path, log.head().seq);
      assert.match((await look()) ?? "", says);
      writeFileSync(path, genuine);
      assert.equal(await look(), undefined);
    });

  test("records that are said to be given up: not for less than the log keeps, also where that was seen", async (t) => {
    const { log, write, look } = await watched(t);
    assert.equal(await look(), undefined);
    await write(keptBy(small) / 4);
    assert.equal(await look(), undefined);
    const head = "A".repeat(43);
    log.append(formatRecord({ type: "ledger.rotated", time: 0, first: 1, last: 3, head }, "ledger"));
    await log.flush();
    assert.match((await look()) ?? "", /^record \d+ says that all up to record 3 was given up/);
    // In vain is also to wait until enough was written: it counts what had come by then.
    await write(keptBy(small) / 2);
    assert.match((await look()) ?? "", /says that all up to record 3 was given up/);
  });

  test("a log that was copied, moved on or has a torn line in it goes on all the same", async (t) => {
    const { path, write, look, log } = await watched(t);
    await write(10_000);
    assert.equal(await look(), undefined);
    const torn = '{"torn\n';
    copyFileSync(path, `${path}.copy`);
    renameSync(`${path}.copy`, path);
    assert.equal(await look(), undefined);
    await log.close();
    writeFileSync(path, torn, { flag: "a" });
    const next = openLogFile({ path, ...small, onError: (error) => assert.fail(error) });
    await next.flush();
    await next.close();
    assert.ok(readdirSync(dirname(path)).length === 1);
  });
});

suite("a flood", () => {
  test("is told when half of what is kept came in less than a day and records went for it, and by no quiet log", async (t) => {
    const { clock, floods, write, look } = await watched(t);
    assert.equal(await look(), undefined);
    // What was there before the first look may be old.
    for (let hour = 0; hour < 60; hour++) {
      clock.ms += day / 4;
      await write(keptBy(small) / 20);
      assert.equal(await look(), undefined);
    }
    assert.equal(floods.length, 0);
    clock.ms += 60_000;
    await write(keptBy(small));
    const flood = floods.at(0);
    assert.ok(
      flood !== undefined && flood.bytes === keptBy(small) / 2 && flood.through > 1,
      JSON.stringify(floods),
    );
    assert.ok(flood.withinMs < day);
  });

  test("is told also if who writes the log puts a copy in its place before each look", async (t) => {
    const { path, clock, floods, write, look } = await watched(t);
    assert.equal(await look(), undefined);
    await write(1.2 * keptBy(small));
    const before = floods.length;
    for (let time = 0; time < 20; time++) {
      clock.ms += 1000;
      for (const name of readdirSync(dirname(path)).filter((one) => one.includes("jsonl."))) {
        const file = join(dirname(path), name);
        copyFileSync(file, `${file}-copy`);
        renameSync(`${file}-copy`, file);
      }
      assert.equal(await look(), undefined);
      await write(keptBy(small) / 20);
    }
    assert.ok(floods.length > before);
  });
});
