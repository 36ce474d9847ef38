import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { formatRecord } from "../../ledger/index.ts";
import type { CheckpointClaim } from "../../ledger/index.ts";
import { openLogFile, verifyLog } from "../../ledger/node.ts";
import type { LogFile } from "../../ledger/node.ts";
import type { Vault } from "../../vault/index.ts";
import { createVault, openVault } from "../../vault/node.ts";
import type { ToVault } from "../processes/messages.ts";
import { signLogOf } from "../vault/sign-log.ts";
import { keyInVault } from "./key-in-vault.ts";
import type { KeyInVault } from "./key-in-vault.ts";
import { createCheckpointSigner, lastCheckpointFile } from "./sign-checkpoints.ts";
import type { CheckpointSigner } from "./sign-checkpoints.ts";

/** A site's folders and a store, without the processes around them. */
interface Place {
  readonly folders: { readonly supervisor: string; readonly logFile: string };
  /** A supervisor that was started anew, and a vault that opens the store as it lies there. */
  start(): Promise<Running>;
  /** Keeps a copy of the store; called again, lays it back. */
  copyStore(): () => void;
}

interface Running extends CheckpointSigner {
  /** What the vault was asked for a claim that it did not sign at once. */
  readonly asked: readonly ToVault[];
  stop(): void;
}

async function makePlace(t: TestContext): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-key-in-vault-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const folders = { supervisor: join(folder, "supervisor"), logFile: join(folder, "events.jsonl") };
  const [store, file] = [join(folder, "store.db"), join(folder, "vault.key")];
  writeFileSync(file, randomBytes(32), { mode: 0o600 });
  const options = {
    file: store,
    project: "bakery",
    environment: "production",
    kek: { kind: "file", file },
  } as const;
  (await createVault(options)).close();
  return {
    folders,
    start: async () => run(folders, await openVault(options)),
    copyStore() {
      copyFileSync(store, `${store}.copy`);
      return () => {
        for (const ending of ["-wal", "-shm"]) rmSync(store + ending, { force: true });
        copyFileSync(`${store}.copy`, store);
      };
    },
  };
}

const keep = { maxFileBytes: 4000, keepFiles: 1 };

function run(folders: Place["folders"], vault: Vault): Running {
  const stopping = new AbortController();
  const key = keyInVault({ stopping: stopping.signal });
  const asked: ToVault[] = [];
  key.runs({
    exited: Promise.withResolvers<never>().promise,
    control: {
      send(message) {
        asked.push(message);
        if (message.type === "sign-log") answer(key, vault, message);
      },
    },
  });
  return { ...createCheckpointSigner({ folders, key, keep }), asked, stop: () => vault.close() };
}

/** As the vault's process does. */
function answer(key: KeyInVault, vault: Vault, message: Extract<ToVault, { type: "sign-log" }>): void {
  const { number } = message;
  const signed = signLogOf(vault, message);
  if (typeof signed === "string") key.told({ type: "log-refused", number, reason: signed });
  else if ("unseen" in signed) key.told({ type: "log-unseen", number, last: signed.unseen });
  else key.told({ type: "log-signed", number, ...signed });
}

const claimOf = (log: LogFile): CheckpointClaim => {
  const { seq, chain } = log.head();
  return { log: log.log, through: seq, head: Buffer.from(chain).toString("base64url") };
};

async function add(path: string, count: number): Promise<CheckpointClaim> {
  const log = openLogFile({ path, onError: (error) => assert.fail(error) });
  for (let number = 0; number < count; number++)
    log.append(formatRecord({ type: "stack.stopped", time: number, reason: "test" }, "supervisor"));
  await log.close();
  return claimOf(log);
}

/** The log comes round until nothing of what it was is there any more; it is signed before each time that records go. */
async function comeRound(path: string, signer: CheckpointSigner): Promise<CheckpointClaim> {
  const log: LogFile = openLogFile({
    path,
    ...keep,
    onError: (error) => assert.fail(error),
    beforeRemoval: async () => assert.equal(typeof (await signer.sign(claimOf(log))), "object"),
  });
  for (let number = 0; number < 200; number++) {
    log.append(formatRecord({ type: "stack.stopped", time: number, reason: "test" }, "supervisor"));
    if (number % 5 === 0) await log.flush();
  }
  await log.close();
  return claimOf(log);
}

async function refusal(signer: CheckpointSigner, claim: CheckpointClaim): Promise<string> {
  const result = await signer.sign(claim);
  return typeof result === "string" ? result : "signed";
}

suite("what the vault remembers and the supervisor does not", () => {
  test("is looked for in the log: one that goes on from there is signed, one that was written anew is not", async (t) => {
    const { folders, start } = await makePlace(t);
    const { logFile } = folders;
    const first = await start();
    assert.equal(typeof (await first.sign(await add(logFile, 3))), "object");
    const early = readFileSync(logFile);
    assert.equal(typeof (await first.sign(await add(logFile, 3))), "object");
    assert.equal(first.asked.length, 2, "nothing more is asked as long as both remember the same");
    first.stop();

    rmSync(lastCheckpointFile(folders));
    const second = await start();
    assert.equal(typeof (await second.sign(await add(logFile, 3))), "object");
    second.stop();
    assert.deepEqual(verifyLog(logFile).findings, []);

    writeFileSync(logFile, early);
    const forged = await add(logFile, 30);
    rmSync(lastCheckpointFile(folders));
    const third = await start();
    assert.match(await refusal(third, forged), /^the vault signed it before up to 10: record 10 is not/);
    third.stop();
  });

  test("is less if its store was restored, and what its key signed since is gone on from although the log came round", async (t) => {
    const { folders, start, copyStore } = await makePlace(t);
    const first = await start();
    assert.equal(typeof (await first.sign(await add(folders.logFile, 3))), "object");
    first.stop();
    const restore = copyStore();
    const second = await start();
    assert.equal(typeof (await second.sign(await comeRound(folders.logFile, second))), "object");
    second.stop();
    restore();
    const third = await start();
    assert.equal(typeof (await third.sign(await add(folders.logFile, 3))), "object");
    third.stop();

    restore();
    rmSync(lastCheckpointFile(folders));
    const forgetful = await start();
    assert.match(
      await refusal(forgetful, await add(folders.logFile, 3)),
      /^the vault signed it before up to 4: record 4, which was signed before, is not in the log any more/,
    );
    forgetful.stop();
  });

  test("is not asked about while it comes round: each signature is gone on from by the next", async (t) => {
    const { folders, start } = await makePlace(t);
    const running = await start();
    const last = await comeRound(folders.logFile, running);
    assert.equal(typeof (await running.sign(last)), "object");
    assert.ok(running.asked.length > 5);
    assert.ok(running.asked.every((message) => message.type === "sign-log" && message.seen === undefined));
    running.stop();
  });
});
