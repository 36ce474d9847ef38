import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkpointText, formatRecord } from "../../ledger/index.ts";
import { openLogFile } from "../../ledger/node.ts";
import { openKeyFile } from "../../release/node.ts";
import { domainUser } from "../isolation/isolation.ts";
import { storeFile } from "../vault/vault-plan.ts";
import { makeSite, refusals } from "./fixtures/vault-site.ts";
import { checkpointKeyFile } from "./log-key.ts";
import { lastCheckpointFile } from "./sign-checkpoints.ts";

/** A log that begins as given, and goes on with records that nobody wrote. */
async function writeAnew(file: string, beginning: string | Uint8Array, count: number): Promise<void> {
  writeFileSync(file, beginning);
  const log = openLogFile({ path: file, onError: (error) => assert.fail(error) });
  for (let number = 0; number < count; number++)
    log.append(formatRecord({ type: "stack.stopped", time: number, reason: "forged" }, "supervisor"));
  await log.close();
}

suite("a log that the vault signs", () => {
  test("is signed to its end when the stack stops; its key lies in the store, which is the vault's alone, and nowhere else", async (t) => {
    const site = await makeSite(t);
    const { isolation } = await site.run();
    const verdict = site.verify();
    assert.deepEqual([verdict.findings, verdict.untold, refusals(site)], [[], [], []]);
    assert.equal(site.last().through, verdict.last - 1);
    assert.deepEqual(
      verdict.checkpoints.signers.map(({ holder }) => holder),
      ["vault"],
    );
    assert.ok(!existsSync(checkpointKeyFile(site.folders)));
    const store = storeFile(site.folders, "development");
    const user = isolation === "uid" ? domainUser("vault", site.folders.root).uid : process.getuid?.();
    const folder = statSync(join(store, ".."));
    assert.deepEqual([folder.uid, folder.mode & 0o777], [user, 0o700]);
    for (const name of readdirSync(join(store, ".."))) {
      const { uid, mode } = statSync(join(store, "..", name));
      assert.deepEqual([uid, mode & 0o077], [user, 0], name);
    }
  });

  test("goes on from what the supervisor of an older version signed, whose key is given up, and back when there is no vault any more; that is said each time", async (t) => {
    const old = await makeSite(t, false);
    await old.run();
    const { log, through, head, key, holder } = old.last();
    assert.equal(holder, "supervisor");
    const signer = await openKeyFile(checkpointKeyFile(old.folders));
    const signature = Buffer.from(await signer.sign(checkpointText({ log, through, head })));
    const older = { log, through, head, key, signature: signature.toString("base64url") };
    writeFileSync(lastCheckpointFile(old.folders), JSON.stringify(older));

    const site = old.withVault(true);
    await site.run();
    const ours = site.last();
    assert.deepEqual([ours.holder, ours.after], ["vault", key]);
    assert.ok(!existsSync(checkpointKeyFile(site.folders)));
    assert.match(site.messages.join("\n"), /signed by the vault with .* until now it was by the supervisor/);
    const verdict = site.verify({ checkpoints: [older, ours], keys: [ours.key] });
    assert.deepEqual([verdict.findings, verdict.outside], [[], 2]);
    assert.deepEqual(
      verdict.checkpoints.signers.map((one) => [one.key, one.holder]),
      [
        [key, "supervisor"],
        [ours.key, "vault"],
      ],
    );

    const bare = site.withVault(false);
    await bare.run();
    assert.match(bare.messages.join("\n"), /signed by the supervisor with .* until now it was by the vault/);
    assert.equal(bare.last().after, ours.key);
    assert.notEqual(bare.last().key, key);
    assert.deepEqual([bare.verify().findings, refusals(site), refusals(bare)], [[], [], []]);
  });

  test("taken back together with the supervisor's file is found by the vault, and one that was begun anew is an alarm", async (t) => {
    const site = await makeSite(t);
    await site.run();
    const files = [site.folders.logFile, lastCheckpointFile(site.folders)];
    const copies = files.map((file) => [file, readFileSync(file)] as const);
    await site.run();
    await site.run();
    const { log, through } = site.last();
    for (const [file, bytes] of copies) writeFileSync(file, bytes);
    await site.run();
    assert.match(refusals(site).join(), new RegExp(`the vault signed it before up to ${through}`));
    assert.ok(site.last().through < through);
    for (const file of files) rmSync(file);
    const said = site.said("another log was begun");
    const stack = await site.start();
    assert.ok((await said).includes(log));
    await stack.close();
    assert.deepEqual(site.verify().findings, []);
    assert.match(
      readFileSync(site.folders.logFile, "utf8"),
      new RegExp(`"severity":"alert","event":"ledger.checkpoint.begun",.*"before":"${log}"`),
    );
  });

  test(
    "rewritten while the stack stood still, with more records than were signed, is found by the vault: what the supervisor remembered was deleted, or is older",
    {
      // Without the alarm it is waited for in vain.
      timeout: 120_000,
    },
    async (t) => {
      const site = await makeSite(t);
      await site.run();
      const older = readFileSync(lastCheckpointFile(site.folders));
      await site.run();
      const { log, through } = site.last();
      const [opened] = readFileSync(site.folders.logFile, "utf8").split("\n", 1);
      const genuine = readFileSync(site.folders.logFile);
      rmSync(lastCheckpointFile(site.folders));
      await site.run();
      assert.deepEqual(refusals(site), [], "nothing was changed: it goes on from what the vault signed");
      assert.ok(site.last().log === log && site.last().through > through);

      await writeAnew(site.folders.logFile, `${opened}\n`, 100);
      rmSync(lastCheckpointFile(site.folders));
      const said = site.said("not signed");
      const stack = await site.start();
      assert.match(await said, /the vault signed it before up to \d+: record \d+ is not the one/);
      await stack.close();
      assert.match(
        readFileSync(site.folders.logFile, "utf8"),
        /"severity":"alert","event":"ledger\.checkpoint\.refused"/,
      );
      assert.ok(!existsSync(lastCheckpointFile(site.folders)), "nothing was signed");

      const isOlder = genuine.subarray(0, genuine.indexOf('"event":"ledger.checkpoint"'));
      await writeAnew(site.folders.logFile, isOlder.subarray(0, isOlder.lastIndexOf(10) + 1), 100);
      writeFileSync(lastCheckpointFile(site.folders), older);
      const before = refusals(site).length;
      await site.run();
      assert.ok(refusals(site).length > before);
      assert.deepEqual(readFileSync(lastCheckpointFile(site.folders)), older);
    },
  );

  test("waits for a vault that was killed, and is signed by nobody else", async (t) => {
    const site = await makeSite(t);
    const again = site.said("the vault runs again");
    const stack = await site.start();
    process.kill(stack.pids().vault ?? assert.fail("no vault"), "SIGKILL");
    await again;
    await stack.close();
    assert.deepEqual([site.verify().findings, refusals(site)], [[], []]);
    const { key, through } = site.last();

    const later = await site.start();
    process.kill(later.pids().vault ?? assert.fail("no vault"), "SIGKILL");
    await later.close();
    assert.match(refusals(site).join(), /not signed: the vault, which has the key, does not run/);
    assert.ok(!existsSync(checkpointKeyFile(site.folders)));
    assert.equal(site.last().key, key);
    assert.ok(site.verify().unsigned > 1);
    await site.run();
    assert.deepEqual([site.verify().findings, site.verify().unsigned], [[], 0]);
    assert.ok(site.last().through > through);
  });
});

test("A supervisor that is killed when the vault has signed and it does not know yet goes on afterwards, and the log is whole", async (t) => {
  const site = await makeSite(t);
  await site.run();
  const before = site.last();
  const modules = (name: string): string => JSON.stringify(fileURLToPath(new URL(name, import.meta.url)));
  // The ledger's last words after its last checkpoint: what the vault is asked to sign next.
  const script = `
    const { openVault } = await import(${modules("../../vault/node.ts")});
    const { signLogOf } = await import(${modules("../vault/sign-log.ts")});
    const { createCheckpointSigner } = await import(${modules("./sign-checkpoints.ts")});
    const { verifyLog } = await import(${modules("../../ledger/node.ts")});
    const folders = ${JSON.stringify(site.folders)};
    const vault = await openVault({
      file: ${JSON.stringify(storeFile(site.folders, "development"))},
      project: "localhost",
      environment: "development",
      kek: { kind: "file", file: ${JSON.stringify(site.keyFile)} },
    });
    const key = {
      sign(claim, before) {
        const signed = signLogOf(vault, { claim, before });
        if (signed.checkpoint === undefined) throw new Error(JSON.stringify(signed));
        process.kill(process.pid, "SIGKILL");
      },
    };
    const { log, last: through, head } = verifyLog(folders.logFile);
    await createCheckpointSigner({ folders, key, keep: { maxFileBytes: 4000, keepFiles: 1 } }).sign({ log, through, head });`;
  const { signal, stderr } = spawnSync(
    process.execPath,
    ["--conditions=curtainwall-source", "--input-type=module", "-e", script],
    { encoding: "utf8" },
  );
  assert.equal(signal, "SIGKILL", stderr);
  assert.deepEqual(site.last(), before);
  await site.run();
  assert.deepEqual([site.verify().findings, refusals(site)], [[], []]);
  assert.ok(site.last().through > before.through);
});
