import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { bearer, defineStack, fn, parseContract, secret, webhookSecret } from "../../contract/index.ts";
import type { Contract } from "../../contract/index.ts";
import { createContractGate } from "../hardening/leak-gate.ts";
import { outputFingerprints } from "./output-fingerprints.ts";
import { withVault } from "./with-vault.ts";

/** No real secret. */
const value = "q-Wm4Rb8fQ2nXc-Zt7_9dKp+02v";
const encoder = new TextEncoder();
const use = "GET https://api.delivery.example/v1/quotes";

const contractOf = (options: object = {}): Contract =>
  parseContract(
    defineStack({
      origin: "https://localhost:8443",
      functions: { quotes: {} },
      secrets: {
        DELIVERY_KEY: secret({ use, by: fn("quotes"), inject: bearer() }),
        HOOK_KEY: webhookSecret(),
      },
      ...options,
    }),
  );

function makeRoot(context: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), "cw-prints-"));
  // The vault's user passes through it.
  chmodSync(root, 0o755);
  context.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

suite("What the vault's values are recognised by in what is published", () => {
  test("is found by the gate, and has no value in it", async (context) => {
    const root = makeRoot(context);
    const contract = contractOf();
    await withVault({ contract, root }, { environment: "development", create: true }, async (vault) => {
      await vault.set("DELIVERY_KEY", encoder.encode(value));
      await vault.set("HOOK_KEY", encoder.encode("hunter2-hunter2"));
    });
    const fingerprints = await outputFingerprints({ contract, root });
    assert.ok(fingerprints !== undefined);
    assert.ok(!JSON.stringify(fingerprints).includes(value.slice(0, 8)));
    assert.deepEqual(
      fingerprints.notSearched.map(({ name }) => name),
      ["HOOK_KEY"],
    );
    const gate = createContractGate({ contract, root, variables: {}, fingerprints });
    const inspect = (text: string): string[] =>
      gate.inspect({ path: "a.js", bytes: encoder.encode(text) }).map(({ message }) => message);
    assert.deepEqual(inspect(`const key = "${Buffer.from(`Bearer ${value}`).toString("base64")}"`), [
      "the value of the secret DELIVERY_KEY",
    ]);
    assert.deepEqual(inspect("const key = process.env.DELIVERY_KEY"), []);
  });

  test("is nothing where there is no store, and no process is started for it", async (context) => {
    const root = makeRoot(context);
    assert.equal(await outputFingerprints({ contract: contractOf(), root }), undefined);
  });

  test("is told to be missing where the vault can't be opened", async (context) => {
    const root = makeRoot(context);
    const key = join(root, "vault.key");
    writeFileSync(key, new Uint8Array(32).fill(7), { mode: 0o600 });
    const contract = contractOf({ vault: { key: { file: key } } });
    const environment = "development";
    await withVault({ contract, root }, { environment, create: true }, (vault) =>
      vault.set("DELIVERY_KEY", encoder.encode(value)),
    );
    writeFileSync(key, new Uint8Array(32).fill(8), { mode: 0o600 });
    const fingerprints = await outputFingerprints({ contract, root });
    assert.deepEqual(
      fingerprints?.notSearched.map(({ name }) => name),
      ["DELIVERY_KEY", "HOOK_KEY"],
    );
    assert.match(fingerprints.notSearched[0]?.reason ?? "", /vault of development can't be asked here/);
    const gate = createContractGate({ contract, root, variables: {}, fingerprints });
    assert.deepEqual(gate.inspect({ path: "a.js", bytes: encoder.encode("1") }), []);
  });
});
