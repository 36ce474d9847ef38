import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { bearer, defineStack, fn, parseContract, secret } from "../../contract/index.ts";
import { assertNoPlainSecrets, findPlainSecrets } from "./plain-secrets.ts";

const contract = parseContract(
  defineStack({
    origin: "https://localhost",
    functions: { quotes: {} },
    secrets: {
      DELIVERY_KEY: secret({ use: "GET https://api.example/v1/*", by: fn("quotes"), inject: bearer() }),
    },
  }),
);

function makeFolder(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "cw-plain-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  return root;
}

test("A declared secret's value is found in .env files by file and line, and in the environment; others' values are nobody's business here", () => {
  const root = makeFolder({
    ".env": "SHOP_NAME=Bakery\n\nexport DELIVERY_KEY = canary-1\n",
    ".env.local": 'DELIVERY_KEY="canary-2" # old\r\nOTHER_KEY=canary-3\n',
    ".env.example": "DELIVERY_KEY=canary-4\n",
    ".envelope": "DELIVERY_KEY=canary-5\n",
    "notes.txt": "DELIVERY_KEY=canary-6\n",
  });
  const found = findPlainSecrets({ contract, root }, { DELIVERY_KEY: "canary-7", OTHER_KEY: "canary-8" });
  assert.deepEqual(found, [
    { name: "DELIVERY_KEY", where: ".env:3" },
    { name: "DELIVERY_KEY", where: ".env.local:1" },
    { name: "DELIVERY_KEY", where: "the environment" },
  ]);
  rmSync(root, { recursive: true });
});

test("Such a value is found however the file is called and written, and in whatever case the variable is", () => {
  const files = [".env-prod", ".ENV", ".envrc", ".dev.vars", "env.production", ".env.production.local"];
  const root = makeFolder({
    ...Object.fromEntries(files.map((file) => [file, "export DELIVERY_KEY=canary\n"])),
    ".env.1": "\uFEFFDELIVERY_KEY=canary",
    ".env.2": "DELIVERY_KEY: canary",
    ".env.3": "delivery_key=canary",
    ".env.4": "DELIVERY_KEYS=canary\nMY_DELIVERY_KEY=canary\nDELIVERY_KEY:8080\n",
  });
  const found = findPlainSecrets({ contract, root }, { delivery_key: "canary", delivery: "canary" });
  assert.deepEqual(
    found.map(({ where }) => where).sort(),
    [
      ...files.map((file) => `${file}:1`),
      ".env.1:1",
      ".env.2:1",
      ".env.3:1",
      "the environment, as delivery_key",
    ].sort(),
  );
  assert.throws(
    () =>
      assertNoPlainSecrets({ contract, root: makeFolder({}) }, "production", {
        variables: { delivery_key: "canary" },
        warn: () => undefined,
      }),
    { hint: /printenv delivery_key \| npx curtainwall secret set DELIVERY_KEY/ },
  );
  rmSync(root, { recursive: true });
});

test("A line without a value, a comment, and an empty variable are not values", () => {
  const root = makeFolder({
    ".env": "DELIVERY_KEY=\nDELIVERY_KEY='' # in the vault\n# DELIVERY_KEY=canary\n",
  });
  assert.deepEqual(findPlainSecrets({ contract, root }, { DELIVERY_KEY: "" }), []);
  rmSync(root, { recursive: true });
});

test("Production does not start with such a value, and says which, where, and the way out, not the value; development warns", () => {
  const root = makeFolder({ ".env": "DELIVERY_KEY=canary-value\n" });
  const warnings: string[] = [];
  const check = (environment: "production" | "development"): void =>
    assertNoPlainSecrets({ contract, root }, environment, {
      variables: {},
      warn: (message) => void warnings.push(message),
    });
  assert.throws(
    () => check("production"),
    (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, "STACK_SECRET_IN_ENVIRONMENT");
      assert.match(error.message, /DELIVERY_KEY in \.env:1/);
      assert.match(error.hint, /curtainwall secret set DELIVERY_KEY/);
      assert.doesNotMatch(`${error.message}${error.hint}`, /canary/);
      return true;
    },
  );
  check("development");
  assert.equal(warnings.length, 1);
  assert.doesNotMatch(warnings[0] ?? "", /canary/);
  rmSync(root, { recursive: true });
});
