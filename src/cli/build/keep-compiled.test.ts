import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { getCompileCacheDir } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { keepCompiled } from "./keep-compiled.ts";

test("compiled code is kept where nobody else can write, and nowhere else", (context) => {
  // Once a process keeps code somewhere, as tests do that run together, it goes on to: the question is one for a new process.
  if (getCompileCacheDir() !== undefined) return runAlone();
  const root = mkdtempSync(join(tmpdir(), "curtainwall-compiled-"));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  const state = join(root, ".curtainwall");
  const cache = join(state, "cache");
  const code = join(cache, "code");

  keepCompiled({ cache });
  assert.ok(!existsSync(state), "no folder is made before there is a site");

  mkdirSync(cache, { recursive: true });
  for (const folder of [state, cache]) {
    chmodSync(folder, 0o775);
    keepCompiled({ cache });
    assert.equal(getCompileCacheDir(), undefined, `others can write to ${folder}`);
    assert.ok(!existsSync(code));
    chmodSync(folder, 0o755);
  }

  const elsewhere = join(root, "elsewhere");
  mkdirSync(elsewhere);
  symlinkSync(elsewhere, code);
  keepCompiled({ cache });
  assert.equal(getCompileCacheDir(), undefined, "a link leads elsewhere");
  rmSync(code);

  keepCompiled({ cache });
  assert.ok(getCompileCacheDir()?.startsWith(code));
});

function runAlone(): void {
  const { NODE_COMPILE_CACHE: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
  const file = fileURLToPath(import.meta.url);
  const { status, stdout } = spawnSync(
    process.execPath,
    ["--conditions=curtainwall-source", "--test-reporter=tap", file],
    { env, encoding: "utf8" },
  );
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^# pass 1$/m);
}
