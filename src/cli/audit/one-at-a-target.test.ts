import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { command } from "../../../test/support/command.ts";
import { aloneAt } from "./one-at-a-target.ts";

const withUsers = process.getuid === undefined ? { skip: "this system does not tell users apart" } : {};
const onLinux = process.platform === "linux" ? {} : { skip: "names of the kernel are Linux's" };

test(
  "of two that ask one target the second waits; another target, or the next time, waits for nobody",
  withUsers,
  async () => {
    const target = new URL(`https://localhost:1/${crypto.randomUUID()}`);
    target.port = String(1024 + (process.pid % 60_000));
    const seen: string[] = [];
    const first = Promise.withResolvers<void>();
    const running = aloneAt(target, async () => {
      seen.push("first begins");
      await first.promise;
      seen.push("first ends");
    });
    const other = aloneAt(new URL("https://elsewhere.example"), async () => void seen.push("another"));
    await other;
    // By another of this machine's names.
    const second = aloneAt(new URL(`https://127.0.0.1:${target.port}`), async () => void seen.push("second"));
    first.resolve();
    await Promise.all([running, second]);
    assert.equal(seen.indexOf("second") > seen.indexOf("first ends"), true, seen.join());
    assert.equal(await aloneAt(target, async () => "again"), "again");
    await assert.rejects(
      aloneAt(target, async () => Promise.reject(new Error("it failed"))),
      /it failed/,
    );
    assert.equal(await aloneAt(target, async () => "after a failure"), "after a failure");
  },
);

test(
  "what any user of the machine can hold keeps nobody waiting",
  { ...onLinux, timeout: 60_000 },
  async () => {
    const listener = createServer((socket) => socket.destroy());
    const name = crypto.randomUUID();
    listener.listen(`\0curtainwall-target-${name}.example`);
    await once(listener, "listening");
    try {
      assert.equal(await aloneAt(new URL(`https://${name}.example`), async () => "at once"), "at once");
    } finally {
      listener.close();
    }
  },
);

test(
  "another process of this user is waited for; one that was killed holds nothing",
  withUsers,
  async (t) => {
    const target = new URL(`https://${crypto.randomUUID()}.example`);
    const module = fileURLToPath(new URL("one-at-a-target.ts", import.meta.url));
    const program = `
    const { aloneAt } = await import(${JSON.stringify(module)});
    await aloneAt(new URL(${JSON.stringify(target.href)}), async () => {
      console.log("mine");
      await new Promise(() => process.stdin.resume());
    });`;
    const flags = command.filter((part) => part.startsWith("--"));
    const other = spawn(process.execPath, [...flags, "--input-type=module", "-e", program], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    t.after(() => other.kill("SIGKILL"));
    await once(other.stdout, "data");
    let isMine = false;
    const mine = aloneAt(target, async () => (isMine = true));
    // By then the lock was asked for: a target of nobody's is had in less.
    await aloneAt(new URL(`https://${crypto.randomUUID()}.example`), async () => undefined);
    assert.equal(isMine, false);
    other.kill("SIGKILL");
    assert.equal(await mine, true);
  },
);
