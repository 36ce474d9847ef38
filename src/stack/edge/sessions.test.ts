import assert from "node:assert/strict";
import { test } from "node:test";
import { makeProject } from "../../../test/support/project.ts";
import { startStack } from "../index.ts";

test("a stack whose contract declares sessions does not start: nothing in it keeps any", async (t) => {
  const config = `import { defineStack } from "curtainwall";
export default defineStack({ origin: "https://localhost", sessions: {} });`;
  const project = await makeProject({ config });
  t.after(() => project.remove());
  await assert.rejects(startStack({ path: project.root, log: () => undefined }), {
    code: "STACK_SESSIONS_MISSING",
  });
});
