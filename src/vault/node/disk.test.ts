import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, statSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { requires } from "../../../test/requires.ts";
import { Secret } from "../../shared/index.ts";
import { testFolder, valueOf } from "../fixtures/test-vault.ts";

const program = fileURLToPath(new URL("../fixtures/write-many.ts", import.meta.url));
const env = { ...process.env, NODE_TEST_CONTEXT: undefined };

/** Runs the writer under another program that limits what it can do, and gives its lines. */
function writeUnder(command: readonly string[], args: readonly string[]): string[] {
  const [file = "", ...rest] = command;
  const { stdout, stderr } = spawnSync(
    file,
    [...rest, process.execPath, "--conditions=curtainwall-source", program, ...args],
    { encoding: "utf8", env, timeout: 60_000 },
  );
  assert.notEqual(stdout, "", stderr);
  return stdout.trim().split("\n");
}

test(
  "A disk that is full is said to be, and what was confirmed before is kept",
  requires("bwrap"),
  async (t) => {
    const { create, open, options, path } = testFolder(t);
    const vault = await create();
    await vault.set("A_KEY", new Secret("from before"), "ann");
    vault.close();
    // A disk of 500 kB for this process alone; what it wrote is taken off it by the shell that runs it.
    const script = 'cp "$1/store.db" "$1/small/" && shift && "$@"; cp "$FOLDER"/small/* "$FOLDER/after/"';
    const lines = writeUnder(
      [
        requires("bwrap").path,
        ...["--dev-bind", "/", "/", "--setenv", "FOLDER", path("")],
        ...["--dir", path("after"), "--dir", path("small"), "--size", "500000", "--tmpfs", path("small")],
        ...["sh", "-c", script, "sh", path("")],
      ],
      [path("small/store.db"), options.kek.file, "B_KEY", "60", "30000"],
    );
    assert.equal(lines.at(-1), "VAULT_DISK_FULL");
    const confirmed = Number(lines.at(-2));
    assert.ok(confirmed >= 1, lines.join());
    const after = await open({ file: path("after/store.db") });
    assert.equal(valueOf(after, "A_KEY"), "from before");
    assert.equal(valueOf(after, "B_KEY")?.startsWith(`value ${confirmed} `), true);
    assert.equal(after.history("B_KEY").length, confirmed);
  },
);

test(
  "A limit of file sizes is told, and what was confirmed before is kept",
  requires("prlimit"),
  async (t) => {
    const { create, open, options } = testFolder(t);
    const vault = await create();
    await vault.set("A_KEY", new Secret("from before"), "ann");
    vault.close();
    const lines = writeUnder(
      [requires("prlimit").path, "--fsize=200000", "--"],
      [options.file, options.kek.file, "B_KEY", "60", "30000"],
    );
    assert.match(lines.at(-1) ?? "", /^VAULT_(UNUSABLE|DISK_FULL)$/);
    const after = await open();
    assert.equal(valueOf(after, "A_KEY"), "from before");
    // The write that failed may be there whole, or not at all.
    const stored = after.list().find(({ name }) => name === "B_KEY")?.current?.version ?? 0;
    assert.ok(stored >= Number(lines.at(-2) ?? 0), `${stored} stored: ${lines.join()}`);
  },
);

test("A disk that is read-only is said to be, and nothing is changed", requires("bwrap"), async (t) => {
  const { create, open, options, folder } = testFolder(t);
  const vault = await create();
  await vault.set("A_KEY", new Secret("from before"), "ann");
  vault.close();
  const before = statSync(options.file);
  cpSync(options.file, `${options.file}.before`);
  const lines = writeUnder(
    [requires("bwrap").path, "--dev-bind", "/", "/", "--ro-bind", folder, folder],
    [options.file, options.kek.file, "B_KEY"],
  );
  assert.deepEqual(lines, ["VAULT_READ_ONLY"]);
  assert.equal(statSync(options.file).mtimeMs, before.mtimeMs);
  assert.equal(valueOf(await open(), "A_KEY"), "from before");
});
