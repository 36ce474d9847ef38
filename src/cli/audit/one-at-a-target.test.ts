import assert from "node:assert/strict";
import { test } from "node:test";
import { aloneAt } from "./one-at-a-target.ts";

const onLinux = process.platform === "linux" ? {} : { skip: "names of the kernel are Linux's" };

test(
  "of two that ask one target the second waits; another target, or the next time, waits for nobody",
  onLinux,
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
