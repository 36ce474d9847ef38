import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { suite, test } from "node:test";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { createKeySource, identity, makeKey, makeToken } from "../fixtures/issuer.ts";
import { createRevocationMemory, openRevocations } from "./revocations.ts";
import { createTokenVerifier } from "./token-verifier.ts";

const nowSeconds = 1_800_000_000;
const secret = [1, 2] as const;
const key = await makeKey("EdDSA", "ed");

suite("revocations", () => {
  test("none is missed, and none is taken back, whatever shares a place", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ maxLength: 8 }), fc.integer({ min: 1, max: 4_000_000_000 }))),
        (revoked) => {
          const revocations = openRevocations(createRevocationMemory({ slots: 1024, secret }));
          for (const [subject, until] of revoked) revocations.revoke(subject, until);
          for (const [subject, until] of revoked) assert.ok(revocations.issuedUntil(subject) >= until);
        },
      ),
    );
  });

  test("with a thousand of them fewer than one other subject in a thousand is taken for one", () => {
    const revocations = openRevocations(createRevocationMemory({ secret }));
    for (let count = 0; count < 1000; count++) revocations.revoke(`revoked-${count}`, nowSeconds);
    let taken = 0;
    for (let count = 0; count < 20_000; count++) if (revocations.issuedUntil(`other-${count}`) > 0) taken++;
    assert.ok(taken < 20, `${taken} of 20 000`);
  });

  test("another thread's is seen at once", async () => {
    const memory = createRevocationMemory({ secret });
    const revocations = openRevocations(memory);
    const before = revocations.epoch();
    const code = `
      const { workerData } = require("node:worker_threads");
      import(workerData.file).then(({ openRevocations }) => openRevocations(workerData.memory).revoke("alice", ${nowSeconds}));`;
    const file = new URL("./revocations.ts", import.meta.url).href;
    const worker = new Worker(code, { eval: true, workerData: { file, memory } });
    const [status] = await new Promise<[number]>((resolve, reject) => {
      worker.once("exit", (exit) => resolve([exit]));
      worker.once("error", reject);
    });
    assert.equal(status, 0);
    assert.notEqual(revocations.epoch(), before);
    assert.equal(revocations.issuedUntil("alice"), nowSeconds);
  });
});

suite("tokens of whom something was revoked", () => {
  function open() {
    const revocations = openRevocations(createRevocationMemory({ secret }));
    const digest = (token: string): string => createHash("sha256").update(token).digest("base64url");
    const now = (): number => nowSeconds * 1000;
    const keys = createKeySource([key.jwk]);
    return { revocations, verifier: createTokenVerifier({ identity, keys, digest, revocations, now }) };
  }

  test("a remembered token is refused from then on, also on the connection that it came by", async () => {
    const { revocations, verifier } = open();
    const connection = {};
    const token = await makeToken(key, { claims: { iat: nowSeconds - 60 } });
    for (let count = 0; count < 3; count++)
      assert.equal((await verifier.verify(token, connection)).kind, "valid");
    revocations.revoke("alice", nowSeconds - 30);
    for (let count = 0; count < 2; count++)
      assert.deepEqual(await verifier.verify(token, connection), {
        kind: "invalid",
        reason: "it was revoked",
      });
  });

  test("a token of that very second is refused, a newer one and those of others pass, without a new signature check", async () => {
    const { revocations, verifier } = open();
    const issued = async (sub: string, iat: number): Promise<string> =>
      makeToken(key, { claims: { sub, iat } });
    const [same, newer, other] = await Promise.all([
      issued("alice", nowSeconds - 30),
      issued("alice", nowSeconds - 29),
      issued("bob", nowSeconds - 60),
    ]);
    await verifier.verify(other);
    revocations.revoke("alice", nowSeconds - 30);
    assert.equal((await verifier.verify(same)).kind, "invalid");
    assert.equal((await verifier.verify(newer)).kind, "valid");
    assert.ok(!(verifier.verify(other) instanceof Promise), "it was remembered");
  });

  test("everybody's tokens are refused at once", async () => {
    const { revocations, verifier } = open();
    const token = await makeToken(key, { claims: { iat: nowSeconds - 60 } });
    await verifier.verify(token);
    revocations.revokeAll(nowSeconds - 1);
    assert.equal((await verifier.verify(token)).kind, "invalid");
    assert.equal((await verifier.verify(await makeToken(key))).kind, "valid");
  });
});
