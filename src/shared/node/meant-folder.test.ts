import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { meantFolder } from "./meant-folder.ts";

test("the nearest name is meant, in each part of a path that is not there; what is far, no folder, or not looked for is not", (t) => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "curtainwall-meant-")));
  t.after(() => rmSync(root, { recursive: true }));
  for (const folder of ["examples/bakery", "examples/naive", "examples/esc\u{1b}[2J"])
    mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, "examples/bakers"), "");
  const before = process.cwd();
  process.chdir(root);
  t.after(() => process.chdir(before));
  assert.equal(meantFolder("examples/bakary"), "examples/bakery");
  assert.equal(meantFolder("exmples/bakary/"), "examples/bakery");
  assert.equal(meantFolder(join(root, "example/bakery")), "examples/bakery", "as it can be typed here");
  assert.equal(meantFolder("examples/esc[2J"), "examples/esc\ufffd[2J", "which drives no terminal");
  process.chdir("examples");
  assert.equal(meantFolder("../exmples/naiv"), "naive");
  process.chdir("bakery");
  assert.equal(meantFolder("../naiv"), "../naive");
  assert.equal(meantFolder(join(root, "examples/naiv")), join(root, "examples/naive"), "as it was typed");
  process.chdir("..");
  for (const path of ["../nothing/like/it", "zzz", "bakery/pages", "bakers/pages", "www.client.example"])
    assert.equal(meantFolder(path), undefined, path);
  assert.equal(
    meantFolder("bakary", (folder) => !folder.endsWith("bakery")),
    undefined,
  );
});
