import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { findWorkerd, workerdEngine } from "./workerd-engine.ts";

/** Some builds of workerd name them, others do not. */
const partsOfC = ["libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1"];

test("the sandbox shows what any build of workerd is linked with", () => {
  const { files } = workerdEngine({ bundles: new Map(), egressSocket: undefined, isSandboxed: true }).view();
  const libc = files.find((file) => basename(file) === "libc.so.6");
  assert.ok(libc !== undefined, files.join(" "));

  const here = partsOfC.filter((name) => existsSync(join(dirname(libc), name)));
  const missing = here.filter((name) => !files.some((file) => basename(file) === name));
  assert.deepEqual(missing, []);
});

test("nothing that this workerd is linked with is missing", { skip: !existsSync("/usr/bin/ldd") }, () => {
  const { files } = workerdEngine({ bundles: new Map(), egressSocket: undefined, isSandboxed: true }).view();
  const { stdout } = spawnSync("/usr/bin/ldd", [findWorkerd()], { encoding: "utf8" });
  const linked = Array.from(stdout.matchAll(/=> (\/\S+)/g), ([, path = ""]) => basename(path));
  assert.ok(linked.includes("libc.so.6"), stdout);

  const shown = new Set(files.map((file) => basename(file)));
  assert.deepEqual(
    linked.filter((name) => !shown.has(name)),
    [],
  );
});
