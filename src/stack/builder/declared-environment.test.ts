import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { withDeclaredEnvironment } from "./declared-environment.ts";

test("Work sees declared variables and the system's, nothing else, and it is told what it asked for", async (context) => {
  process.env.CW_TEST_DECLARED = "yes";
  process.env.CW_TEST_HIDDEN = "no";
  context.after(() => {
    delete process.env.CW_TEST_DECLARED;
    delete process.env.CW_TEST_HIDDEN;
  });
  const { result, withheld } = await withDeclaredEnvironment(new Set(["CW_TEST_DECLARED"]), async () => ({
    declared: process.env.CW_TEST_DECLARED,
    hidden: process.env.CW_TEST_HIDDEN,
    missing: process.env.CW_TEST_MISSING,
    has: "CW_TEST_HIDDEN" in process.env,
    listed: Object.keys(process.env).includes("CW_TEST_HIDDEN"),
    path: process.env.PATH,
    child: execFileSync(process.execPath, ["-p", "String(process.env.CW_TEST_HIDDEN)"], {
      encoding: "utf8",
    }).trim(),
  }));
  assert.deepEqual(result, {
    declared: "yes",
    hidden: undefined,
    missing: undefined,
    has: false,
    listed: false,
    path: process.env.PATH,
    child: "undefined",
  });
  assert.deepEqual(withheld, ["CW_TEST_HIDDEN"]);
  assert.equal(process.env.CW_TEST_HIDDEN, "no");
});

test("The environment is back when the work fails", async () => {
  const before = process.env;
  await assert.rejects(
    withDeclaredEnvironment(new Set(), async () => Promise.reject(new Error("no"))),
    /no/,
  );
  assert.equal(process.env, before);
});
