import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes, sign as signBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { checkpointText } from "../../ledger/index.ts";
import type { Checkpoint, CheckpointClaim } from "../../ledger/index.ts";
import { isSigned } from "../../ledger/node.ts";
import type { Vault } from "../../vault/index.ts";
import { createVault } from "../../vault/node.ts";
import { signLogOf } from "./sign-log.ts";
import type { VaultSignature } from "./sign-log.ts";

const claim = (through: number): CheckpointClaim => ({
  log: "A".repeat(22),
  through,
  head: "H".repeat(43),
});

async function makeVault(t: TestContext): Promise<Vault> {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-sign-log-"));
  const key = join(folder, "vault.key");
  writeFileSync(key, randomBytes(32), { mode: 0o600 });
  const vault = await createVault({
    file: join(folder, "store.db"),
    kek: { kind: "file", file: key },
    project: "bakery",
    environment: "production",
  });
  t.after(() => {
    vault.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return vault;
}

/** What the vault signed, or why it did not. */
function sign(
  vault: Vault,
  given: CheckpointClaim,
  before?: Checkpoint,
  seen?: CheckpointClaim,
): VaultSignature | string {
  const result = signLogOf(vault, { claim: given, before, seen, searched: undefined });
  if (typeof result === "string" || "checkpoint" in result) return result;
  return `signed before up to ${result.unseen?.through}`;
}

/** As the supervisor of an older version signed. */
function signedBefore(through: number): Checkpoint {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const key = `ed25519:${String(publicKey.export({ format: "jwk" }).x)}`;
  const signature = signBytes(null, checkpointText(claim(through)), privateKey).toString("base64url");
  return { ...claim(through), key, signature };
}

test("A log that the supervisor signed before is gone on with, and its key is named from then on, under the vault's signature", async (t) => {
  const vault = await makeVault(t);
  const before = signedBefore(3);
  const first = sign(vault, claim(5), before);
  assert.ok(typeof first === "object");
  assert.deepEqual([first.checkpoint.holder, first.checkpoint.after], ["vault", before.key]);
  assert.ok(isSigned(first.checkpoint));
  const { after: _, ...without } = first.checkpoint;
  assert.ok(!isSigned(without) && !isSigned({ ...first.checkpoint, holder: "supervisor" }));
  const second = sign(vault, claim(6), first.checkpoint);
  assert.ok(typeof second === "object" && isSigned(second.checkpoint));
  assert.equal(second.checkpoint.after, before.key);
});

test("Nothing is signed after what was not signed, lies ahead or is of another log, nor what could be read as another claim", async (t) => {
  const vault = await makeVault(t);
  const before = signedBefore(3);
  const refusal = (...[given, last]: [CheckpointClaim, Checkpoint?]): string => {
    const result = sign(vault, given, last);
    return typeof result === "string" ? result : "signed";
  };
  assert.match(refusal(claim(5), { ...before, through: 4 }), /not signed with the key that it names/);
  assert.match(refusal(claim(5), { ...before, key: signedBefore(3).key }), /not signed with the key/);
  assert.match(refusal(claim(2), before), /does not go on from record 3/);
  assert.match(refusal({ ...claim(5), log: "B".repeat(22) }, before), /does not go on/);
  for (const forged of [
    { ...claim(5), head: `${"H".repeat(42)}\n` },
    { ...claim(5), log: `${"A".repeat(22)}\n9` },
    { ...claim(5), through: 0.5 },
  ])
    assert.equal(refusal(forged), "it is not said how far it is");
  assert.equal(refusal(claim(1)), "signed", "none of these was remembered");
});

test("More than was signed is signed only if it was seen to go on from what was signed last: from what is less, of another log, or not the vault's own, it was not", async (t) => {
  const vault = await makeVault(t);
  const first = sign(vault, claim(3));
  const last = sign(vault, claim(5), typeof first === "object" ? first.checkpoint : undefined);
  assert.ok(typeof first === "object" && typeof last === "object");
  const forgetful = [
    [],
    [first.checkpoint],
    [signedBefore(7)],
    [undefined, claim(3)],
    [undefined, { ...claim(5), head: "B".repeat(43) }],
    [undefined, { ...claim(5), log: "B".repeat(22) }],
  ] as const;
  for (const [before, seen] of forgetful)
    assert.equal(sign(vault, claim(9), before, seen), "signed before up to 5");
  assert.equal(typeof sign(vault, claim(5)), "object", "the same again goes on from nothing");
  assert.equal(typeof sign(vault, claim(9), first.checkpoint, claim(5)), "object");
});
