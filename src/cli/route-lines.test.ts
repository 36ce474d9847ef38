import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { routeLines } from "./route-lines.ts";

function write(context: TestContext, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-lines-"));
  context.after(() => rmSync(root, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  return root;
}

const lines = (root: string, key: string, ...files: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    routeLines(
      key,
      files.map((file) => join(root, file)),
      root,
    ),
  );

test("a route's options are found under its key, each with its own line", (context) => {
  const root = write(context, {
    "a.ts": `// "GET /api/b": { access: nobody }
const text: string = "GET /api/b";
export default defineStack({
  routes: {
    "GET /api/a": { access: everyone,
      limit: "1/s per client" },
    "GET /api/b": {
      access: signedIn,
      "to": "shop",
      ...more,
      response,
    },
  },
});`,
  });
  assert.deepEqual(lines(root, "GET /api/b", "a.ts"), {
    "GET /api/b": "a.ts:7",
    access: "a.ts:8",
    to: "a.ts:9",
    response: "a.ts:11",
  });
  assert.equal(lines(root, "GET /api/a", "a.ts")["limit"], "a.ts:6");
});

test("so they are in a file of their own, in a call of route()", (context) => {
  const root = write(context, {
    "a.ts": `import { b } from "./b.ts"; export default defineStack({ routes: { ...b } });`,
    "b.ts": `\nexport const b = route("GET /api/b", {\n  access: everyone,\n});`,
  });
  assert.deepEqual(lines(root, "GET /api/b", "a.ts", "b.ts"), { "GET /api/b": "b.ts:2", access: "b.ts:3" });
});

test("what is put together otherwise, and what can't be read, has no lines", (context) => {
  const root = write(context, {
    "a.ts": `export const x = { [\`GET \${path}\`]: {} };`,
    "b.ts": "const = ;",
  });
  assert.deepEqual(lines(root, "GET /api/b", "a.ts", "b.ts", "none.ts"), {});
});
