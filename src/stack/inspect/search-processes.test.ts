import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { hash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fingerprintsOf } from "../../harden/fingerprints.ts";
import type { ValueFingerprints } from "../../harden/fingerprints.ts";
import { Secret } from "../../shared/index.ts";
import { bwrapWorks, groupUser } from "../isolation/isolation.ts";
import { processTree } from "./process-tree.ts";
import { searchProcesses } from "./search-processes.ts";

const skip = existsSync("/proc/self/pagemap") ? false : "there is no /proc";

/** A value that nobody has but in bytes, each another than in the value. */
function veiled(): { hidden: Buffer; fingerprints: ValueFingerprints } {
  const hidden = Buffer.from(randomBytes(24).toString("base64url")).map((byte) => byte ^ 0x55);
  const value = new Secret(Buffer.from(hidden.map((byte) => byte ^ 0x55)).toString());
  const fingerprints = fingerprintsOf([{ name: "KEY", version: "1", value }], {
    salt: randomBytes(16),
    sha256: (bytes) => hash("sha256", bytes, "buffer"),
  });
  return { hidden: Buffer.from(hidden), fingerprints };
}

const holder = `process.stdin.once("data", (bytes) => {
  globalThis.held = Buffer.from(bytes.map((byte) => byte ^ 0x55)).toString(process.argv[1]);
  process.stdout.write("ready");
});`;

test(
  "a value is found in the memory of the process that has it, also encoded, and in no other",
  { skip },
  async (context) => {
    const { hidden, fingerprints } = veiled();
    const children = await Promise.all(
      ["utf8", "base64", "none"].map(async (encoding) => {
        const child = spawn(process.execPath, ["-e", holder, encoding === "none" ? "utf8" : encoding], {
          stdio: ["pipe", "pipe", "inherit"],
        });
        context.after(() => child.kill("SIGKILL"));
        child.stdin.write(encoding === "none" ? Buffer.alloc(32, 7) : hidden);
        await once(child.stdout, "data");
        return child;
      }),
    );
    const pids = children.map(({ pid }) => pid ?? 0);
    assert.ok(pids.every((pid) => processTree(process.pid).some((entry) => entry.pid === pid)));
    const found = [];
    for (const pid of pids) found.push(...(await searchProcesses(pid, fingerprints)).processes);
    assert.deepEqual(
      found.map(({ inMemory, inEnvironment }) => [inMemory, inEnvironment]),
      [
        [["KEY"], []],
        [["KEY"], []],
        [[], []],
      ],
    );
  },
);

test(
  "a value is found in an environment, and in arguments; a planted one always is",
  { skip },
  async (context) => {
    const { hidden, fingerprints } = veiled();
    const value = Buffer.from(hidden.map((byte) => byte ^ 0x55)).toString();
    for (const [env, argument] of [
      [{ TOKEN: `Bearer ${value}` }, ""],
      [{}, `--key=${value}`],
    ] as const) {
      const child = spawn(
        process.execPath,
        ["-e", "process.stdin.resume(); process.stdout.write('ready')", "--", argument],
        {
          env,
          stdio: ["pipe", "pipe", "ignore"],
        },
      );
      context.after(() => child.kill("SIGKILL"));
      await once(child.stdout, "data");
      const { processes, foundPlanted, searched } = await searchProcesses(child.pid ?? 0, fingerprints);
      assert.deepEqual([processes[0]?.inEnvironment, foundPlanted, searched], [["KEY"], true, ["KEY"]]);
    }
  },
);

test(
  "a group that calls itself a shell, or a domain's name, is looked into",
  { skip: skip === false && process.getuid?.() !== 0 ? "only root can become a group's user" : skip },
  async (context) => {
    const { hidden, fingerprints } = veiled();
    for (const title of ["sh", "/usr/bin/prlimit", "node /srv/domains/vault.js"]) {
      const child = spawn(
        process.execPath,
        ["-e", `process.title = ${JSON.stringify(title)}; ${holder}`, "utf8"],
        { stdio: ["pipe", "pipe", "inherit"], ...groupUser(0, "/srv/example") },
      );
      context.after(() => child.kill("SIGKILL"));
      child.stdin.write(hidden);
      await once(child.stdout, "data");
      // A stack's supervisor is searched whoever it is; what it started, by what it is.
      const { processes } = await searchProcesses(process.pid, fingerprints);
      const found = processes.find(({ pid }) => pid === child.pid);
      assert.deepEqual([found?.domain, found?.inMemory], ["group", ["KEY"]], title);
    }
  },
);

test(
  "what calls itself a domain in a sandbox that was made for no domain is looked into",
  { skip: bwrapWorks() ? skip : "there is no bubblewrap, or it may make no sandbox" },
  async (context) => {
    const { hidden, fingerprints } = veiled();
    const sandbox = ["--ro-bind", "/", "/", "--dev", "/dev", "--unshare-pid", "--die-with-parent"];
    const code = `process.title = "node /srv/domains/vault.js"; ${holder}`;
    const child = spawn("bwrap", [...sandbox, process.execPath, "-e", code, "utf8"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    context.after(() => child.kill("SIGKILL"));
    child.stdin.write(hidden);
    await once(child.stdout, "data");
    const { processes } = await searchProcesses(process.pid, fingerprints);
    assert.deepEqual(
      // This process has the value too, perhaps still in memory.
      processes
        .filter(({ pid, inMemory }) => pid !== process.pid && inMemory.length > 0)
        .map(({ domain }) => domain),
      ["group"],
    );
  },
);
