import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { checkpointText } from "../checkpoint.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { formatRecord } from "../record.ts";
import type { LedgerRecord } from "../record.ts";
import type { LogFinding, LogVerdict } from "../verdict.ts";
import { createChain } from "./chain.ts";
import { followRecords } from "./follow-records.ts";
import { lastRecords } from "./last-records.ts";
import { openLogFile } from "./log-file.ts";
import type { LogFileOptions } from "./log-file.ts";
import { readLog } from "./read-log.ts";
import { verifyLog } from "./verify-log.ts";

function place(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-chain-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "events.jsonl");
}

const refused = (id: string): string =>
  formatRecord({ type: "gateway.request.refused", time: 1_800_000_000_000, id, status: 429 }, "edge");

let written = 0;

/** Writes records in batches of ten, and gives where the chain stands. */
async function write(
  path: string,
  count: number,
  options: Partial<LogFileOptions> = {},
): Promise<Pick<Checkpoint, "log" | "through" | "head">> {
  const log = openLogFile({ path, onError: (error) => assert.fail(error), ...options });
  for (let number = 0; number < count; number++) {
    // No two alike: a log that is gone on with in the same words is the same log.
    log.append(refused(`r${number}`).replace(/\}\n$/, `,"count":${written++}}\n`));
    if (number % 10 === 9) await log.flush();
  }
  await log.flush();
  const { seq, chain } = log.head();
  await log.close();
  return { log: log.log, through: seq, head: Buffer.from(chain).toString("base64url") };
}

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const key = `ed25519:${String(publicKey.export({ format: "jwk" }).x)}`;
const signed = (claim: Pick<Checkpoint, "log" | "through" | "head">): Checkpoint => ({
  ...claim,
  key,
  signature: sign(null, checkpointText(claim), privateKey).toString("base64url"),
});

const linesOf = (path: string): string[] => readFileSync(path, "utf8").split("\n").slice(0, -1);
const edit = (path: string, change: (lines: string[]) => string[]): void =>
  writeFileSync(
    path,
    change(linesOf(path))
      .map((line) => `${line}\n`)
      .join(""),
  );
const kinds = (findings: readonly LogFinding[]): string[] => findings.map(({ kind }) => kind);

suite("a log that nobody touched", () => {
  test("follows from its first record to its last, over restarts and files, and a checkpoint of it holds", async (t) => {
    const path = place(t);
    await write(path, 30);
    const middle = signed(await write(path, 30));
    const end = signed(await write(path, 200, { maxFileBytes: 8000, keepFiles: 99 }));
    const verdict = verifyLog(path, { checkpoints: [middle, end], keys: [key] });
    assert.deepEqual(verdict.findings, []);
    assert.deepEqual(
      [verdict.log, verdict.first, verdict.last, verdict.head, verdict.outside, verdict.before],
      [end.log, 1, end.through, end.head, 2, 0],
    );
    assert.ok(readdirSync(join(path, "..")).length > 4);
  });

  test("may have given up its oldest files: the chain says which before they go", async (t) => {
    const path = place(t);
    await write(path, 300, { maxFileBytes: 8000, keepFiles: 2 });
    await write(path, 300, { maxFileBytes: 8000, keepFiles: 3 });
    // Fewer are kept than before: several go at once.
    await write(path, 100, { maxFileBytes: 8000, keepFiles: 1 });
    const verdict = verifyLog(path);
    assert.deepEqual(verdict.findings, []);
    assert.ok(verdict.first > 500 && verdict.last > 700);
    assert.equal(readdirSync(join(path, "..")).length, 2);
  });

  test("may have been cut short by a crash anywhere: what was left is accounted for, whatever it was", async (t) => {
    const path = place(t);
    await write(path, 20);
    const bytes = readFileSync(path);
    const lastLine = bytes.subarray(0, -1).lastIndexOf(10) + 1;
    for (let at = lastLine; at <= bytes.length; at += 7) {
      writeFileSync(path, bytes.subarray(0, at));
      assert.deepEqual(verifyLog(path).findings, [], `as the crash left it, after ${at} bytes`);
      await write(path, 2);
      appendFileSync(path, bytes.subarray(lastLine, lastLine + 30));
      await write(path, 2);
      assert.deepEqual(verifyLog(path).findings, [], `gone on with, after ${at} bytes`);
    }
  });

  test("may begin as an older version wrote it, without a chain: that is told, and the lines stay", async (t) => {
    const path = place(t);
    writeFileSync(`${path}.1`, refused("older").repeat(3));
    writeFileSync(path, refused("old").repeat(7));
    await write(path, 5);
    const verdict = verifyLog(path);
    assert.deepEqual([verdict.findings, verdict.before, verdict.first, verdict.last], [[], 10, 1, 6]);
    assert.equal(linesOf(path).filter((line) => line.includes('"old"')).length, 7);
    // From the chain's beginning on they are covered too, those of the same file.
    edit(path, (lines) => lines.toSpliced(3, 1));
    assert.deepEqual(kinds(verifyLog(path).findings), ["foreign"]);
  });

  test("is not there, or has no chain at all: the one is an error, the other is told", (t) => {
    const path = place(t);
    assert.throws(() => verifyLog(path), { code: "LEDGER_FILE_UNUSABLE" });
    writeFileSync(path, refused("old"));
    const { log, first, last, before } = verifyLog(path);
    assert.deepEqual([log, first, last, before], [undefined, 0, 0, 1]);
  });
});

suite("a log that somebody changed", () => {
  const attacks: Record<string, { change: (path: string) => void; kind: LogFinding["kind"] }> = {
    "a field changed": {
      change: (path) =>
        edit(path, (lines) =>
          lines.map((line) => line.replace('"id":"r17","status":429', '"id":"r17","status":200')),
        ),
      kind: "changed",
    },
    "one character of one chain value changed": {
      change: (path) => edit(path, (lines) => lines.with(9, (lines[9] ?? "").replace(/.{3}(?="\}$)/, "AAA"))),
      kind: "changed",
    },
    "a record taken out": {
      change: (path) => edit(path, (lines) => lines.toSpliced(12, 1)),
      kind: "missing",
    },
    "many taken out": { change: (path) => edit(path, (lines) => lines.toSpliced(5, 20)), kind: "missing" },
    "two exchanged": {
      change: (path) => edit(path, (lines) => lines.with(8, lines[9] ?? "").with(9, lines[8] ?? "")),
      kind: "missing",
    },
    "one written twice": {
      change: (path) => edit(path, (lines) => lines.toSpliced(8, 0, lines[3] ?? "")),
      kind: "doubled",
    },
    "one moved further down": {
      change: (path) => edit(path, (lines) => lines.toSpliced(3, 1).toSpliced(8, 0, lines[3] ?? "")),
      kind: "moved",
    },
    "another record of the same number put in": {
      change: (path) =>
        edit(path, (lines) => lines.toSpliced(8, 0, (lines[3] ?? "").replace(/.{4}(?="\}$)/, "AAAA"))),
      kind: "foreign",
    },
    "a line put in": {
      change: (path) => edit(path, (lines) => lines.toSpliced(8, 0, refused("forged").trimEnd())),
      kind: "foreign",
    },
    "an empty line put in": {
      change: (path) => edit(path, (lines) => lines.toSpliced(8, 0, "")),
      kind: "foreign",
    },
    "a line put at the end": { change: (path) => appendFileSync(path, refused("forged")), kind: "foreign" },
    "the beginning taken away": { change: (path) => edit(path, (lines) => lines.slice(4)), kind: "missing" },
    "a record renumbered after one was taken out": {
      change: (path) =>
        edit(path, (lines) =>
          lines
            .toSpliced(10, 1)
            .map((line) => line.replace(/"seq":(\d+)/, (all, seq) => (seq > 10 ? `"seq":${seq - 1}` : all))),
        ),
      kind: "changed",
    },
    "the first record's name of the log": {
      change: (path) =>
        edit(path, (lines) => lines.with(0, (lines[0] ?? "").replace(/"log":".{4}/, '"log":"AAAA'))),
      kind: "changed",
    },
    "what a crash left, invented": {
      change: (path) => edit(path, (lines) => lines.toSpliced(20, 0, '{"torn')),
      kind: "foreign",
    },
    "a domain's record that pretends to remove others": {
      change: (path) =>
        edit(path, (lines) =>
          lines
            .slice(3)
            .with(
              5,
              formatRecord(
                { type: "ledger.rotated", time: 0, first: 1, last: 3, head: "A".repeat(43) },
                "edge",
              ).trimEnd(),
            ),
        ),
      kind: "foreign",
    },
  };
  for (const [name, { change, kind }] of Object.entries(attacks))
    test(`${name}: found, with its place`, async (t) => {
      const path = place(t);
      await write(path, 50);
      assert.deepEqual(verifyLog(path).findings, []);
      change(path);
      const { findings } = verifyLog(path);
      assert.ok(kinds(findings).includes(kind), JSON.stringify(findings));
      if (!name.includes("renumbered")) assert.ok(findings.length <= 3, JSON.stringify(findings));
    });

  test("any one bit of it changed, but in lines that no chain covers: found", async (t) => {
    const path = place(t);
    await write(path, 12);
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at += 13) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 7));
      writeFileSync(path, changed);
      const { findings, last } = verifyLog(path);
      // Of the last record what is left is no record any more: as if a crash had cut it short, which a checkpoint tells.
      assert.ok(findings.length > 0 || last < 13, `byte ${at}`);
    }
  });

  test("a whole file taken from the middle, from the end, and two exchanged: found", async (t) => {
    const path = place(t);
    const end = signed(await write(path, 300, { maxFileBytes: 8000, keepFiles: 99 }));
    const saved = readFileSync(`${path}.2`);
    rmSync(`${path}.2`);
    assert.deepEqual(kinds(verifyLog(path).findings), ["missing"]);
    writeFileSync(`${path}.2`, readFileSync(`${path}.3`));
    writeFileSync(`${path}.3`, saved);
    assert.ok(kinds(verifyLog(path).findings).includes("moved"));
    copyFileSync(`${path}.3`, `${path}.aside`);
    writeFileSync(`${path}.3`, readFileSync(`${path}.2`));
    writeFileSync(`${path}.2`, saved);
    assert.deepEqual(verifyLog(path).findings, []);
    rmSync(path);
    assert.deepEqual(verifyLog(path).findings, [], "no log can know how long it was");
    assert.deepEqual(kinds(verifyLog(path, { checkpoints: [end] }).findings), ["truncated"]);
  });

  test("the oldest file taken away before it was given up: told from one that was", async (t) => {
    const path = place(t);
    await write(path, 300, { maxFileBytes: 8000, keepFiles: 3 });
    assert.deepEqual(verifyLog(path).findings, []);
    rmSync(`${path}.3`);
    assert.deepEqual(kinds(verifyLog(path).findings), ["missing"]);
  });
});

suite("what has one cause is told once", () => {
  /** A log that was signed after each few of its records, as many times. */
  async function signedLog(t: TestContext, times: number): Promise<{ path: string; last: Checkpoint }> {
    const path = place(t);
    const log = openLogFile({ path, onError: (error) => assert.fail(error) });
    let last: Checkpoint | undefined;
    for (let time = 0; time < times; time++) {
      for (let number = 0; number < 5; number++) log.append(refused(`${time}-${number}`));
      await log.flush();
      const { seq, chain } = log.head();
      last = signed({ log: log.log, through: seq, head: Buffer.from(chain).toString("base64url") });
      log.append(formatRecord({ type: "ledger.checkpoint", time: 0, ...last }, "ledger"));
    }
    await log.close();
    return { path, last: last ?? assert.fail() };
  }
  const told = (path: string, last: Checkpoint): string[] => {
    const { findings, found } = verifyLog(path, { checkpoints: [last], keys: [key] });
    assert.equal(found, findings.length);
    return findings.map(({ kind, says }) => `${kind}: ${says}`);
  };

  test("the first lines taken away: not once more for each checkpoint that names a log which nothing else names any more", async (t) => {
    const { path, last } = await signedLog(t, 10);
    edit(path, (lines) => lines.slice(3));
    assert.deepEqual(told(path, last), [
      "missing: records 1 to 3 are not there, and the log does not say that they were removed",
    ]);
    const { log, outside, checkpoints } = verifyLog(path, { checkpoints: [last], keys: [key] });
    assert.deepEqual([log, outside, checkpoints.count], [last.log, 1, 10]);
  });

  test("a history that was written anew: the first checkpoint that it does not fit, and how many more", async (t) => {
    const { path, last } = await signedLog(t, 10);
    const chain = createChain({ seq: 0, chain: Buffer.alloc(32) });
    edit(path, (lines) =>
      lines.map((line) =>
        chain.link(`${line.replace('"id":"2-1"', '"id":"X"').replace(/,"seq":.*$/, "")}}\n`).trimEnd(),
      ),
    );
    const [first, ...rest] = told(path, last);
    assert.match(
      first ?? "",
      /^checkpoint: the checkpoint in record 19 says of record 18 what the log does not: it was changed \(and 7 more like it\)$/,
    );
    assert.equal(rest.length, 1, "and the one that was given");
  });

  test("records that were copied together, or moved together", async (t) => {
    const { path, last } = await signedLog(t, 5);
    const genuine = linesOf(path);
    edit(path, (lines) => lines.toSpliced(20, 0, ...lines.slice(3, 7)));
    assert.deepEqual(told(path, last), ["doubled: records 4 to 7 stand twice: once more after record 20"]);
    edit(path, () => genuine.toSpliced(3, 4).toSpliced(16, 0, ...genuine.slice(3, 7)));
    assert.deepEqual(told(path, last), [
      "missing: records 4 to 7 are not there",
      "moved: records 4 to 7 stand after record 20",
    ]);
  });
});

suite("a checkpoint that was kept elsewhere", () => {
  test("tells a log that was cut off, rolled back and gone on with, or replaced", async (t) => {
    const path = place(t);
    await write(path, 20);
    const early = readFileSync(path);
    const checkpoint = signed(await write(path, 20));
    const found = (): string[] => kinds(verifyLog(path, { checkpoints: [checkpoint], keys: [key] }).findings);
    assert.deepEqual(found(), []);
    writeFileSync(path, early);
    assert.deepEqual(found(), ["truncated"]);
    await write(path, 40);
    assert.deepEqual(verifyLog(path).findings, [], "by itself it is whole");
    assert.deepEqual(found(), ["checkpoint"]);
    truncateSync(path, 0);
    await write(path, 40);
    assert.deepEqual(found(), ["checkpoint"]);
  });

  test("counts only with the signature of a key that may sign", async (t) => {
    const path = place(t);
    const checkpoint = signed(await write(path, 20));
    const found = (changed: Checkpoint, keys = [key]): string[] =>
      kinds(verifyLog(path, { checkpoints: [changed], keys }).findings);
    assert.deepEqual(found(checkpoint), []);
    assert.deepEqual(found(checkpoint, [`ed25519:${"A".repeat(43)}`]), ["checkpoint"]);
    assert.deepEqual(found({ ...checkpoint, through: checkpoint.through - 1 }), ["checkpoint"]);
    assert.deepEqual(found({ ...checkpoint, signature: "A".repeat(86) }), ["checkpoint"]);
    assert.deepEqual(found({ ...checkpoint, key: `ed25519:${"B".repeat(43)}` }, undefined), ["checkpoint"]);
  });
});

/** Writes a log as somebody may who can write the file and has no key: it begins after a record, with what he says was before it. */
function forge(
  path: string,
  {
    log,
    after,
    records,
    more,
  }: { log: string; after: number; records: number; more: Record<string, unknown>[] },
): void {
  const chain = createChain({ seq: after, chain: Buffer.alloc(32, 7) });
  const head = Buffer.alloc(32, 7).toString("base64url");
  const record = (event: Record<string, unknown>): string =>
    chain.link(
      `${JSON.stringify({ time: new Date(0).toISOString(), source: "ledger", severity: "notice", ...event })}\n`,
    );
  writeFileSync(
    path,
    [
      record({ event: "ledger.resumed", log, bytes: 0, digest: "" }),
      record({ event: "ledger.rotated", first: 1, last: after, head }),
      ...Array.from({ length: records }, () => chain.link(refused("forged"))),
      ...more.map(record),
    ].join(""),
  );
}

suite("a log that was forged as a whole, by who can write it and has no key", () => {
  const judged = (path: string, checkpoints: readonly Checkpoint[]): LogVerdict =>
    verifyLog(path, { checkpoints, keys: [key] });

  test("does not hold against a checkpoint about a record before it, with that one's signature copied into it too", async (t) => {
    const path = place(t);
    const genuine = signed(await write(path, 20));
    const copied = { event: "ledger.checkpoint", ...genuine };
    forge(path, { log: genuine.log, after: genuine.through + 1000, records: 10, more: [copied] });
    const { found, untold, outside, carried, checkpoints, unsigned } = judged(path, [genuine]);
    assert.deepEqual([found, outside, carried, checkpoints.count, unsigned], [0, 0, 0, 0, 13]);
    assert.match(untold[0] ?? "", /^record 21, which a checkpoint that was given is about, is not there/);
    assert.match(untold[1] ?? "", /^record 1023, which says .* given up, is not signed/);
  });

  test("nor with a signature about one of its records that says what they do not, however far back", async (t) => {
    const path = place(t);
    const genuine = signed(await write(path, 20));
    const copied = { event: "ledger.checkpoint", ...genuine };
    // More records than are remembered lie between the two.
    forge(path, { log: genuine.log, after: genuine.through - 5, records: 70_000, more: [copied] });
    const { findings, checkpoints } = verifyLog(path, { keys: [key] });
    assert.deepEqual([kinds(findings), checkpoints.count], [["checkpoint"], 0]);
    assert.match(findings[0]?.says ?? "", /says of record 21 what the log does not/);
  });

  test("nor with only its beginning replaced: what says that it was given up is not signed", async (t) => {
    const path = place(t);
    const middle = await write(path, 20);
    const genuine = signed(await write(path, 20));
    const head = JSON.parse(linesOf(path)[9] ?? "") as { chain: string };
    const chain = createChain({ seq: genuine.through, chain: Buffer.from(genuine.head, "base64url") });
    const removal = { type: "ledger.rotated", time: 0, first: 1, last: 10, head: head.chain } as const;
    edit(path, (lines) => [...lines.slice(10), chain.link(formatRecord(removal, "ledger")).trimEnd()]);
    const { findings } = judged(path, [genuine]);
    assert.deepEqual(kinds(findings), ["missing"]);
    assert.match(findings[0]?.says ?? "", /^record 11, the first, is none that a log .* begins with/);
    assert.ok(middle.through < genuine.through);
  });
});

suite("a log that gave up what a checkpoint is about", () => {
  test("holds by what the same key signed after it; signed by another, or by nobody, that can't be told", async (t) => {
    const path = place(t);
    const early = signed(await write(path, 20));
    await write(path, 300, { maxFileBytes: 8000, keepFiles: 2 });
    const untold = verifyLog(path, { checkpoints: [early], keys: [key] });
    assert.deepEqual([untold.found, untold.carried, untold.untold.length], [0, 0, 2]);
    const late = signed(await write(path, 5));
    const {
      found,
      outside,
      carried,
      untold: none,
      unsigned,
    } = verifyLog(path, {
      checkpoints: [early, late],
      keys: [key],
    });
    assert.deepEqual([found, outside, carried, none, unsigned], [0, 1, 1, [], 0]);
    const others = generateKeyPairSync("ed25519");
    const claim = { log: late.log, through: late.through, head: late.head };
    const other: Checkpoint = {
      ...claim,
      key: `ed25519:${String(others.publicKey.export({ format: "jwk" }).x)}`,
      signature: sign(null, checkpointText(claim), others.privateKey).toString("base64url"),
    };
    // Where nobody said which keys may sign, anybody's signature follows on anybody else's.
    assert.equal(verifyLog(path, { checkpoints: [early, other] }).carried, 0);
    await write(path, 7);
    assert.equal(verifyLog(path, { checkpoints: [late], keys: [key] }).unsigned, 7);
  });

  test("asks to be signed once it says so, before anything goes: so one who follows each signature to the next sees all", async (t) => {
    const path = place(t);
    const asked: number[] = [];
    const firstThere = (): number => verifyLog(path).first;
    const before: number[] = [];
    await write(path, 300, {
      maxFileBytes: 8000,
      keepFiles: 1,
      beforeRemoval: async () => {
        const { first, last } = verifyLog(path);
        before.push(first);
        asked.push(last);
      },
    });
    assert.ok(asked.length > 3);
    // What was asked for at one removal is still there at the next.
    for (let index = 1; index < asked.length; index++)
      assert.ok((before[index] ?? Infinity) <= (asked[index - 1] ?? 0), `removal ${index}`);
    assert.ok(firstThere() > 100);
  });
});

suite("what lies in a log's files and in no chain", () => {
  test("an unfinished line is named, and is no record", async (t) => {
    const path = place(t);
    await write(path, 5);
    const forged = refused("forged").trimEnd();
    appendFileSync(path, forged);
    const { findings, unfinished } = verifyLog(path);
    assert.deepEqual(findings, []);
    assert.deepEqual(unfinished, { file: "events.jsonl", line: 7, bytes: forged.length });
    assert.deepEqual(await idsOf(path), ["r0", "r1", "r2", "r3", "r4"]);
  });

  test("a file of unchained lines before a log that says it began without any: foreign; before one that had some: older", async (t) => {
    const path = place(t);
    await write(path, 5);
    writeFileSync(`${path}.1`, refused("forged").repeat(3));
    const { findings, before } = verifyLog(path);
    assert.deepEqual([kinds(findings), before], [["foreign"], 0]);
    assert.match(
      findings[0]?.says ?? "",
      /^3 lines lie in files before record 1: the log says that none did/,
    );
    const grown = place(t);
    writeFileSync(`${grown}.1`, refused("older").repeat(3));
    await write(grown, 5);
    assert.deepEqual([verifyLog(grown).findings, verifyLog(grown).before], [[], 3]);
    const rotated = place(t);
    await write(rotated, 300, { maxFileBytes: 8000, keepFiles: 2 });
    assert.deepEqual(verifyLog(rotated).findings, []);
    writeFileSync(`${rotated}.3`, refused("forged"));
    assert.deepEqual(kinds(verifyLog(rotated).findings), ["foreign"]);
  });

  test("is read as what is not chained: forward, from the end, and as it comes", async (t) => {
    const path = place(t);
    await write(path, 3);
    const altered = linesOf(path)[2]?.replace('"status":429', '"status":200') ?? "";
    edit(path, (lines) => lines.with(2, altered).toSpliced(3, 0, refused("put in").trimEnd()));
    const marks = (records: readonly LedgerRecord[]): unknown[] =>
      records.map(({ id, event, unchained }) => [id ?? event, unchained]);
    const expected = [
      ["ledger.opened", undefined],
      ["r0", undefined],
      ["r1", true],
      ["put in", true],
      ["r2", undefined],
    ];
    assert.deepEqual(marks(await Array.fromAsync(readLog(path))), expected);
    assert.deepEqual(marks(lastRecords(path, 99)), expected);
    assert.deepEqual(marks(lastRecords(path, 3)), expected.slice(2));
    const followed: LedgerRecord[] = [];
    const { promise: seen, resolve } = Promise.withResolvers<void>();
    const following = followRecords(path, (record) => {
      followed.push(record);
      if (followed.length === 4) resolve();
    });
    await write(path, 2);
    appendFileSync(path, refused("put in"));
    appendFileSync(path, refused("false").replace(/\}\n$/, `,"seq":7,"chain":"${"A".repeat(43)}"}\n`));
    await seen;
    following.close();
    assert.deepEqual(marks(followed), [
      ["r0", undefined],
      ["r1", undefined],
      ["put in", true],
      ["false", true],
    ]);
  });
});

const idsOf = async (path: string): Promise<unknown[]> =>
  (await Array.fromAsync(readLog(path))).flatMap(({ id }) => (id === undefined ? [] : [id]));

suite("how far a log that was changed can be trusted", () => {
  /** Sixty records, of which a signature is about the tenth, the thirtieth and the last. */
  async function place3(t: TestContext): Promise<{ path: string; checkpoints: Checkpoint[] }> {
    const path = place(t);
    const checkpoints = [
      signed(await write(path, 9)),
      signed(await write(path, 20)),
      signed(await write(path, 30)),
    ];
    assert.deepEqual(
      checkpoints.map(({ through }) => through),
      [10, 30, 60],
    );
    return { path, checkpoints };
  }
  const trustedAfter = (change: (lines: string[]) => string[]) => async (t: TestContext) => {
    const { path, checkpoints } = await place3(t);
    assert.equal(verifyLog(path, { checkpoints }).trusted, undefined);
    edit(path, change);
    return verifyLog(path, { checkpoints });
  };
  const replaced = (at: number) =>
    trustedAfter((lines) =>
      lines.with(at - 1, (lines[at - 1] ?? "").replace('"status":429', '"status":200')),
    );

  test("up to the last signature before it; of the two that do not fit neither, unless a signature tells", async (t) => {
    assert.deepEqual((await replaced(45)(t)).trusted, { through: 43, signed: 30 });
    assert.deepEqual((await replaced(12)(t)).trusted, { through: 10, signed: 10 });
    const told = await replaced(31)(t);
    assert.deepEqual(told.trusted, { through: 30, signed: 30 });
    assert.match(told.findings[0]?.says ?? "", /it was changed, since record 30 is as it was signed$/);
    assert.deepEqual((await replaced(5)(t)).trusted, { through: 3, signed: 0 });
  });

  test("whatever else it is that is wrong", async (t) => {
    const without = (at: number) => trustedAfter((lines) => lines.toSpliced(at - 1, 1));
    assert.deepEqual((await without(31)(t)).trusted, { through: 30, signed: 30 });
    const cut = await trustedAfter((lines) => lines.slice(0, 40))(t);
    assert.deepEqual(cut.trusted, { through: 40, signed: 30 });
    const twice = await trustedAfter((lines) => lines.toSpliced(20, 0, lines[4] ?? ""))(t);
    assert.deepEqual(twice.trusted, { through: 20, signed: 10 });
    const foreign = await trustedAfter((lines) => lines.toSpliced(35, 0, "nobody's"))(t);
    assert.deepEqual(foreign.trusted, { through: 35, signed: 30 });
    const beheaded = await trustedAfter((lines) => lines.slice(5))(t);
    assert.deepEqual(beheaded.trusted, { through: 0, signed: 0 });
  });

  test("not at all if it is another than a checkpoint that was given says", async (t) => {
    const { path, checkpoints } = await place3(t);
    const other = place(t);
    const elsewhere = signed(await write(other, 3));
    assert.deepEqual(verifyLog(path, { checkpoints: [...checkpoints, elsewhere] }).trusted, {
      through: 0,
      signed: 0,
    });
    const forked = { ...checkpoints[1], head: elsewhere.head } as Checkpoint;
    assert.deepEqual(verifyLog(path, { checkpoints: [...checkpoints, signed(forked)] }).trusted, {
      through: 29,
      signed: 10,
    });
  });
});

suite("a line that is longer than any record", () => {
  const length = 400 * 1_048_576;

  test("is named by what follows it if a crash left it, and is found if not", async (t) => {
    const path = place(t);
    await write(path, 3);
    appendFileSync(path, Buffer.alloc(3 * 1_048_576, "x"));
    const { unfinished, findings: none } = verifyLog(path);
    assert.deepEqual([unfinished?.bytes, unfinished?.line, none], [3 * 1_048_576, 5, []]);
    await write(path, 3);
    assert.deepEqual(verifyLog(path).findings, []);
    edit(path, (lines) => lines.map((line) => (line.startsWith("x") ? `x${line}` : line)));
    const [found, ...more] = verifyLog(path).findings;
    assert.deepEqual([found?.kind, found?.line, found?.seq, more], ["foreign", 5, 5, []]);
  });

  test("takes no more memory than another", (t) => {
    const path = place(t);
    writeFileSync(path, "");
    truncateSync(path, length);
    const script = `
      const { verifyLog } = await import(${JSON.stringify(new URL("verify-log.ts", import.meta.url))});
      const { before } = verifyLog(${JSON.stringify(path)});
      console.log(before, process.resourceUsage().maxRSS * 1024);`;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ["--conditions=curtainwall-source", "--input-type=module", "-e", script],
      { encoding: "utf8" },
    );
    const [before, bytes = Infinity] = stdout.split(" ").map(Number);
    assert.equal(before, 1, stderr);
    assert.ok(bytes < length, `${bytes}`);
  });
});

test("what was given up is told with who says so, when, and how much came after; nothing is where nothing was", async (t) => {
  const path = place(t);
  await write(path, 30);
  assert.equal(verifyLog(path).givenUp, undefined);
  const timed = { maxFileBytes: 8000, keepFiles: 2, now: () => 1_800_000_000_000 };
  await write(path, 300, timed);
  const { givenUp, first, findings } = verifyLog(path);
  assert.deepEqual([givenUp?.through, givenUp?.time, findings], [first - 1, "2027-01-15T08:00:00.000Z", []]);
  assert.ok((givenUp?.saidBy ?? 0) > first);
  assert.ok((givenUp?.followedBy ?? 0) >= 16_000, JSON.stringify(givenUp));
});
