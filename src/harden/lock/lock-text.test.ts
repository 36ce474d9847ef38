import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { isCurtainwallError } from "../../shared/index.ts";
import { emptyLock, writeLock } from "./lock-text.ts";
import { parseLock } from "./parse-lock.ts";
import type { LockedScript } from "./types.ts";

const script = (digit: string, more: Partial<LockedScript> = {}): LockedScript => ({
  site: "dist",
  id: `inline-${digit.repeat(64)}`,
  kind: "inline",
  seen: "/index.html",
  recorded: "2026-11-22",
  approved: "2026-11-22",
  reason: "theme switch",
  code: [`go(${digit})`],
  ...more,
});
const lock = writeLock({ scripts: [script("b"), script("a")], permissions: [] });
const lines = lock.split("\n");

test("an entry is one line, sorted, and the whole is JSON", () => {
  assert.deepEqual(
    (JSON.parse(lock) as { scripts: (LockedScript | null)[] }).scripts.map((entry) => entry?.id.slice(0, 8)),
    ["inline-a", "inline-b", undefined],
  );
  assert.equal(lines.filter((line) => line.startsWith('{"site"') && line.endsWith("},")).length, 2);
});

const hexadecimal = fc.stringMatching(/^[0-9a-f]$/);
const entries = fc.uniqueArray(
  fc.record({ digit: hexadecimal, reason: fc.string({ minLength: 1 }), seen: fc.string({ minLength: 1 }) }),
  { selector: ({ digit }) => digit },
);

test("what was written is read again", () => {
  fc.assert(
    fc.property(entries, (list) => {
      const scripts = list.map(({ digit, ...more }) => script(digit, more));
      const text = writeLock({ scripts, permissions: [{ route: "GET /" }] });
      const read = parseLock(text);
      assert.equal(writeLock(read), text);
      assert.equal(read.scripts.length, scripts.length);
    }),
  );
});

test("the added lines of two branches, in any order, make a lock", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(lines.slice(3, 5)), (added) => {
      const empty = writeLock(emptyLock).split("\n");
      const merged = [...empty.slice(0, 3), ...added, ...empty.slice(3)].join("\n");
      assert.equal(parseLock(merged).scripts.length, added.length);
    }),
  );
});

test("permissions are kept as they are", () => {
  const permissions = [{ route: "GET /a", access: "everyone" }];
  assert.deepEqual(parseLock(writeLock({ scripts: [], permissions })).permissions, permissions);
});

suite("a lock that was edited by hand is refused, with the line", () => {
  const edited = (line: number, text: string): string => lines.with(line - 1, text).join("\n");
  const broken: Record<string, [text: string, line: number, says: RegExp]> = {
    "a merge's marker": [lines.toSpliced(3, 0, "<<<<<<< HEAD").join("\n"), 4, /merge left its marker/],
    "the middle marker of a merge": [lines.toSpliced(4, 0, "=======").join("\n"), 5, /merge/],
    "an entry cut short": [edited(4, (lines[3] ?? "").slice(0, 40)), 4, /no JSON/],
    "an entry without its comma": [edited(4, (lines[3] ?? "").slice(0, -1)), 4, /no JSON/],
    "an entry twice": [
      lines.toSpliced(4, 0, lines[3] ?? "").join("\n"),
      5,
      /second time; the first is line 4/,
    ],
    "a file cut short": [lines.slice(0, 5).join("\n"), 5, /no JSON/],
    "an empty file": ["", 1, /no JSON/],
    "a later format": [
      edited(2, '"format": "curtainwall-lock 2",'),
      2,
      /"curtainwall-lock 2", and this version/,
    ],
    "an unknown section": [lines.toSpliced(1, 0, '"extra": 1,').join("\n"), 2, /no section "extra"/],
    "an unknown member": [edited(5, (lines[4] ?? "").replace('"seen"', '"sene"')), 5, /no "sene"/],
    "an id that is none": [edited(5, (lines[4] ?? "").replace("inline-bbbb", "inline-BBBB")), 5, /the id/],
    "an id of another kind": [
      edited(5, (lines[4] ?? "").replace('"kind":"inline"', '"kind":"file"')),
      5,
      /the id/,
    ],
    "an unknown kind": [
      edited(5, (lines[4] ?? "").replace('"kind":"inline"', '"kind":"magic"')),
      5,
      /no kind/,
    ],
    "an approval without a reason": [
      edited(5, (lines[4] ?? "").replace('"reason":"theme switch",', "")),
      5,
      /with a reason, or has neither/,
    ],
    "a day that is none": [
      edited(5, (lines[4] ?? "").replace('"recorded":"2026-11-22"', '"recorded":"today"')),
      5,
      /no day/,
    ],
    "a list instead": ["[]", 1, /an object/],
    "a section that is no list": [
      edited(3, '"scripts": {"a":[').replace("null],", "null]},"),
      3,
      /a list of entries/,
    ],
  };
  for (const [name, [text, line, says]] of Object.entries(broken)) {
    test(name, () => {
      assert.throws(
        () => parseLock(text),
        (error) =>
          isCurtainwallError(error, "HARDEN_LOCK_INVALID") &&
          error.message.includes(`line ${line}:`) &&
          says.test(error.message),
        // What it did say, when it said something else.
        messageOf(text),
      );
    });
  }
});

function messageOf(text: string): string {
  try {
    parseLock(text);
    return "it was read";
  } catch (error) {
    return (error as Error).message;
  }
}
