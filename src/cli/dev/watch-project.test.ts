import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { watchProject } from "./watch-project.ts";

test("a written file is told; logs, state and packages are not, so that following a project never feeds on its own output", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-watch-"));
  t.after(() => rmSync(root, { recursive: true }));
  for (const folder of ["functions", "node_modules", ".curtainwall"]) mkdirSync(join(root, folder));
  const told = new Set<string>();
  const seen = Promise.withResolvers<void>();
  const unwatch = watchProject(root, (files) => {
    for (const file of files) told.add(file);
    if (told.has("functions/last.ts")) seen.resolve();
  });
  t.after(unwatch);

  for (const file of ["dev.log", "node_modules/x.js", ".curtainwall/state", "functions/greet.ts"])
    writeFileSync(join(root, file), "x");
  // The kernel tells in order: when the last is told, the others would have been.
  writeFileSync(join(root, "functions/last.ts"), "x");
  await seen.promise;
  assert.deepEqual([...told].toSorted(), ["functions/greet.ts", "functions/last.ts"]);
});
