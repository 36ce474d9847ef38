import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { needsRoot } from "../../../test/requires.ts";
import { isOpen, openProgram } from "./open-program.ts";

/** A closed folder with a program in it, and an open one for copies. */
function makePlaces(t: TestContext): { program: string; place: string } {
  const folder = mkdtempSync(join(tmpdir(), "cw-open-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const [closed, place] = [join(folder, "closed"), join(folder, "place")];
  mkdirSync(closed, { mode: 0o700 });
  mkdirSync(place, { mode: 0o755 });
  const program = join(closed, "program");
  writeFileSync(program, "#!/bin/sh\necho one\n", { mode: 0o755 });
  return { program, place };
}

suite("a program below a closed folder", needsRoot, () => {
  test("is copied to where everybody may start it, and nobody else may change it; the next start takes the same", (t) => {
    const { program, place } = makePlaces(t);
    assert.equal(isOpen(program), false);
    const copy = openProgram(program, [place]);
    assert.equal(dirname(dirname(copy)), place);
    assert.match(basename(copy), /^[0-9a-f]{64}$/);
    assert.ok(isOpen(copy));
    assert.equal(statSync(copy).uid, 0);
    assert.equal(statSync(copy).mode & 0o7777, 0o755);
    assert.equal(readFileSync(copy, "utf8"), "#!/bin/sh\necho one\n");
    const { ino } = statSync(copy);
    assert.equal(openProgram(program, [place]), copy);
    assert.equal(statSync(copy).ino, ino);
  });

  test("is copied anew when the copy has gone, was changed, or was changed before this process began", (t) => {
    const { program, place } = makePlaces(t);
    const copy = openProgram(program, [place]);
    const changes = [() => rmSync(copy), () => writeFileSync(copy, "evil"), () => chmodSync(copy, 0o777)];
    for (const change of changes) {
      change();
      assert.equal(openProgram(program, [place]), copy);
      assert.equal(readFileSync(copy, "utf8"), "#!/bin/sh\necho one\n");
      assert.equal(statSync(copy).mode & 0o022, 0);
    }
    const other = join(dirname(program), "other");
    copyFileSync(program, other);
    chmodSync(other, 0o755);
    writeFileSync(copy, "evil");
    assert.equal(openProgram(other, [place]), copy);
    assert.equal(readFileSync(copy, "utf8"), "#!/bin/sh\necho one\n");
  });

  test("that was replaced is copied under its own digest; copies that nobody started for long are removed", (t) => {
    const { program, place } = makePlaces(t);
    const before = openProgram(program, [place]);
    writeFileSync(program, "#!/bin/sh\necho two\n");
    const after = openProgram(program, [place]);
    assert.notEqual(after, before);
    assert.equal(readdirSync(dirname(after)).length, 2, "who still runs the one before may start it again");
    const longAgo = Date.now() / 1000 - 31 * 24 * 3600;
    utimesSync(before, longAgo, longAgo);
    writeFileSync(program, "#!/bin/sh\necho three\n");
    const last = openProgram(program, [place]);
    assert.deepEqual(readdirSync(dirname(last)).sort(), [basename(after), basename(last)].sort());
  });

  test("is not kept where others could put another in its place", (t) => {
    const { program, place } = makePlaces(t);
    const folder = join(place, "curtainwall-programs");
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    const other = join(dirname(place), "other");
    mkdirSync(other, { mode: 0o755 });
    const copy = openProgram(program, [place, other]);
    assert.equal(dirname(dirname(copy)), other);
    assert.deepEqual(readdirSync(folder), []);
    chmodSync(other, 0o777);
    rmSync(copy);
    assert.equal(openProgram(program, [place, other]), program, "there is no place");
  });
});

test("A program that everybody may start is left where it is", () => {
  assert.ok(isOpen("/bin/sh"));
  assert.equal(openProgram("/bin/sh", ["/nowhere"]), "/bin/sh");
});
