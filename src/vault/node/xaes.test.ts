import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { encryptXaes, open, seal } from "./xaes.ts";

const ascii = (text: string): Uint8Array => Buffer.from(text, "latin1");

// https://c2sp.org/XAES-256-GCM, section "Test vectors": in the first the most significant bit of L is 0, in the second 1.
const vectors = [
  { key: 0x01, aad: "", ciphertext: "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271" },
  {
    key: 0x03,
    aad: "c2sp.org/XAES-256-GCM",
    ciphertext: "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d",
  },
];

for (const { key, aad, ciphertext } of vectors) {
  test(`XAES-256-GCM gives what C2SP publishes for the key ${key}${key}…`, () => {
    const nonce = ascii("ABCDEFGHIJKLMNOPQRSTUVWX");
    const bytes = encryptXaes(new Uint8Array(32).fill(key), nonce, ascii("XAES-256-GCM"), ascii(aad));
    assert.equal(Buffer.from(bytes).toString("hex"), ciphertext);
    assert.deepEqual(
      open(new Uint8Array(32).fill(key), Buffer.concat([nonce, bytes]), ascii(aad)),
      Buffer.from("XAES-256-GCM"),
    );
  });
}

/** Its section "Accumulated randomized tests": one SHAKE-128 is the source of all inputs, another one hashes all ciphertexts. */
function accumulate(rounds: number, streamBytes: number): string {
  const stream = createHash("shake128", { outputLength: streamBytes }).digest();
  const hash = createHash("shake128", { outputLength: 32 });
  let at = 0;
  const take = (length: number): Uint8Array => {
    assert.ok(at + length <= stream.length, "the stream was made too short");
    at += length;
    return stream.subarray(at - length, at);
  };
  const takeCounted = (): Uint8Array => take(take(1)[0] ?? 0);
  for (let round = 0; round < rounds; round++)
    hash.update(encryptXaes(take(32), take(24), takeCounted(), takeCounted()));
  assert.equal(stream.subarray(0, 16).toString("hex"), "7f9c2ba4e88f827d616045507605853e");
  return hash.digest("hex");
}

test("XAES-256-GCM gives what C2SP publishes for 10,000 random messages", () => {
  const digest = accumulate(10_000, 3_300_000);
  assert.equal(digest, "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939");
});

test(
  "XAES-256-GCM gives what C2SP publishes for 1,000,000 random messages",
  { skip: process.env.CURTAINWALL_LONG === undefined && "takes ten seconds: set CURTAINWALL_LONG" },
  () => {
    const digest = accumulate(1_000_000, 315_000_000);
    assert.equal(digest, "2163ae1445985a30b60585ee67daa55674df06901b890593e824b8a7c885ab15");
  },
);

const bytes = (maxLength = 300) => fc.uint8Array({ maxLength });
const key = fc.uint8Array({ minLength: 32, maxLength: 32 });

test("What was sealed opens with the same key and additional data, and no two seals are alike", () => {
  fc.assert(
    fc.property(key, bytes(), bytes(), (secret, plaintext, aad) => {
      const sealed = seal(secret, plaintext, aad);
      assert.deepEqual(Buffer.from(open(secret, sealed, aad) ?? []), Buffer.from(plaintext));
      assert.notDeepEqual(seal(secret, plaintext, aad), sealed);
    }),
  );
});

test("One bit of the key, the seal or the additional data changed: nothing opens", () => {
  fc.assert(
    fc.property(
      key,
      bytes(),
      fc.uint8Array({ minLength: 1, maxLength: 50 }),
      fc.nat(),
      (secret, plain, aad, bit) => {
        const sealed = seal(secret, plain, aad);
        assert.equal(open(flip(secret, bit), sealed, aad), undefined);
        assert.equal(open(secret, flip(sealed, bit), aad), undefined);
        assert.equal(open(secret, sealed, flip(aad, bit)), undefined);
        assert.equal(open(secret, sealed.subarray(0, bit % sealed.length), aad), undefined);
      },
    ),
  );
});

function flip(original: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(original);
  const index = (bit >> 3) % copy.length;
  copy[index] = (copy[index] ?? 0) ^ (1 << (bit & 7));
  return copy;
}
