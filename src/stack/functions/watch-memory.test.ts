import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { watchMemory } from "./watch-memory.ts";

const skip =
  process.arch === "x64" && existsSync("/usr/bin/perl") ? false : "needs perl, and numbers of calls on x64";
/** `MAP_PRIVATE | MAP_ANONYMOUS`, and the same shared. */
const kinds = { "memory of its own": 0x22, "memory that it shares with nobody else": 0x21 } as const;

for (const [kind, flags] of Object.entries(kinds))
  test(`a process's ${kind} is measured`, { skip }, async (context) => {
    // Has 64 MiB, fills them from /dev/zero, and waits.
    const script = `
      my $size = 64 << 20; my $at = syscall(9, 0, $size, 3, ${flags}, -1, 0); open(Z, "<", "/dev/zero") or die;
      syscall(0, fileno(Z), $at, $size) == $size or die; sleep 60;`;
    const child = spawn("/usr/bin/perl", ["-e", script], { stdio: "ignore" });
    context.after(() => child.kill("SIGKILL"));
    await once(child, "spawn");
    const limit = 48 * 2 ** 20;
    const alive = setInterval(() => undefined, 1000);
    const { promise, resolve } = Promise.withResolvers<number>();
    context.after(watchMemory({ pid: () => child.pid, maxBytes: limit, onReached: resolve }));
    child.once("exit", () => resolve(0));
    const bytes = await promise;
    clearInterval(alive);
    assert.ok(bytes > limit && bytes < 96 * 2 ** 20, String(bytes));
  });
