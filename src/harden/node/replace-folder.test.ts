import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { freshFolder, replaceFolder } from "./replace-folder.ts";

/** The id of a process that has ended. */
const { pid: ended } = spawnSync("true");

function folder(context: TestContext, contents: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-replace-"));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(contents)) {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, "a"), text);
  }
  return root;
}

test("a fresh folder takes the place of the one before", (context) => {
  const root = folder(context, { "my.out": "before" });
  const fresh = freshFolder(join(root, "my.out"));
  mkdirSync(fresh);
  writeFileSync(join(fresh, "a"), "after");
  replaceFolder(fresh, join(root, "my.out"));
  assert.deepEqual(readdirSync(root), ["my.out"]);
  assert.equal(readFileSync(join(root, "my.out/a"), "utf8"), "after");
});

test("what was moved away by a process killed between its renames is put back", (context) => {
  const root = folder(context, { [`.out.${ended}.old`]: "before", [`.out.${ended}.new`]: "after" });
  freshFolder(join(root, "out"));
  assert.deepEqual(readdirSync(root), ["out"]);
  assert.equal(readFileSync(join(root, "out/a"), "utf8"), "before");
});

test("leftovers go; those of a running process, of another folder, and what only looks alike stay", (context) => {
  const others = [
    `.out.${process.ppid}.new`,
    `.other.${ended}.new`,
    `.xout.${ended}.old`,
    `.out.${ended}.older`,
  ];
  const root = folder(context, {
    out: "now",
    [`.out.${ended}.old`]: "before",
    [`.out.${ended}.new`]: "half",
    ...Object.fromEntries(others.map((name) => [name, "stays"])),
  });
  freshFolder(join(root, "out"));
  assert.deepEqual(readdirSync(root).sort(), [...others, "out"].sort());
  assert.equal(readFileSync(join(root, "out/a"), "utf8"), "now");
});
