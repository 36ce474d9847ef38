import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createPublicKey, verify } from "node:crypto";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Secret } from "../../shared/index.ts";
import { copyStore, testFolder } from "../fixtures/test-vault.ts";
import type { LogClaim, LogKey, LogSigning, SignedLog, Vault } from "../types.ts";

const log = "A".repeat(22);
const claim = (through: number, head = `head ${through}`, name = log): LogClaim => ({
  log: name,
  through,
  head,
});
const textOf = ({ key, after }: LogKey): Uint8Array => Buffer.from(`${key} after ${after}`);
type Result = ReturnType<Vault["signLog"]>;
const signed = (result: Result): SignedLog =>
  typeof result === "object" && "signature" in result ? result : assert.fail(JSON.stringify(result));
const refusal = (result: Result): string => (typeof result === "string" ? result : "signed");
const unseen = (result: Result): LogClaim | undefined =>
  typeof result === "object" && "unseen" in result ? result.unseen : assert.fail(JSON.stringify(result));

test("A log is signed further and further, and the same again; less and other is refused, also by a store that was opened anew", async (t) => {
  const { create, open } = testFolder(t);
  const vault = await create();
  const first = signed(vault.signLog(claim(5), { textOf }));
  assert.equal(signed(vault.signLog(claim(5), { textOf })).key, first.key);
  signed(vault.signLog(claim(9), { seen: claim(5), textOf }));
  vault.close();
  const again = await open();
  assert.match(refusal(again.signLog(claim(8), { textOf })), /ends with record 8; .* up to 9/);
  assert.match(refusal(again.signLog(claim(9, "other"), { textOf })), /record 9 is not the one/);
  assert.equal(signed(again.signLog(claim(10), { seen: claim(9), textOf })).key, first.key);
});

test("Its key signs logs alone: none that is asked for by a purpose is it", async (t) => {
  const { create } = testFolder(t);
  const vault = await create();
  const { key, signature, after } = signed(vault.signLog(claim(1), { textOf }));
  const x = key.slice("ed25519:".length);
  const publicKey = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  assert.ok(verify(null, textOf({ key, after }), publicKey, signature));
  for (const purpose of ["release", "token", "log", "key"] as ("release" | "token")[])
    assert.notEqual(vault.signingKey(purpose).publicKey.text, key);
  assert.deepEqual(vault.list(), []);
});

test("The key before it is remembered; its own is none, nor is another once it has signed", async (t) => {
  const { create } = testFolder(t);
  const vault = await create();
  const before = `ed25519:${"B".repeat(43)}`;
  const afterOf = (through: number, key: string): string | undefined => {
    const how = { before: { ...claim(through - 1), key }, textOf };
    return signed(vault.signLog(claim(through), how)).after;
  };
  assert.equal(afterOf(1, before), before);
  assert.equal(afterOf(2, before), before);
  assert.equal(afterOf(3, `ed25519:${"K".repeat(43)}`), before);
  const { key } = signed(vault.signLog(claim(4), { seen: claim(3), textOf }));
  assert.equal(afterOf(5, key), before);
});

test("Another log than the one that was signed last is signed, and said to be another; the one before is still not taken back", async (t) => {
  const { create } = testFolder(t);
  const vault = await create();
  const other = "C".repeat(22);
  const { key, begunAfter } = signed(vault.signLog(claim(7), { textOf }));
  assert.equal(begunAfter, undefined);
  assert.equal(unseen(vault.signLog(claim(1, "h", other), { textOf })), undefined);
  assert.equal(signed(vault.signLog(claim(1, "h", other), { searched: key, textOf })).begunAfter, log);
  assert.equal(
    signed(vault.signLog(claim(2, "h", other), { seen: claim(1, "h", other), textOf })).begunAfter,
    undefined,
  );
  assert.match(refusal(vault.signLog(claim(6), { textOf })), /up to 7/);
});

test("More is signed only of a log that was seen to go on from what is remembered: else it says what that is, and remembers no more", async (t) => {
  const { create } = testFolder(t);
  const vault = await create();
  const { key } = signed(vault.signLog(claim(5), { textOf }));
  const generation = vault.generation();
  const others: Omit<LogSigning, "textOf">[] = [
    {},
    { seen: claim(4) },
    { seen: claim(5, "other") },
    { seen: claim(5, "head 5", "B".repeat(22)) },
    { before: { ...claim(3), key } },
    { before: { ...claim(5, "other"), key } },
    { before: { ...claim(7), key: `ed25519:${"B".repeat(43)}` } },
  ];
  for (const how of others) assert.deepEqual(unseen(vault.signLog(claim(9), { ...how, textOf })), claim(5));
  assert.equal(vault.generation(), generation);
  signed(vault.signLog(claim(9), { seen: claim(5), textOf }));
  signed(vault.signLog(claim(10), { before: { ...claim(9), key }, textOf }));
});

test("A store that was restored takes what its key signed later for remembered, and nothing less", async (t) => {
  const { create, open, options, path } = testFolder(t);
  const vault = await create();
  const { key } = signed(vault.signLog(claim(5), { textOf }));
  vault.close();
  copyStore(options.file, path("copy.db"));
  const later = await open();
  signed(later.signLog(claim(9), { seen: claim(5), textOf }));
  later.close();
  copyStore(path("copy.db"), options.file);
  const restored = await open();
  assert.deepEqual(unseen(restored.signLog(claim(12), { textOf })), claim(5));
  const after = signed(restored.signLog(claim(12), { before: { ...claim(9), key }, textOf }));
  assert.equal(after.behind, 5, "and says that it is an older copy");
  assert.equal(
    signed(restored.signLog(claim(13), { before: { ...claim(12), key }, textOf })).behind,
    undefined,
  );
});

test("Killed between what it remembers and the signature it knows more than anybody was told: less is refused then, the same is signed", async (t) => {
  const { create, open, options } = testFolder(t);
  (await create()).close();
  const module = fileURLToPath(new URL("./vault.ts", import.meta.url));
  const script = `
    const { openVault } = await import(${JSON.stringify(module)});
    const vault = await openVault(${JSON.stringify(options)});
    vault.signLog(${JSON.stringify(claim(4))}, { textOf: () => process.kill(process.pid, "SIGKILL") });`;
  const { signal, stderr } = spawnSync(
    process.execPath,
    ["--conditions=curtainwall-source", "--input-type=module", "-e", script],
    { encoding: "utf8" },
  );
  assert.equal(signal, "SIGKILL", stderr);
  const vault = await open();
  assert.match(refusal(vault.signLog(claim(3), { textOf })), /up to 4/);
  assert.match(refusal(vault.signLog(claim(4, "other"), { textOf })), /record 4 is not the one/);
  signed(vault.signLog(claim(4), { textOf }));
});

test("An import that was planned is done although a log was signed meanwhile, and not if a secret was set; a changed key takes what is remembered along", async (t) => {
  const { create, newKey } = testFolder(t);
  const vault = await create();
  await vault.set("A", new Secret("one"), "ann");
  const { generateX25519Identity, identityToRecipient } = await import("age-encryption");
  const identity = await generateX25519Identity();
  const bytes = await vault.export([await identityToRecipient(identity)]);
  await vault.set("A", new Secret("two"), "ann");
  const plan = await vault.import(bytes, new Secret(identity));
  signed(vault.signLog(claim(2), { textOf }));
  assert.equal((await plan.apply("ann")).length, 1);
  const late = await vault.import(bytes, new Secret(identity));
  await vault.set("B", new Secret("three"), "ann");
  await assert.rejects(late.apply("ann"), { code: "VAULT_CHANGED" });
  await vault.rewrap(newKey("next.key"), "ann");
  assert.match(refusal(vault.signLog(claim(1), { textOf })), /up to 2/);
});
