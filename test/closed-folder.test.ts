// A checkout in /root: domains and groups become users who reach nothing there.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { needsRoot, requires } from "./requires.ts";

const repository = fileURLToPath(new URL("..", import.meta.url));

/** Whether root may mount here: in some containers it can't. */
const mounts = spawnSync("unshare", ["--mount", "--propagation", "private", "mount", "--bind", "/", "/"]);
const skip =
  needsRoot.skip || requires("bwrap").skip || (mounts.status === 0 ? false : "root can't mount here");

test(
  "a site below a folder that is closed to all but root is built, started, and answers from both runners",
  { skip, timeout: 120_000 },
  () => {
    const closed = mkdtempSync(join(tmpdir(), "cw-closed-"));
    try {
      const inside = join(closed, "repository");
      mkdirSync(inside);
      chmodSync(closed, 0o700);
      // In a mount namespace of its own, so that nothing is left behind, however it ends.
      const { stdout, stderr } = spawnSync(
        "unshare",
        [
          "--mount",
          "--propagation",
          "private",
          "sh",
          "-euc",
          'mount --bind "$1" "$2"; cd "$2"; exec node_modules/.bin/node --conditions=curtainwall-source test/support/call-functions.ts',
          "sh",
          repository,
          inside,
        ],
        { encoding: "utf8", env: { PATH: process.env["PATH"] } },
      );
      assert.deepEqual(
        JSON.parse(stdout || "{}"),
        {
          isolation: "uid",
          light: '200 {"text":"from workerd"}',
          full: '200 {"text":"from Node"}',
        },
        stderr,
      );
    } finally {
      // Empty they must be: what was mounted there is the repository.
      rmdirSync(join(closed, "repository"));
      rmdirSync(closed);
    }
  },
);
