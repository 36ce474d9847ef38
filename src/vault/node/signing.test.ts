import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { test } from "node:test";
import { openEnvelope, parsePublicKey, signEnvelope } from "../../contract/index.ts";
import { testFolder } from "../fixtures/test-vault.ts";

const pkcs8 = (type: "ed25519" | "x25519"): Buffer =>
  (type === "ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("x25519")).privateKey.export({
    format: "der",
    type: "pkcs8",
  });

test("A signing key is made at its first use and is the same ever after; each purpose has its own", async (t) => {
  const { create, open } = testFolder(t);
  const vault = await create();
  const { publicKey } = vault.signingKey("release");
  assert.notEqual(vault.signingKey("token").publicKey.text, publicKey.text);
  const after = vault.generation();
  vault.close();
  const again = await open();
  const signer = again.signingKey("release");
  assert.deepEqual(signer.publicKey, publicKey);
  assert.deepEqual(parsePublicKey(publicKey.text), publicKey);
  assert.equal(again.generation(), after);
  const envelope = await signEnvelope("release", '{"a":1}', signer);
  assert.equal(await openEnvelope("release", envelope, publicKey), '{"a":1}');
  assert.equal(await openEnvelope("release", envelope, again.signingKey("token").publicKey), undefined);
  assert.deepEqual(again.list(), []);
});

test("A key that was elsewhere is taken over once: the same again is nothing new, another one is refused, as is what is no key", async (t) => {
  const { create } = testFolder(t);
  const vault = await create();
  const key = pkcs8("ed25519");
  const { publicKey, sign } = vault.importSigningKey("release", key, "ann");
  const generation = vault.generation();
  assert.deepEqual(vault.importSigningKey("release", key, "ann").publicKey, publicKey);
  assert.ok(
    key.some((byte) => byte !== 0),
    "the caller's bytes are the caller's",
  );
  assert.deepEqual(vault.signingKey("release").publicKey, publicKey);
  const x = Buffer.from(publicKey.bytes).toString("base64url");
  const verifier = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  assert.ok(verify(null, Buffer.from("m"), verifier, await sign(Buffer.from("m"))));
  assert.throws(() => vault.importSigningKey("release", pkcs8("ed25519"), "eve"), {
    code: "VAULT_SIGNING_KEY_EXISTS",
  });
  for (const wrong of [pkcs8("x25519"), Buffer.from("x"), new Uint8Array()])
    assert.throws(() => vault.importSigningKey("token", wrong, "eve"), { code: "VAULT_SIGNING_KEY_INVALID" });
  assert.equal(vault.generation(), generation);
});

test("Two processes that ask for the first time at once get one key", async (t) => {
  const { create, open } = testFolder(t);
  const one = await create();
  const two = await open();
  assert.deepEqual(one.signingKey("release").publicKey, two.signingKey("release").publicKey);
});
