import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { defineStack, parseContract } from "../../contract/index.ts";
import type { EnvelopeSigner } from "../../contract/index.ts";
import { findSiteKeys, stackFolders } from "../../stack/index.ts";
import type { SiteKeys } from "../../stack/index.ts";
import { holdKeys } from "./held-keys.ts";

/** A site's keys that count how often the release key is lent, and whose loans can be made to end. */
async function countedKeys(
  t: TestContext,
): Promise<{ keys: SiteKeys; lent: () => number; given: () => number; breakLoan: () => void }> {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-held-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const keys = await findSiteKeys(
    parseContract(defineStack({ origin: "https://localhost:8443" })),
    stackFolders(root),
  );
  let [lent, given] = [0, 0];
  let isBroken = false;
  return {
    lent: () => lent,
    given: () => given,
    breakLoan: () => void (isBroken = true),
    keys: {
      ...keys,
      withReleaseSigner: (use) =>
        keys.withReleaseSigner(async (signer) => {
          lent++;
          isBroken = false;
          const breakable: EnvelopeSigner = {
            publicKey: signer.publicKey,
            sign: async (message) => {
              if (isBroken) throw new Error("its process has ended");
              return signer.sign(message);
            },
          };
          return use(breakable).finally(() => given++);
        }),
    },
  };
}

const message = Buffer.from("a release");
const signWith = ({ keys }: { keys: SiteKeys }): Promise<Uint8Array> =>
  keys.withReleaseSigner(async (signer) => signer.sign(message));

test("a key that is held is borrowed once for all signatures, and given back at the end", async (t) => {
  const { keys, lent, given } = await countedKeys(t);
  const held = holdKeys(keys);
  const [first, second] = [await signWith(held), await signWith(held)];
  assert.deepEqual(first, await keys.withReleaseSigner(async (signer) => signer.sign(message)));
  assert.deepEqual(first, second);
  assert.equal(lent() - 1, 1, "the other one was this test's");
  await held.close();
  assert.equal(given(), lent());
});

test("a loan that ended, as when the vault's process was killed, is borrowed anew; what goes wrong twice is told", async (t) => {
  const { keys, lent, breakLoan } = await countedKeys(t);
  const held = holdKeys(keys);
  await signWith(held);
  breakLoan();
  await signWith(held);
  assert.equal(lent(), 2);
  await held.close();

  const refusing: SiteKeys = { ...keys, withReleaseSigner: () => Promise.reject(new Error("no key")) };
  await assert.rejects(signWith(holdKeys(refusing)), /no key/);
});
