import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { formatRecord } from "../../ledger/index.ts";
import type { Checkpoint, CheckpointClaim } from "../../ledger/index.ts";
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
  /** How far it remembered to have signed, each time that its key signed more. */
  readonly behind: readonly number[];
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
  const behind: number[] = [];
  const key = keyInVault({
    stopping: stopping.signal,
    onBehind: (_, remembered) => behind.push(remembered),
  });
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
  return { ...createCheckpointSigner({ folders, key, keep }), asked, behind, stop: () => vault.close() };
}

/** As the vault's process does. */
function answer(key: KeyInVault, vault: Vault, message: Extract<ToVault, { type: "sign-log" }>): void {
  const { number } = message;
  const signed = signLogOf(vault, message);
  if (typeof signed === "string") key.told({ type: "log-refused", number, reason: signed });
  else if ("unseen" in signed) key.told({ type: "log-unseen", number, last: signed.unseen, key: signed.key });
  else key.told({ type: "log-signed", number, ...signed });
}

const claimOf = (log: LogFile): CheckpointClaim => {
  const { seq, chain } = log.head();
  return { log: log.log, through: seq, head: Buffer.from(chain).toString("base64url") };
};

let added = 0;

async function add(path: string, count: number): Promise<CheckpointClaim> {
  const log = openLogFile({ path, onError: (error) => assert.fail(error) });
  for (let number = 0; number < count; number++)
    log.append(formatRecord({ type: "stack.stopped", time: added++, reason: "test" }, "supervisor"));
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
    // These signatures were not written into the log.
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

/** Writes, has it signed, and writes that down as the ledger does. */
async function signOn(logFile: string, signer: CheckpointSigner): Promise<Checkpoint> {
  const result = await signer.sign(await add(logFile, 3));
  if (typeof result === "string") assert.fail(result);
  const log = openLogFile({ path: logFile, onError: (error) => assert.fail(error) });
  log.append(formatRecord({ type: "ledger.checkpoint", time: 0, ...result }, "ledger"));
  await log.close();
  return result;
}

suite(
  "what was signed while both forgot it: the log's own records tell, and the vault says that its store is behind",
  () => {
    interface RolledBack extends Place {
      readonly memory: string;
      readonly early: { readonly memory: Buffer; readonly log: Buffer; readonly checkpoint: Checkpoint };
      readonly last: Checkpoint;
      readonly restoreStore: () => void;
    }
    async function signedTwice(t: TestContext): Promise<RolledBack> {
      const place = await makePlace(t);
      const { folders, start, copyStore } = place;
      const memory = lastCheckpointFile(folders);
      const first = await start();
      const checkpoint = await signOn(folders.logFile, first);
      first.stop();
      const restoreStore = copyStore();
      const early = { memory: readFileSync(memory), log: readFileSync(folders.logFile), checkpoint };
      const second = await start();
      await signOn(folders.logFile, second);
      const last = await signOn(folders.logFile, second);
      second.stop();
      return { ...place, memory, early, last, restoreStore };
    }
    /** Signs the log on after all that, and gives what the vault said of its store. */
    async function goOn({ folders, start }: RolledBack): Promise<readonly number[]> {
      const running = await start();
      await signOn(folders.logFile, running);
      running.stop();
      assert.deepEqual(verifyLog(folders.logFile).findings, []);
      return running.behind;
    }
    /** What is between the two signatures written anew, and the later one laid behind it. */
    function writeAnew({ folders: { logFile }, early }: RolledBack): void {
      const lines = readFileSync(logFile, "utf8").trimEnd().split("\n");
      const kept = early.log.toString("utf8").trimEnd().split("\n").length;
      let { chain } = JSON.parse(lines[kept - 1] ?? "") as { chain: string };
      const anew = lines.slice(kept).map((line) => {
        const body = line.replace(/,"chain":.*$/, "").replace('"test"', '"forged"');
        chain = createHash("sha256").update(Buffer.from(chain, "base64url")).update(body).digest("base64url");
        return `${body},"chain":"${chain}"}\n`;
      });
      writeFileSync(logFile, `${lines.slice(0, kept).join("\n")}\n${anew.join("")}`);
    }

    test("the vault's store alone taken back: it is gone on with what the supervisor remembers", async (t) => {
      const place = await signedTwice(t);
      place.restoreStore();
      assert.deepEqual(await goOn(place), [place.early.checkpoint.through]);
      assert.deepEqual(await goOn(place), [], "it is told once");
    });

    test("the supervisor's memory alone taken back, or away: the vault knows", async (t) => {
      const place = await signedTwice(t);
      writeFileSync(place.memory, place.early.memory);
      assert.deepEqual(await goOn(place), []);
      rmSync(place.memory);
      assert.deepEqual(await goOn(place), []);
    });

    test("both: the log knows of more, and what it has is signed on only if it holds", async (t) => {
      for (const hasMemory of [true, false]) {
        const place = await signedTwice(t);
        const takeBack = (): void => {
          place.restoreStore();
          if (hasMemory) writeFileSync(place.memory, place.early.memory);
          else rmSync(place.memory, { force: true });
        };
        takeBack();
        assert.deepEqual(await goOn(place), [place.early.checkpoint.through]);
        takeBack();
        writeAnew(place);
        const running = await place.start();
        assert.match(
          await refusal(running, await add(place.folders.logFile, 1)),
          /record \d+ is not the one that was signed before/,
        );
        running.stop();
      }
    });

    test("a store that knows nothing of the log, but whose key signed it, is behind too", async (t) => {
      const { folders, start, copyStore } = await makePlace(t);
      const [before, other] = [await start(), `${folders.logFile}.other`];
      await signOn(folders.logFile, before);
      before.stop();
      const restore = copyStore();
      copyFileSync(folders.logFile, other);
      for (const file of [folders.logFile, lastCheckpointFile(folders)]) rmSync(file);
      const later = await start();
      await signOn(folders.logFile, later);
      assert.deepEqual(later.behind, []);
      later.stop();
      restore();
      rmSync(lastCheckpointFile(folders));
      const restored = await start();
      await signOn(folders.logFile, restored);
      assert.deepEqual(restored.behind, [0]);
      restored.stop();
    });

    test("all three: nothing here tells; a checkpoint that lies elsewhere does", async (t) => {
      const place = await signedTwice(t);
      place.restoreStore();
      writeFileSync(place.memory, place.early.memory);
      writeFileSync(place.folders.logFile, place.early.log);
      assert.deepEqual(await goOn(place), []);
      const { findings } = verifyLog(place.folders.logFile, {
        checkpoints: [place.last],
        keys: [place.last.key],
      });
      assert.match(
        findings.map(({ says }) => says).join(),
        /^the log ends with record \d+; a checkpoint covers it up to \d+: its end was cut off, or an older copy lies here$/,
      );
      await goOn(place);
      await goOn(place);
      const later = verifyLog(place.folders.logFile, { checkpoints: [place.last], keys: [place.last.key] });
      assert.match(
        later.findings.map(({ says }) => says).join(),
        /^a checkpoint that was given says of record \d+ what the log does not/,
      );
    });
  },
);
