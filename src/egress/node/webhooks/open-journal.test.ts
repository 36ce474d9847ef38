import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { SecurityEvent } from "../../../contract/index.ts";
import { openDeliveries } from "../../fixtures/deliveries.ts";

const begun = 1_800_000_000;

/** A folder, and starts of egress one after the other, as if nobody closed anything. */
function openFolder(context: Pick<TestContext, "after">) {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-deliveries-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const events: SecurityEvent[] = [];
  const clock = { seconds: begun };
  return {
    folder,
    clock,
    start: (options: { toleranceSeconds?: number; maxFileBytes?: number } = {}) =>
      openDeliveries({
        folder,
        now: () => clock.seconds * 1000,
        events: (event) => void events.push(event),
        ...options,
      }),
    files: () => readdirSync(folder).map((name) => join(folder, name)),
    lost: () => events.flatMap((event) => (event.type === "webhook.memory.lost" ? [event.reason] : [])),
  };
}

suite("After a restart", () => {
  test("what was taken is not taken again, and what was signed before it by an honest sender is", async (context) => {
    const { start, clock, lost, folder } = openFolder(context);
    const first = start();
    assert.equal(await first.take("one", begun + 1), true);
    const failed = await first.deliver("two", begun + 1);
    assert.equal(await first.checks.settle(failed.kind === "genuine" ? failed.ticket : "", false), true);
    clock.seconds += 5;
    for (let time = 0; time < 3; time++) {
      const next = start();
      assert.deepEqual(await next.deliver("one", begun + 1), {
        kind: "refused",
        reason: "it was taken before",
      });
      assert.equal((await next.deliver("one", begun + 1, "short")).kind, "refused");
    }
    const last = start();
    assert.equal(await last.take("two", begun + 1), true);
    assert.equal(await last.take("three", begun + 2), true);
    assert.equal((await last.deliver("four", begun - 1)).kind, "unavailable");
    assert.deepEqual(lost(), []);
    assert.equal(readdirSync(folder).length, 1);
  });

  test("what was under way still is, and may be settled with the ticket that was given before", async (context) => {
    const { start } = openFolder(context);
    const [one, two] = [await start().deliver("one", begun), await start().deliver("two", begun)];
    assert.ok(one.kind === "genuine" && two.kind === "genuine");
    const next = start();
    assert.equal((await next.deliver("one", begun)).kind, "under-way");
    assert.equal(await next.checks.settle(one.ticket, true), true);
    // Its answer may have been lost, so it is told once more.
    assert.equal(await next.checks.settle(one.ticket, true), true);
    assert.equal(await next.checks.settle(two.ticket, false), true);
    const last = start();
    assert.equal((await last.deliver("one", begun)).kind, "refused");
    assert.equal((await last.deliver("two", begun)).kind, "genuine");
  });

  test("a lease that has ended is not settled by who had it", async (context) => {
    const { start, clock } = openFolder(context);
    const first = start();
    const slow = await first.deliver("one", begun);
    clock.seconds += 16;
    const again = await first.deliver("one", begun);
    assert.ok(slow.kind === "genuine" && again.kind === "genuine");
    assert.equal(await first.checks.settle(slow.ticket, true), false);
    assert.equal(await first.checks.settle(slow.ticket, false), true);
    assert.equal((await first.deliver("one", begun)).kind, "under-way");
    assert.equal(await first.checks.settle(again.ticket, true), true);
  });

  test("a route that waits longer knows what one took that waits shortly, also when it comes to wait longer", async (context) => {
    const { start, clock } = openFolder(context);
    const first = start();
    const verdict = await first.deliver("one", begun, "short");
    await first.checks.settle(verdict.kind === "genuine" ? verdict.ticket : "", true);
    clock.seconds += 200;
    assert.equal((await first.deliver("one", begun)).kind, "refused");
    clock.seconds += 200;
    const longer = start({ toleranceSeconds: 3600 });
    assert.equal((await longer.deliver("one", begun)).kind, "unavailable");
    assert.equal(await longer.take("two", clock.seconds - 299), true);
  });

  test("with the clock set back nothing counts that was signed before", async (context) => {
    const { start, clock, lost } = openFolder(context);
    clock.seconds += 1000;
    await start().take("one", begun + 1000);
    clock.seconds = begun;
    const next = start();
    assert.deepEqual(lost(), ["the clock was set back"]);
    assert.equal((await next.deliver("two", begun - 1)).kind, "unavailable");
    // By a sender whose clock is ahead it could have been signed so late, and taken.
    assert.equal((await next.deliver("three", begun + 299)).kind, "unavailable");
    clock.seconds += 300;
    assert.equal(await next.take("four", clock.seconds), true);
  });
});

suite("Of a journal", () => {
  test("a last line that was cut short was confirmed to nobody; anything else that is damaged is told, and replaced", async (context) => {
    const { start, files, lost, clock } = openFolder(context);
    await start().take("one", begun);
    await start().take("ahead", begun + 120);
    const only = (): string => files()[0] as string;
    appendFileSync(only(), '1234abcd {"kind":');
    clock.seconds += 1;
    assert.equal((await start().deliver("one", begun)).kind, "refused");
    assert.deepEqual(lost(), []);

    const text = readFileSync(only(), "utf8");
    writeFileSync(only(), text.replace('"isTaken":true', '"isTaken":null').replace(/$/, text.slice(-200)));
    assert.equal((await start().deliver("one", begun)).kind, "unavailable");
    assert.deepEqual(lost(), ["a line of it is damaged"]);
    assert.equal((await start().deliver("ahead", begun + 120)).kind, "unavailable");
    clock.seconds += 300;
    assert.equal(await start().take("two", clock.seconds), true);
    assert.equal(lost().length, 1);
  });

  test("a file that is missing in the middle is noticed", async (context) => {
    const { start, files, lost, folder } = openFolder(context);
    await start().take("one", begun);
    renameSync(files()[0] as string, join(folder, "deliveries-7.log"));
    writeFileSync(join(folder, "deliveries-5.log"), "");
    start();
    assert.deepEqual(lost(), ["a file of it is missing"]);
  });

  test("files go once nothing in them counts, and none before", async (context) => {
    const { start, files, clock } = openFolder(context);
    const deliveries = start({ maxFileBytes: 2000 });
    for (let count = 0; count < 50; count++) await deliveries.take(`a${count}`, clock.seconds);
    const most = files().length;
    assert.ok(most > 5, String(most));
    clock.seconds += 302;
    for (let count = 0; count < 10; count++) await deliveries.take(`b${count}`, clock.seconds);
    assert.ok(files().length < 5, String(files().length));
    const next = start();
    for (let count = 0; count < 10; count++)
      assert.equal((await next.deliver(`b${count}`, clock.seconds)).kind, "refused");
  });

  test("what can't be noted is not taken, and once it can be everything goes on", async (context) => {
    const { start, folder } = openFolder(context);
    const deliveries = start({ maxFileBytes: 1 });
    const begunOne = await deliveries.deliver("one", begun);
    renameSync(folder, `${folder}-away`);
    assert.equal((await deliveries.deliver("two", begun)).kind, "unavailable");
    assert.equal(
      await deliveries.checks.settle(begunOne.kind === "genuine" ? begunOne.ticket : "", true),
      false,
    );
    assert.equal((await deliveries.deliver("one", begun)).kind, "under-way");
    assert.throws(() => start(), { code: "EGRESS_JOURNAL_UNUSABLE" });
    renameSync(`${folder}-away`, folder);
    assert.equal(await deliveries.take("two", begun), true);
    assert.equal(
      await deliveries.checks.settle(begunOne.kind === "genuine" ? begunOne.ticket : "", true),
      true,
    );
    const next = start();
    assert.deepEqual(
      [(await next.deliver("one", begun)).kind, (await next.deliver("two", begun)).kind],
      ["refused", "refused"],
    );
  });

  test("nothing that was confirmed is lost when its process is killed", async (context) => {
    const { folder, start, lost } = openFolder(context);
    const program = fileURLToPath(new URL("../../fixtures/taking-process.ts", import.meta.url));
    const confirmed: string[] = [];
    for (const round of ["a", "b", "c"]) {
      const child = spawn(
        process.execPath,
        ["--conditions=curtainwall-source", program, folder, round, String(begun)],
        { stdio: ["ignore", "pipe", "inherit"] },
      );
      const exited = once(child, "exit");
      const lines: string[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        lines.push(line);
        if (lines.length === 60) child.kill("SIGKILL");
      }
      await exited;
      assert.ok(lines.length >= 60);
      confirmed.push(...lines);
    }
    const next = start();
    for (const body of confirmed) assert.equal((await next.deliver(body, begun)).kind, "refused", body);
    assert.deepEqual(lost(), []);
  });
});
