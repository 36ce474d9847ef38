import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, statSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { isBuilt, recordBuild, sourcesNow } from "../tools/built-from.ts";

interface Place {
  readonly root: string;
  write(path: string, text: string): void;
}

/** A package that was built. */
function builtPackage(context: TestContext): Place {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-built-from-"));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write("src/room/index.ts", "export const one = 1;");
  write("package-lock.json", "{}");
  write("dist/room/index.js", "export const one = 1;");
  mkdirSync(join(root, ".curtainwall"));
  recordBuild(root, sourcesNow(root));
  return { root, write };
}

test("what was made of the sources as they are is built, whatever tests and their fixtures say", (t) => {
  const { root, write } = builtPackage(t);
  assert.equal(isBuilt(root), true);
  write("src/room/index.test.ts", "");
  write("src/room/fixtures/site.ts", "");
  assert.equal(isBuilt(root), true);
});

for (const [what, change] of Object.entries<(place: Place) => void>({
  "a source that is another one, and keeps its times": ({ root, write }) => {
    const file = join(root, "src/room/index.ts");
    const { atime, mtime } = statSync(file);
    write("src/room/index.ts", "export const one = 2;");
    utimesSync(file, atime, mtime);
  },
  "a source more": ({ write }) => write("src/room/more.ts", ""),
  "a source less": ({ root }) => unlinkSync(join(root, "src/room/index.ts")),
  "other packages": ({ write }) => write("package-lock.json", "{ }"),
  "another way to build": ({ write }) => write("tools/build.ts", ""),
  "a built file that is another one": ({ write }) => write("dist/room/index.js", "export const one = 2;"),
  "a built file less": ({ root }) => unlinkSync(join(root, "dist/room/index.js")),
  "no note of it": ({ root }) => unlinkSync(join(root, ".curtainwall/built-from")),
  "a source that changed while it was built": ({ root, write }) => {
    const before = sourcesNow(root);
    write("src/room/index.ts", "export const one = 2;");
    recordBuild(root, before);
  },
}))
  test(`it is built again for ${what}`, (t) => {
    const place = builtPackage(t);
    change(place);
    assert.equal(isBuilt(place.root), false);
  });

test("npm test imports what was built in the place of the sources, and fixtures as they are", () => {
  const folder =
    process.env["CURTAINWALL_TEST_BUILT"] === "1" ? "dist/shared/index.js" : "src/shared/index.ts";
  assert.equal(import.meta.resolve("../src/shared/index.ts"), new URL(`../${folder}`, import.meta.url).href);
  const fixture = "../src/audit/fixtures/site.ts";
  assert.equal(import.meta.resolve(fixture), new URL(fixture, import.meta.url).href);
});
