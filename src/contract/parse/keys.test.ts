import assert from "node:assert/strict";
import { test } from "node:test";
import { defineStack } from "../define.ts";
import type { KeysOptions } from "../define/host.ts";
import { parseContract } from "../parse.ts";
import { makeSigner } from "../release/fixtures/test-keys.ts";

const [program, release] = [(await makeSigner()).publicKey, (await makeSigner()).publicKey];
const parse = (keys: KeysOptions): ReturnType<typeof parseContract> =>
  parseContract(defineStack({ origin: "https://www.bakery.example", keys }));

test("A contract pins two public keys; without them there are none", () => {
  assert.deepEqual(parse({ program: program.text, release: release.text }).keys, { program, release });
  assert.equal(parseContract(defineStack({ origin: "https://www.bakery.example" })).keys, undefined);
});

test("One key for both, half a pair, and what is no key are refused, with what to write", () => {
  const refused: [keys: KeysOptions, words: RegExp][] = [
    [{ program: program.text, release: program.text }, /are the same key/],
    [{ program: program.text } as KeysOptions, /keys\.release must be a public key, not nothing/],
    [{ program: "ed25519:short", release: release.text }, /keys\.program must be a public key/],
    [{ program: program.text, release: release.text, vault: "" } as KeysOptions, /no option "vault"/],
  ];
  for (const [keys, message] of refused) assert.throws(() => parse(keys), { message });
});
