import assert from "node:assert/strict";
import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { needsRoot } from "../../../test/requires.ts";
import { makeMemoryFolder } from "./memory-folder.ts";

const user = { uid: 60_123, gid: 60_123 };

test(
  "what egress remembered follows who it is; a link's end and a file with another name elsewhere don't",
  needsRoot,
  () => {
    const root = mkdtempSync(join(tmpdir(), "curtainwall-test-"));
    try {
      const folder = join(root, "egress");
      makeMemoryFolder(folder);
      for (const name of ["mine.key", "theirs.key"]) writeFileSync(join(root, name), "", { mode: 0o600 });
      writeFileSync(join(folder, "deliveries-1.log"), "", { mode: 0o600 });
      linkSync(join(root, "mine.key"), join(folder, "deliveries-2.log"));
      symlinkSync(join(root, "theirs.key"), join(folder, "deliveries-3.log"));
      mkdirSync(join(folder, "deliveries-4.log"));
      makeMemoryFolder(folder, user);
      const owners = Object.fromEntries(
        [...readdirSync(folder).map((name) => join(folder, name)), folder, join(root, "theirs.key")].map(
          (path) => [path.slice(root.length + 1), lstatSync(path).uid],
        ),
      );
      assert.deepEqual(owners, {
        "egress/deliveries-1.log": user.uid,
        "egress/deliveries-2.log": 0,
        "egress/deliveries-3.log": 0,
        "egress/deliveries-4.log": 0,
        egress: user.uid,
        "theirs.key": 0,
      });
      makeMemoryFolder(folder);
      assert.deepEqual(
        ["egress", "egress/deliveries-1.log"].map((name) => lstatSync(join(root, name)).uid),
        [0, 0],
        "as another isolation, which has no users of its own",
      );
    } finally {
      rmSync(root, { recursive: true });
    }
  },
);
