// Whatever is done to a log by somebody who has no key: where nothing is said to be wrong, what was signed stands there as it did.
import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { formatRecord } from "../record.ts";
import { edit, key, linesOf, place, refused, signed } from "./fixtures/test-log.ts";
import { openLogFile } from "./log-file.ts";
import { verifyLog } from "./verify-log.ts";

const every = 5;
const times = 8;

/** One change of a log's lines. Places and lengths are shares of what is there. */
type Change = readonly [kind: (typeof changeKinds)[number], at: number, other: number, count: number];
const changeKinds = [
  "take out",
  "copy",
  "move",
  "edit",
  "forge",
  "forge a branch",
  "make up values",
] as const;

/** The same record, with a value that follows from the line before, as whoever can write the log makes one. */
function relink(line: string, before: string | undefined): string {
  const body = line.replace(/,"chain":"[^"]*"\}$/, "");
  const value = Buffer.from(/"chain":"([^"]*)"\}$/.exec(before ?? "")?.[1] ?? "", "base64url");
  return `${body},"chain":"${hash("sha256", Buffer.concat([value, Buffer.from(body)]), "base64url")}"}`;
}

const edited = (line: string): string => line.replace('"status":429', '"status":200');
const withValue = (line: string, made: number): string =>
  line.replace(/"chain":"[^"]*"\}$/, `"chain":"${hash("sha256", `made up ${made}`, "base64url")}"}`);
const isCheckpoint = (line: string): boolean => line.includes('"ledger.checkpoint"');

function change(lines: readonly string[], [kind, share, otherShare, count]: Change): string[] {
  const at = Math.floor(share * lines.length);
  const other = Math.floor(otherShare * (lines.length + 1));
  const some = lines.slice(at, at + count);
  switch (kind) {
    case "take out":
      return lines.toSpliced(at, count);
    case "copy":
      return lines.toSpliced(other, 0, ...some);
    case "move": {
      const rest = lines.toSpliced(at, count);
      return rest.toSpliced(Math.min(other, rest.length), 0, ...some);
    }
    case "edit":
      return lines.toSpliced(at, some.length, ...some.map(edited));
    case "make up values":
      return lines.toSpliced(at, some.length, ...some.map((line, index) => withValue(line, at + index)));
    case "forge":
    case "forge a branch": {
      // The words of what was signed stay, since nobody can sign others; their values are made up, or follow like all others.
      const forged: string[] = [];
      for (const [index, line] of some.entries())
        forged.push(
          isCheckpoint(line) && otherShare < 0.5
            ? withValue(line, at + index)
            : relink(edited(line), forged.at(-1) ?? lines[at - 1]),
        );
      return lines.toSpliced(at, kind === "forge" ? some.length : 0, ...forged);
    }
  }
}

const changes = fc.array(
  fc.tuple(
    fc.constantFrom(...changeKinds),
    fc.double({ min: 0, max: 0.999, noNaN: true }),
    fc.double({ min: 0, max: 0.999, noNaN: true }),
    fc.integer({ min: 1, max: every * 4 }),
  ),
  { minLength: 1, maxLength: 4 },
);

test("where nothing is found, all that was signed stands as it was written", async (t) => {
  const path = place(t);
  const log = openLogFile({ path, onError: (error) => assert.fail(error) });
  let last = signed({ log: log.log, through: 0, head: "" });
  for (let time = 0; time < times; time++) {
    for (let number = 0; number < every; number++) log.append(refused(`r${time}-${number}`));
    await log.flush();
    const { seq, chain } = log.head();
    last = signed({ log: log.log, through: seq, head: Buffer.from(chain).toString("base64url") });
    log.append(formatRecord({ type: "ledger.checkpoint", time: 0, ...last }, "ledger"));
    await log.flush();
  }
  await log.close();
  const whole = linesOf(path);
  assert.equal(verifyLog(path, { keys: [key], checkpoints: [last] }).found, 0);
  let [seen, unseen] = [0, 0];
  const holds = fc.property(changes, (done) => {
    const lines = done.reduce<string[]>(change, whole);
    edit(path, () => lines);
    const { found, findings, untold } = verifyLog(path, { keys: [key], checkpoints: [last] });
    assert.ok(found >= findings.length, `${found} found, ${findings.length} told`);
    if (found > 0 || untold.length > 0) return void seen++;
    unseen++;
    assert.deepEqual(lines.slice(0, last.through), whole.slice(0, last.through));
  });
  fc.assert(holds, {
    numRuns: 1500,
    examples: [
      // A branch with the words of four true checkpoints; the same, with two records taken out before.
      [[["forge a branch", 4.5 / 48, 0.1, 20]]],
      [
        [
          ["forge a branch", 4.5 / 48, 0.1, 20],
          ["take out", 2.5 / 48, 0, 2],
        ],
      ],
    ],
  });
  assert.ok(seen > unseen && unseen > 0, `${seen} seen, ${unseen} not`);
});
