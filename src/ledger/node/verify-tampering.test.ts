import assert from "node:assert/strict";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { generateKeyPairSync, sign } from "node:crypto";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { checkpointText } from "../checkpoint.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { formatRecord } from "../record.ts";
import { createChain } from "./chain.ts";
import { edit, key, linesOf, place, refused, signed } from "./fixtures/test-log.ts";
import { openLogFile } from "./log-file.ts";
import { logFiles } from "./rotate.ts";
import { verifyLog } from "./verify-log.ts";

/** A log of three files, which was signed after each ninth of its records. */
interface Signed {
  readonly path: string;
  readonly last: Checkpoint;
  /** Goes on with it as its writer would. */
  write(count: number): Promise<Checkpoint>;
  copy(): ReadonlyMap<string, Buffer>;
}

let written = 0;

async function signedLog(t: TestContext): Promise<Signed> {
  const path = place(t);
  async function write(count: number): Promise<Checkpoint> {
    const log = openLogFile({
      path,
      maxFileBytes: 8000,
      keepFiles: 99,
      onError: (error) => assert.fail(error),
    });
    let last: Checkpoint | undefined;
    for (let done = 0; done < count; done += 10) {
      // No two alike: what is written on in the same words is the same log.
      for (let number = 0; number < 9; number++) log.append(refused(`r${written++}`));
      await log.flush();
      const { seq, chain } = log.head();
      last = signed({ log: log.log, through: seq, head: Buffer.from(chain).toString("base64url") });
      log.append(formatRecord({ type: "ledger.checkpoint", time: 0, ...last }, "ledger"));
      await log.flush();
    }
    await log.close();
    return last ?? assert.fail();
  }
  const last = await write(100);
  const copy = (): ReadonlyMap<string, Buffer> =>
    new Map(
      logFiles(path)
        .filter((file) => linesOf(file).length > 0)
        .map((file) => [file, readFileSync(file)]),
    );
  assert.equal(logFiles(path).length, 3);
  return { path, last, write, copy };
}

function told({ path, last }: Signed, keys: string[] | "any" = [key], given = [last]): string[] {
  const { findings, untold, found } = verifyLog(path, {
    checkpoints: given,
    ...(keys === "any" ? {} : { keys }),
  });
  assert.equal(found, findings.length);
  return [...findings.map(({ kind, says }) => `${kind}: ${says}`), ...untold];
}

const lineOf = (path: string, seq: number): number =>
  linesOf(path).findIndex((line) => line.includes(`,"seq":${seq},`));
/** A record that goes on from another, made by who can write the log. */
function forged(path: string, seq: number, count = 1): string[] {
  const { chain } = JSON.parse(linesOf(path)[lineOf(path, seq)] ?? "") as { chain: string };
  const on = createChain({ seq, chain: Buffer.from(chain, "base64url") });
  return Array.from({ length: count }, () => on.link(refused("forged")).trimEnd());
}

interface Attack {
  readonly change: (log: Signed) => unknown;
  readonly says: string;
}
const within =
  (change: (lines: string[], oldest: string) => string[]) =>
  ({ path }: Signed): void => {
    const oldest = logFiles(path).at(-1) ?? assert.fail();
    edit(oldest, (lines) => change(lines, oldest));
  };
const exchanged = (one: number, other: number): Attack["change"] =>
  within((lines) => lines.with(one - 1, lines[other - 1] ?? "").with(other - 1, lines[one - 1] ?? ""));

const attacks: Record<string, Attack> = {
  "a field of a record was changed": {
    change: within((lines) => lines.with(16, (lines[16] ?? "").replace("429", "200"))),
    says: "changed: record 17 does not follow from record 16: one of the two was changed, and nothing signed tells which",
  },
  "a record was changed, and its value made anew": {
    change: within((lines, oldest) => lines.with(16, forged(oldest, 16)[0] ?? "")),
    says: "changed: record 18 does not follow from record 17: one of the two was changed, and nothing signed tells which",
  },
  "the record that was signed was changed, and its value made anew": {
    change: within((lines, oldest) => lines.with(19, forged(oldest, 19)[0] ?? "")),
    says: "checkpoint: the checkpoint in record 21 says of record 20 what the log does not: it was changed",
  },
  "a record was taken out": {
    change: within((lines) => lines.toSpliced(16, 1)),
    says: "missing: record 17 is not there",
  },
  "five were taken out": {
    change: within((lines) => lines.toSpliced(12, 5)),
    says: "missing: records 13 to 17 are not there",
  },
  "two neighbours were exchanged": {
    change: exchanged(13, 14),
    says: "moved: record 13 stands after record 14",
  },
  "two others were exchanged": {
    change: exchanged(13, 17),
    says: "moved: records 13 to 16 stand after record 17, in another order",
  },
  "the first two were exchanged": {
    change: exchanged(1, 2),
    says: "moved: record 1 stands after record 2",
  },
  "the first was moved down": {
    change: within((lines) => [...lines.slice(1, 5), lines[0] ?? "", ...lines.slice(5)]),
    says: "moved: record 1 stands after record 5",
  },
  "one was moved up": {
    change: within((lines) => lines.toSpliced(16, 1).toSpliced(11, 0, lines[16] ?? "")),
    says: "moved: record 17 stands before record 12",
  },
  "three were moved down": {
    change: within((lines) => lines.toSpliced(11, 3).toSpliced(15, 0, ...lines.slice(11, 14))),
    says: "moved: records 12 to 14 stand after record 18",
  },
  "three were turned round": {
    change: within((lines) => lines.toSpliced(11, 3, ...lines.slice(11, 14).toReversed())),
    says: "moved: records 12 to 13 stand after record 14, in another order",
  },
  "two were exchanged, of which one was changed": {
    change: within((lines) =>
      lines.with(12, lines[13] ?? "").with(13, (lines[12] ?? "").replace("429", "200")),
    ),
    says: "missing: record 13 is not there; foreign: another record 13 stands after record 14",
  },
  "some were taken out, and one of them put in elsewhere": {
    change: within((lines) => lines.toSpliced(12, 3).toSpliced(16, 0, lines[13] ?? "")),
    says: "missing: records 13 to 15 are not there, but for 1 that stands after record 19",
  },
  "a line was put in": {
    change: within((lines) => lines.toSpliced(16, 0, refused("forged").trimEnd())),
    says: "foreign: 133 bytes before record 17 are not what the log says that a crash left there",
  },
  "a record was put in that follows from the one before": {
    change: within((lines, oldest) => lines.toSpliced(16, 0, ...forged(oldest, 16))),
    says: "foreign: another record 17 stands after record 16, and nothing follows from it",
  },
  "one was put in that follows from nothing": {
    change: within((lines) => lines.toSpliced(16, 0, (lines[16] ?? "").replace("429", "200"))),
    says: "foreign: another record 17 stands after record 16, and nothing follows from it",
  },
  "three were put in that follow one from the other": {
    change: within((lines, oldest) => lines.toSpliced(16, 0, ...forged(oldest, 16, 3))),
    says: "foreign: other records 17 to 19 stand after record 16, and nothing follows from them",
  },
  "one was put in whose number comes later": {
    change: within((lines) => lines.toSpliced(16, 0, (lines[16] ?? "").replace('"seq":17', '"seq":55'))),
    says: "foreign: record 55 stands after record 16, and nothing follows from it",
  },
  "one was put in whose number never comes": {
    change: within((lines) => lines.toSpliced(16, 0, (lines[16] ?? "").replace('"seq":17', '"seq":999'))),
    says: "foreign: record 999 stands after record 16, and nothing follows from it",
  },
  "one was put in before the first": {
    change: within((lines) => ["", ...lines].with(0, (lines[16] ?? "").replace('"seq":17', '"seq":999'))),
    says: "foreign: record 999 stands before record 1, and nothing follows from it",
  },
  "one was copied": {
    change: within((lines) => lines.toSpliced(16, 0, lines[4] ?? "")),
    says: "doubled: record 5 stands twice: once more after record 16",
  },
  "a checkpoint was replaced by an earlier one": {
    change: within((lines) => {
      const [earlier = "", later = ""] = lines.filter((line) => line.includes('"ledger.checkpoint"'));
      const link = /,"seq":.*$/.exec(later)?.[0] ?? "";
      return lines.with(lines.indexOf(later), earlier.replace(/,"seq":.*$/, link));
    }),
    says: "changed: record 21 does not follow from record 20: one of the two was changed, and nothing signed tells which",
  },
  "a checkpoint was replaced by one of another key": {
    change: within((lines) => {
      const at = lines.findIndex((line) => line.includes('"ledger.checkpoint"'));
      return lines.with(at, (lines[at] ?? "").replace(/"key":"ed25519:.{4}/, '"key":"ed25519:AAAA'));
    }),
    says: "changed: record 11 does not follow from record 10: one of the two was changed, and nothing signed tells which",
  },
  "its end was cut off": {
    change: ({ path }) => edit(path, (lines) => lines.slice(0, 3)),
    says: "truncated: the log ends with record 84; a checkpoint covers it up to 102: its end was cut off, or an older copy lies here",
  },
  "a file of the middle was removed": {
    change: ({ path }) => rmSync(`${path}.1`),
    says: "missing: records 41 to 81 are not there",
  },
  "the oldest file was removed": {
    change: ({ path }) => rmSync(`${path}.2`),
    says: "missing: records 1 to 40 are not there, and the log does not say that they were removed",
  },
  "the newest file was removed": {
    change: ({ path }) => rmSync(path),
    says: "truncated: the log ends with record 81; a checkpoint covers it up to 102: its end was cut off, or an older copy lies here",
  },
  "two files were exchanged": {
    change({ path }) {
      renameSync(`${path}.1`, `${path}.aside`);
      renameSync(`${path}.2`, `${path}.1`);
      renameSync(`${path}.aside`, `${path}.2`);
    },
    says: "moved: records 1 to 40 stand after record 81",
  },
};

suite("whatever was done to a log is told once, and as what it is", () => {
  for (const [name, { change, says }] of Object.entries(attacks))
    test(name, async (t) => {
      const log = await signedLog(t);
      assert.deepEqual(told(log), []);
      await change(log);
      assert.equal(told(log).join("; "), says);
    });

  test("an older copy was laid in its place; and written on", async (t) => {
    const log = await signedLog(t);
    const copy = log.copy();
    const last = await log.write(40);
    for (const file of log.copy().keys()) rmSync(file);
    for (const [file, bytes] of copy) writeFileSync(file, bytes);
    assert.deepEqual(told({ ...log, last }), [
      "truncated: the log ends with record 103; a checkpoint covers it up to 143: its end was cut off, or an older copy lies here",
    ]);
    await log.write(60);
    assert.deepEqual(told({ ...log, last }), [
      "checkpoint: a checkpoint that was given says of record 143 what the log does not: it was changed, or the log was taken back and written on",
    ]);
  });

  test("that of another site was laid in its place, or its checkpoint in the place of this one's", async (t) => {
    const [log, other] = [await signedLog(t), await signedLog(t)];
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const { log: name, through, head } = other.last;
    const claim = { log: name, through, head };
    const theirs: Checkpoint = {
      ...claim,
      key: `ed25519:${String(publicKey.export({ format: "jwk" }).x)}`,
      signature: sign(null, checkpointText(claim), privateKey).toString("base64url"),
    };
    const says = [`checkpoint: a checkpoint that was given is of another log (${name})`];
    assert.deepEqual(told({ ...log, last: theirs }, [theirs.key]), says);
    assert.deepEqual(told({ ...log, last: theirs }, "any"), says);
    assert.deepEqual(told({ ...other, last: log.last }), [
      `checkpoint: a checkpoint that was given is of another log (${log.last.log})`,
    ]);
  });

  test("several checkpoints that it is less than say so once, by the furthest", async (t) => {
    const log = await signedLog(t);
    const given = [log.last, await log.write(10), await log.write(10)];
    for (const file of [log.path, `${log.path}.1`]) rmSync(file);
    const [finding, ...more] = told(log, [key], given);
    assert.match(
      finding ?? "",
      /^truncated: the log ends with record \d+; a checkpoint covers it up to 122: .* \(and 2 more like it\)$/,
    );
    assert.deepEqual(more, []);
  });
});
