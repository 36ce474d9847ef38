import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, suite, test } from "node:test";
import { pathToFileURL } from "node:url";
import { runsAsBuilt } from "./as-built.ts";
import type { BundledPackage } from "./as-built.ts";

const work = realpathSync(mkdtempSync(join(tmpdir(), "curtainwall-as-built-")));
after(() => rmSync(work, { recursive: true, force: true }));

/** Installs packages: each is a folder below `node_modules`, with its version. */
function installation(name: string, packages: Readonly<Record<string, string>>): string {
  const root = join(work, name);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write("package.json", '{ "name": "ours", "version": "1.0.0", "type": "module" }');
  for (const [folder, version] of Object.entries(packages))
    write(
      `${folder}/package.json`,
      JSON.stringify({ name: folder.split("/").at(-1), version, type: "module" }),
    );
  return root;
}

const runUrl = (root: string): string => pathToFileURL(`${join(root, "dist/run")}/`).href;
const packages: BundledPackage[] = [
  { name: "ours", version: "1.0.0", parent: -1 },
  { name: "reader", version: "2.0.0", parent: 0 },
  { name: "letters", version: "3.0.0", parent: 1 },
];
const asMade = { "node_modules/reader": "2.0.0", "node_modules/letters": "3.0.0" };
const runs = (root: string): boolean => runsAsBuilt({ packages, copies: [] }, runUrl(root));

suite("a bundle", () => {
  test("runs where the packages are those that it was made of, wherever they lie", () => {
    assert.equal(runs(installation("flat", asMade)), true);
    assert.equal(
      runs(
        installation("nested", {
          ...asMade,
          "node_modules/letters": "4.0.0",
          "node_modules/reader/node_modules/letters": "3.0.0",
        }),
      ),
      true,
    );
    const linked = installation("linked", {
      "store/reader/node_modules/reader": "2.0.0",
      "store/reader/node_modules/letters": "3.0.0",
    });
    mkdirSync(join(linked, "node_modules"));
    symlinkSync(join(linked, "store/reader/node_modules/reader"), join(linked, "node_modules/reader"));
    assert.equal(runs(linked), true);
  });

  test("does not run where one has another version, is missing, or is another package's", () => {
    assert.equal(runs(installation("newer", { ...asMade, "node_modules/reader": "2.0.1" })), false);
    assert.equal(runs(installation("deep", { ...asMade, "node_modules/letters": "3.0.1" })), false);
    assert.equal(runs(installation("missing", { "node_modules/reader": "2.0.0" })), false);
    const shadowed = { ...asMade, "node_modules/reader/node_modules/letters": "3.0.1" };
    assert.equal(runs(installation("shadowed", shadowed)), false);
  });

  test("gives its own copy of a module to whoever imports it, by whatever name", () => {
    const root = installation("copies", asMade);
    const write = (path: string, text: string): void => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    };
    write("node_modules/reader/index.js", 'export const from = "the package";');
    write("node_modules/reader/other.js", 'export const from = "another file";');
    write("dist/index.js", 'export const from = "the plain module";');
    write("dist/run/reader.js", 'export const from = "the bundle";');
    write("dist/run/ours.js", 'export const from = "the bundle, ours";');
    write("node_modules/reader/needs.cjs", 'exports.from = "required";');
    write(
      "contract.mjs",
      `import { createRequire } from "node:module";
import { from as byName } from "reader";
import { from as ours } from "./dist/index.js";
import { from as other } from "reader/other.js";
console.log([byName, ours, other, createRequire(import.meta.url)("reader/needs.cjs").from].join("; "));`,
    );
    const record = {
      packages,
      copies: [
        { package: 1, file: "index.js", bundle: "reader.js" },
        { package: 0, file: "dist/index.js", bundle: "ours.js" },
        { package: 1, file: "needs.cjs", bundle: "reader.js" },
      ],
    };
    write(
      "start.mjs",
      `import { runsAsBuilt } from ${JSON.stringify(new URL("./as-built.ts", import.meta.url).href)};
runsAsBuilt(${JSON.stringify(record)}, ${JSON.stringify(runUrl(root))});
await import("./contract.mjs");`,
    );
    const { stdout, stderr } = spawnSync(process.execPath, [join(root, "start.mjs")], { encoding: "utf8" });
    assert.equal(stdout, "the bundle; the bundle, ours; another file; required\n", stderr);
  });
});
