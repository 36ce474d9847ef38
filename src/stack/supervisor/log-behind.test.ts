// What a whole stack says when parts of what it remembers of its log were brought back from a backup, or by somebody.
import assert from "node:assert/strict";
import { chownSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { readLog } from "../../ledger/node.ts";
import type { LedgerRecord } from "../../ledger/index.ts";
import { storeFile } from "../vault/vault-plan.ts";
import { makeSite, refusals } from "./fixtures/vault-site.ts";
import type { Site } from "./fixtures/vault-site.ts";
import { lastCheckpointFile } from "./sign-checkpoints.ts";

/** What can be brought back: the vault's store, what the supervisor signed last, the log. */
type Part = "store" | "memory" | "log";

interface Kept {
  /** How far the log was signed then, and when it was stopped last. */
  readonly early: number;
  readonly late: number;
  /** Lays back what was there when it was signed up to `early`. */
  takeBack(...parts: Part[]): void;
}

/** A site that ran, was copied, and ran on. */
async function runOn(t: TestContext): Promise<Site & Kept> {
  const site = await makeSite(t);
  await site.run();
  const early = site.last().through;
  const copies: Readonly<Record<Part, () => void>> = {
    store: copyOf(dirname(storeFile(site.folders, "development"))),
    memory: copyOfFile(lastCheckpointFile(site.folders)),
    log: copyOfFile(site.folders.logFile),
  };
  await site.run();
  await site.run();
  const takeBack = (...parts: Part[]): void => {
    for (const part of parts) copies[part]();
  };
  return { ...site, early, late: site.last().through, takeBack };
}

function copyOfFile(file: string): () => void {
  const bytes = readFileSync(file);
  return () => writeFileSync(file, bytes);
}

/** All that SQLite keeps there, with its owner. */
function copyOf(folder: string): () => void {
  const files = readdirSync(folder).map(
    (name) => [join(folder, name), readFileSync(join(folder, name))] as const,
  );
  const { uid, gid } = statSync(folder);
  return () => {
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    for (const [file, bytes] of files) {
      writeFileSync(file, bytes, { mode: 0o600 });
      chownSync(file, uid, gid);
    }
  };
}

const told = async ({ folders }: Site): Promise<LedgerRecord[]> =>
  (await Array.fromAsync(readLog(folders.logFile))).filter(
    ({ event }) => event === "ledger.checkpoint.behind",
  );

/** The first signature is asked for by a stack that runs, as that of one that stops may come too late for its own alarm. */
async function startUntilSaid(site: Site): Promise<void> {
  const said = site.said("the vault's store is an older copy");
  const stack = await site.start();
  try {
    await said;
  } finally {
    await stack.close();
  }
}

/** Without the alarm it is waited for in vain. */
const timeout = 100_000;

suite("a stack whose vault", () => {
  const cases: readonly (readonly [what: string, parts: readonly Part[]])[] = [
    ["has an older copy of its store", ["store"]],
    [
      "has an older copy of its store, with a supervisor that remembers no more than that",
      ["store", "memory"],
    ],
  ];
  for (const [what, parts] of cases)
    test(
      `${what} says so once, in an alert of the log too, and the log is signed on`,
      { timeout },
      async (t) => {
        const site = await runOn(t);
        assert.deepEqual(await told(site), []);
        site.takeBack(...parts);
        await startUntilSaid(site);
        const [alarm, ...more] = await told(site);
        assert.deepEqual(
          [alarm?.severity, alarm?.source, alarm?.["remembered"], more.length],
          ["alert", "supervisor", site.early, 0],
        );
        assert.ok(Number(alarm?.["through"]) > site.late);
        assert.deepEqual([site.verify().findings, refusals(site)], [[], []]);
        await site.run();
        assert.equal((await told(site)).length, 1, "what it signed since is remembered");
      },
    );

  test("has an older copy, as the supervisor and the log are, says nothing: what a checkpoint that lay elsewhere tells", async (t) => {
    const site = await runOn(t);
    const elsewhere = site.last();
    site.takeBack("store", "memory", "log");
    await site.run();
    assert.deepEqual([await told(site), refusals(site), site.verify().findings], [[], [], []]);
    const { findings } = site.verify({ checkpoints: [elsewhere], keys: [elsewhere.key] });
    assert.equal(findings.length, 1);
  });
});
