import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { inspect } from "node:util";
import { createKeyRing, isCommittedTo } from "./key-ring.ts";

const storeId = Buffer.alloc(16, 1);
const aad = Buffer.from("whose it is");

test("A ring commits to its key, its name and its store: no other has the same commitment", () => {
  const root = randomBytes(32);
  const ring = (bytes = root, id = "a", store = storeId) => createKeyRing(Buffer.from(bytes), id, store);
  assert.ok(isCommittedTo(ring(), ring().commitment));
  for (const other of [ring(randomBytes(32)), ring(root, "b"), ring(root, "a", Buffer.alloc(16, 2))]) {
    assert.equal(isCommittedTo(other, ring().commitment), false);
    assert.equal(other.unwrap(ring().wrap(root, aad), aad), undefined);
    assert.notDeepEqual(other.startManifest().digest(), ring().startManifest().digest());
  }
  for (const wrong of [new Uint8Array(), new Uint8Array(32), ring().commitment.subarray(1)])
    assert.equal(isCommittedTo(ring(), wrong), false);
});

test("A key is handed over to who has the one before, for the one place that it is for", () => {
  const [old, next] = [
    createKeyRing(randomBytes(32), "old", storeId),
    createKeyRing(randomBytes(32), "next", storeId),
  ];
  const sealed = old.handOver(next);
  assert.deepEqual(old.takeOver(sealed, "next")?.commitment, next.commitment);
  assert.equal(old.takeOver(sealed, "other"), undefined);
  assert.equal(next.takeOver(sealed, "next"), undefined);
  assert.equal(old.unwrap(sealed, aad), undefined);
});

test("A ring prints nothing of its keys, and overwrites them", () => {
  const root = randomBytes(32);
  const hex = root.toString("hex");
  const ring = createKeyRing(root, "a", storeId);
  const shown = inspect(ring, { depth: 9, showHidden: true });
  assert.equal(shown.replaceAll(" ", "").includes(hex.slice(0, 16)), false);
  const wrapped = ring.wrap(Buffer.from("key"), aad);
  ring.forget();
  assert.deepEqual(root, Buffer.alloc(32));
  assert.equal(ring.unwrap(wrapped, aad), undefined);
});
