import assert from "node:assert/strict";
import { test } from "node:test";
import { createProgress } from "./progress.ts";

function watch(
  columns: number | undefined,
  steps: readonly (readonly [seconds: number, text: string])[],
): string {
  let time = 5_000;
  let written = "";
  const line = createProgress({ write: (text) => void (written += text), now: () => time, columns });
  for (const [seconds, text] of steps) {
    time = 5_000 + seconds * 1_000;
    line.update(text);
  }
  line.done();
  line.done();
  return written;
}

const work = Array.from({ length: 2_500 }, (_, index) => [index / 100, `hardening ${index}/2500`] as const);

test("a log gets one line every ten seconds, and none for work that is done before", () => {
  assert.equal(watch(undefined, work), "hardening 1000/2500, after 10 s\nhardening 2000/2500, after 20 s\n");
  assert.equal(watch(undefined, work.slice(0, 900)), "");
});

test("a terminal gets one line that changes in place, never wider than it is, and is clean afterwards", () => {
  const written = watch(20, work);
  assert.doesNotMatch(written, /\n/);
  const shown = written.split("\r\u001b[K");
  assert.ok(shown.length > 100 && shown.every((text) => text.length < 20));
  assert.match(written, /\r\u001b\[K$/);
  assert.equal(watch(20, []), "");
});
