import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { exportJWK, generateKeyPair } from "jose";
import { createAssertionSigner } from "./assertion-signer.ts";
import type { AssertionSigner } from "../assertion.ts";
import { createAssertionVerifier } from "./assertion-verifier.ts";
import type { AssertionVerifier } from "./assertion-verifier.ts";

const issuer = "https://www.bakery.test";
const request = { method: "GET", path: "/api/orders" };
const invalid = { code: "GATEWAY_ASSERTION_INVALID" };

interface Shop {
  verify: AssertionVerifier;
  clock: { now: number };
  /** Writes the file of a stack that was started anew, and signs for it. */
  start(kid: string): Promise<AssertionSigner>;
  write(text: string): void;
}

function openShop(t: TestContext): Shop {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-assertion-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const jwksFile = join(folder, "assertion.jwks.json");
  const clock = { now: 0 };
  return {
    clock,
    verify: createAssertionVerifier({
      jwksFile,
      issuer,
      audience: "https://shop.bakery.test",
      now: () => clock.now,
    }),
    write: (text) => writeFileSync(jwksFile, text),
    async start(kid) {
      const { privateKey, publicKey } = await generateKeyPair("EdDSA", { extractable: true });
      writeFileSync(
        jwksFile,
        JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid, alg: "EdDSA" }] }),
      );
      return createAssertionSigner({
        key: privateKey,
        keyId: kid,
        issuer,
        audience: "https://shop.bakery.test/",
      });
    },
  };
}

const sign = (signer: AssertionSigner): string | Promise<string> =>
  signer.sign({ ...request, caller: { subject: "alice", roles: [] }, id: "r1" });

test("an upstream learns who calls from the stack's keys on disk", async (t) => {
  const shop = openShop(t);
  const signer = await shop.start("k1");
  assert.equal((await shop.verify(await sign(signer), request)).subject, "alice");
  await assert.rejects(shop.verify(undefined, request), invalid);
  await assert.rejects(shop.verify(await sign(signer), { ...request, path: "/api/orders/1" }), invalid);
});

test("an upstream that starts first refuses, and accepts as soon as the stack has written its keys", async (t) => {
  const shop = openShop(t);
  await assert.rejects(shop.verify("a.b.c", request), invalid);
  const signer = await shop.start("k1");
  assert.equal((await shop.verify(await sign(signer), request)).id, "r1");
});

test("a stack that is started anew is believed, the old one no longer", async (t) => {
  const shop = openShop(t);
  const before = await shop.start("k1");
  await shop.verify(await sign(before), request);
  const after = await shop.start("k2");
  shop.clock.now += 1000;
  assert.equal((await shop.verify(await sign(after), request)).subject, "alice");
  shop.clock.now += 1000;
  await assert.rejects(shop.verify(await sign(before), request), invalid);
});

test("forgeries make it read the file once a second at most, and a broken file does not unseat good keys", async (t) => {
  const shop = openShop(t);
  const signer = await shop.start("k1");
  await shop.verify(await sign(signer), request);
  shop.write("{ not JSON");
  await assert.rejects(shop.verify("a.b.c", request), /not valid|can't be read/);
  shop.clock.now += 1000;
  await assert.rejects(shop.verify("a.b.c", request), /keys can't be read/);
  assert.equal((await shop.verify(await sign(signer), request)).subject, "alice");
});

test("the body is read once, after the rest holds, and must be the one that was signed for", async (t) => {
  const shop = openShop(t);
  const signer = await shop.start("k1");
  const post = { method: "POST", path: "/api/orders" };
  const header = await signer.sign({
    ...post,
    caller: undefined,
    id: "r1",
    bodyDigest: hash("sha256", "{}", "base64url"),
  });
  let reads = 0;
  const read = (text: string) => async (): Promise<string> => {
    reads++;
    return text;
  };
  // Old enough for the keys to be read again, which must not read the body again.
  await shop.verify(header, { ...post, body: read("{}") });
  shop.clock.now += 1000;
  await assert.rejects(shop.verify(header, { ...post, body: read("[]") }), invalid);
  assert.equal(reads, 2);
  await assert.rejects(shop.verify("a.b.c", { ...post, body: read("{}") }), invalid);
  assert.equal(reads, 2);
});
