import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { checkpointText } from "../checkpoint.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { formatRecord } from "../record.ts";
import { openLogFile } from "./log-file.ts";
import { createCheckpointSigners } from "./checkpoint-signers.ts";
import { verifyLog } from "./verify-log.ts";

type Said = Pick<Checkpoint, "holder" | "after">;

/** A key that signs checkpoints. */
function newSigner(): { key: string; sign: (claim: Parameters<typeof checkpointText>[0]) => Checkpoint } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const key = `ed25519:${String(publicKey.export({ format: "jwk" }).x)}`;
  return {
    key,
    sign: (claim) => ({
      ...claim,
      key,
      signature: sign(null, checkpointText(claim), privateKey).toString("base64url"),
    }),
  };
}

/** Writes a log in which each of these signed in turn. Gives the checkpoints. */
async function logOf(
  t: TestContext,
  signers: readonly (readonly [signer: ReturnType<typeof newSigner>, said: Said])[],
): Promise<{ path: string; checkpoints: Checkpoint[] }> {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-signers-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "events.jsonl");
  const log = openLogFile({ path, onError: (error) => assert.fail(error) });
  const checkpoints: Checkpoint[] = [];
  for (const [signer, said] of signers) {
    log.append(formatRecord({ type: "stack.stopped", time: 1, reason: "test" }, "supervisor"));
    await log.flush();
    const { seq, chain } = log.head();
    const head = Buffer.from(chain).toString("base64url");
    const checkpoint = signer.sign({ log: log.log, through: seq, head, ...said });
    log.append(formatRecord({ type: "ledger.checkpoint", time: 1, ...checkpoint }, "ledger"));
    checkpoints.push(checkpoint);
  }
  await log.close();
  return { path, checkpoints };
}

const [supervisor, vault, other] = [newSigner(), newSigner(), newSigner()];
const byVault = (after?: string): Said => ({ holder: "vault", ...(after === undefined ? {} : { after }) });
const says = (path: string, keys?: string[], checkpoints: Checkpoint[] = []): string[] =>
  verifyLog(path, { checkpoints, ...(keys === undefined ? {} : { keys }) }).findings.map((one) => one.says);

test("A log that the supervisor signed and the vault goes on with holds by the vault's key alone, and says who signed how far", async (t) => {
  const { path, checkpoints } = await logOf(t, [
    [supervisor, {}],
    [supervisor, {}],
    [vault, byVault(supervisor.key)],
    [vault, byVault(supervisor.key)],
  ]);
  for (const given of [[], checkpoints.slice(-1), checkpoints.slice(0, 1), checkpoints]) {
    const verdict = verifyLog(path, { checkpoints: given, keys: [vault.key] });
    assert.deepEqual([verdict.findings, verdict.untold, verdict.outside], [[], [], given.length]);
    assert.deepEqual(verdict.checkpoints, {
      count: 4,
      through: 8,
      signers: [
        { key: supervisor.key, holder: "supervisor", through: 4 },
        { key: vault.key, holder: "vault", through: 8 },
      ],
    });
  }
  assert.match(says(path, [supervisor.key]).join(), /record 7 is signed with another key/);
});

test("A key counts for what came before only if one that may sign says so", async (t) => {
  const { path, checkpoints } = await logOf(t, [
    [supervisor, {}],
    [vault, byVault()],
  ]);
  assert.match(says(path, [vault.key]).join(), /record 3 is signed with another key/);
  const { after: _, ...last } = checkpoints[1] ?? assert.fail();
  const forged = { ...last, after: supervisor.key };
  assert.match(says(path, [vault.key], [forged]).join(), /record 3 is signed with another key.*not signed/);
});

test("The supervisor's key counts no more once the vault has taken over, whatever it says of itself", async (t) => {
  for (const said of [{}, { holder: "supervisor", after: vault.key }, byVault(vault.key)] as const) {
    const { path } = await logOf(t, [
      [supervisor, {}],
      [vault, byVault(supervisor.key)],
      [supervisor, said],
    ]);
    for (const keys of [[vault.key], [vault.key, supervisor.key], undefined])
      assert.match(
        says(path, keys).join(),
        /record 7 is signed with a key that was given up for the vault's/,
      );
  }
});

test("Nor does one that the supervisor had before that, and lost", async (t) => {
  const lost = newSigner();
  const honest = [
    [lost, {}],
    [supervisor, { holder: "supervisor", after: lost.key }],
    [vault, byVault(supervisor.key)],
  ] as const;
  assert.deepEqual(says((await logOf(t, honest)).path, [vault.key]), []);
  const { path } = await logOf(t, [...honest, [lost, {}]]);
  assert.match(says(path, [vault.key]).join(), /record 9 is signed with a key that was given up/);
});

test("A key that was given up signs nothing beyond what the vault's checkpoint, kept elsewhere, says, also where the log shows no vault", () => {
  const log = "L".repeat(22);
  const claim = (through: number): { log: string; through: number; head: string } => ({
    log,
    through,
    head: "H".repeat(43),
  });
  const kept = vault.sign({ ...claim(5), ...byVault(supervisor.key) });
  const keys = [vault.key, supervisor.key];
  const problemOf = (through: number, named: string[]): string | undefined =>
    createCheckpointSigners(keys, { checkpoints: [kept], named }).problemOf(
      supervisor.sign({ ...claim(through), holder: "vault" }),
      "log",
    );
  assert.equal(problemOf(4, [vault.key]), undefined);
  assert.match(problemOf(6, [vault.key]) ?? "", /given up/);
  assert.equal(problemOf(6, keys), undefined);
});

test("A log may go from one vault to another and back, and to a supervisor whose key is new", async (t) => {
  const { path, checkpoints } = await logOf(t, [
    [supervisor, {}],
    [vault, byVault(supervisor.key)],
    [other, byVault(vault.key)],
    [vault, byVault(other.key)],
  ]);
  assert.deepEqual(says(path, [vault.key]), []);
  assert.deepEqual(says(path, [other.key, vault.key], checkpoints.slice(2, 3)), []);
  // Who trusts the other one alone was told that the first is over.
  assert.match(says(path, [other.key], checkpoints.slice(2, 3)).join(), /given up/);
  const third = newSigner();
  const left = await logOf(t, [
    [supervisor, {}],
    [vault, byVault(supervisor.key)],
    [third, { holder: "supervisor", after: vault.key }],
  ]);
  assert.deepEqual(says(left.path, [third.key]), []);
});

test("A key may change a thousand times, one after the other: who trusts the last of them trusts what all signed, in bounded time", async (t) => {
  const signers = Array.from({ length: 1000 }, newSigner);
  const { path, checkpoints } = await logOf(
    t,
    signers.map((signer, at) => [signer, byVault(signers[at - 1]?.key)]),
  );
  const keys = [signers.at(-1)?.key ?? assert.fail()];
  const verdict = verifyLog(path, { checkpoints: checkpoints.slice(-1), keys });
  assert.deepEqual([verdict.findings, verdict.untold, verdict.checkpoints.count], [[], [], 1000]);
  assert.deepEqual(verdict.checkpoints.signers.at(0), { key: signers[0]?.key, holder: "vault", through: 2 });
  // Who trusts one in the middle trusts those before it, and none after it.
  const middle = verifyLog(path, { keys: [signers[499]?.key ?? ""] });
  assert.equal(middle.checkpoints.count, 500);
  assert.match(
    middle.findings[0]?.says ?? "",
    /^the checkpoint in record 1003 is signed with another key .* \(and 499 more like it\)$/,
  );
});

test("What a key says of the one before it counts only as far as the chain has it, and with its signature", async (t) => {
  const [trusted, between, before] = [newSigner(), newSigner(), newSigner()];
  const chained = await logOf(t, [
    [before, byVault()],
    [between, byVault(before.key)],
    [trusted, byVault(between.key)],
  ]);
  assert.deepEqual(says(chained.path, [trusted.key]), []);
  const unsigned = {
    ...between,
    sign: (claim: Parameters<typeof between.sign>[0]) => ({
      ...between.sign(claim),
      signature: "A".repeat(86),
    }),
  };
  const elsewhere = {
    ...between,
    sign: (claim: Parameters<typeof between.sign>[0]) => between.sign({ ...claim, head: "A".repeat(43) }),
  };
  for (const forger of [unsigned, elsewhere]) {
    const { path } = await logOf(t, [
      [before, byVault()],
      [forger, byVault(before.key)],
      [trusted, byVault(between.key)],
    ]);
    const found = says(path, [trusted.key]).join("\n");
    assert.match(found, /record 3 is signed with another key/);
    assert.match(found, /record 5 (?:is not signed|says of record 4 what the log does not)/);
  }
});

const bySupervisor = (after: string): Said => ({ holder: "supervisor", after });

test("A vault's first checkpoint that is put behind what its predecessor signed since is no cover for that, whoever else signed", async (t) => {
  const honest = await logOf(t, [
    [other, {}],
    [supervisor, bySupervisor(other.key)],
    [vault, byVault(supervisor.key)],
  ]);
  assert.deepEqual(says(honest.path, [vault.key]), []);
  for (const late of [supervisor, other]) {
    const folder = mkdtempSync(join(tmpdir(), "curtainwall-signers-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "events.jsonl");
    const log = openLogFile({ path, onError: (error) => assert.fail(error) });
    const claim = async (said: Said): Promise<Parameters<typeof checkpointText>[0]> => {
      log.append(formatRecord({ type: "stack.stopped", time: 1, reason: "test" }, "supervisor"));
      await log.flush();
      const { seq, chain } = log.head();
      return { log: log.log, through: seq, head: Buffer.from(chain).toString("base64url"), ...said };
    };
    const put = (one: Checkpoint): void =>
      log.append(formatRecord({ type: "ledger.checkpoint", time: 1, ...one }, "ledger"));
    put(other.sign(await claim({})));
    put(supervisor.sign(await claim(bySupervisor(other.key))));
    const first = vault.sign(await claim(byVault(supervisor.key)));
    put(late.sign(await claim(late === other ? {} : bySupervisor(other.key))));
    put(first);
    await log.close();
    const { findings, trusted } = verifyLog(path, { keys: [vault.key] });
    assert.match(
      findings.map((one) => one.says).join(),
      /record 9 took the place of a key up to record 6, which signed up to record 7 before it came/,
    );
    assert.deepEqual(trusted?.signed, 6);
  }
});

test("Of a log that anybody may sign no more than 1,000 keys are followed, and what more there are is told once", async (t) => {
  const { path } = await logOf(
    t,
    Array.from({ length: 1003 }, () => [newSigner(), byVault()]),
  );
  const { checkpoints, findings } = verifyLog(path);
  assert.deepEqual([checkpoints.signers.length, checkpoints.count], [1000, 1000]);
  assert.match(
    findings.map((one) => one.says).join(),
    /^the checkpoint in record 2003 is signed with one key more than the 1,000 that are followed \(.*\) \(and 2 more like it\)$/,
  );
});
