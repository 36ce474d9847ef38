import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { requires } from "../../../test/requires.ts";
import { asTested } from "../../../test/support/command.ts";
import { findIsolation, startStack } from "../index.ts";
import type { RunningStack, StackLogEntry } from "../index.ts";
import {
  callFunction,
  leftOf,
  makeFunctionSite,
  runFolderOf,
  takeOver,
  withChildren,
} from "./fixtures/function-site.ts";
import type { FunctionSite } from "./fixtures/function-site.ts";

const bwrap = requires("bwrap");
/** The strongest isolation of this machine, and the one of an ordinary user. */
const isolations = [...new Set([findIsolation(), "bwrap" as const])];

let site: FunctionSite;
before(async () => {
  if (bwrap.skip === false) site = await makeFunctionSite();
});
after(() => site?.remove());

/** Starts a site, and keeps what is logged. */
async function start(path: string, isolation = findIsolation()) {
  const entries: StackLogEntry[] = [];
  const waiting: { pattern: RegExp; resolve: () => void }[] = [];
  const stack = await startStack({
    path,
    isolation,
    log(entry) {
      entries.push(entry);
      for (const { pattern, resolve } of waiting) if (pattern.test(entry.message)) resolve();
    },
  });
  return {
    stack,
    entries,
    folder: runFolderOf(process.pid),
    seen: (pattern: RegExp) => new Promise<void>((resolve) => waiting.push({ pattern, resolve })),
  };
}

const processesOf = (stack: RunningStack): number[] =>
  [...Object.values(stack.pids()), ...Object.values(stack.groupPids())].flatMap(withChildren);

test(
  "A site with secrets and functions has five domains, and a process for each group that is called; closed, nothing of them is left",
  bwrap,
  async () => {
    for (const isolation of isolations) {
      if (isolation === "bwrap") takeOver(site);
      const { stack, folder, entries } = await start(site.root, isolation);
      assert.deepEqual(Object.keys(stack.pids()).sort(), ["edge", "egress", "functions", "ledger", "vault"]);
      assert.deepEqual(stack.groupPids(), {}, "no group runs before it is called");
      assert.deepEqual(
        await Promise.all(["quotes", "tidy"].map((name) => callFunction(folder, name))),
        [200, 200],
      );
      assert.deepEqual(Object.keys(stack.groupPids()).sort(), ["plain", "quotes"]);
      const pids = processesOf(stack);
      await stack.close();
      assert.deepEqual(await leftOf(pids), []);
      assert.ok(!existsSync(folder));
      assert.deepEqual(
        entries.filter(({ level }) => level === "error"),
        [],
      );
    }
  },
);

test(
  "Each domain that is killed comes back; calls meanwhile wait and are answered, and no event is missing",
  bwrap,
  async () => {
    const { stack, folder, seen } = await start(site.root);
    try {
      assert.equal(await callFunction(folder, "quotes"), 200);
      const group = stack.groupPids()["quotes"] ?? 0;
      for (const domain of ["vault", "egress", "functions", "ledger"] as const) {
        const before = stack.pids()[domain] ?? 0;
        const back = seen(new RegExp(`the ${domain} runs again`));
        process.kill(before, "SIGKILL");
        await leftOf([before]);
        const meanwhile = Array.from({ length: 20 }, () => callFunction(folder, "quotes"));
        assert.deepEqual(new Set(await Promise.all(meanwhile)), new Set([200]), `while ${domain} was away`);
        await back;
        assert.notEqual(stack.pids()[domain], before);
      }
      assert.deepEqual(
        await leftOf([group]),
        [],
        "a keeper that comes back begins with no group of the one before",
      );
    } finally {
      await stack.close();
    }
    const events = readFileSync(stack.folders.logFile, "utf8").trim().split("\n");
    const named = (event: string, domain: string): number =>
      events.filter((line) => line.includes(`"${event}"`) && line.includes(`"${domain}"`)).length;
    for (const domain of ["vault", "egress", "functions", "ledger"]) {
      assert.equal(named("stack.domain.exited", domain), 1, domain);
      assert.equal(named("stack.domain.restarted", domain), 1, domain);
    }
  },
);

test("A stack that closes lets a function's call end first", bwrap, async () => {
  const { stack, folder } = await start(site.root);
  try {
    assert.equal(await callFunction(folder, "tidy"), 200);
    const slow = callFunction(folder, "tidy", { waitMs: 700 });
    await callFunction(folder, "tidy");
    const closed = stack.close();
    assert.equal(await slow, 200);
    await closed;
  } finally {
    await stack.close();
  }
});

test(
  "A supervisor that is killed leaves no domain and no function running; the next start removes its sockets",
  bwrap,
  async () => {
    for (const isolation of isolations) {
      if (isolation === "bwrap") takeOver(site);
      const supervisor = spawn(
        process.execPath,
        [...asTested, new URL("fixtures/run-stack.ts", import.meta.url).pathname, site.root, isolation],
        { stdio: ["ignore", "pipe", "inherit"] },
      );
      const ended = once(supervisor, "exit").then(() => assert.fail("it did not start"));
      const [line] = (await Promise.race([once(supervisor.stdout, "data"), ended])) as [Buffer];
      const { statuses, folder, pids } = JSON.parse(String(line)) as {
        statuses: number[];
        folder: string;
        pids: number[];
      };
      assert.deepEqual(statuses, [200, 200]);
      assert.ok(pids.length >= 7);
      supervisor.kill("SIGKILL");
      await once(supervisor, "exit");
      assert.deepEqual(await leftOf(pids), [], isolation);
      assert.ok(readdirSync(folder).length > 0, "nobody was there to tidy up");
      await (await start(site.root, isolation)).stack.close();
      assert.ok(!existsSync(folder));
    }
  },
);
