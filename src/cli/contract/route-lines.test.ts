import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { optionPlaces, routeLines, writtenOptions } from "./route-lines.ts";

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

test("options are placed where they are written: of a route, of the stack, in another file, or where the route begins", (context) => {
  const root = write(context, {
    "a.ts": `import { routes } from "./b.ts";
export default defineStack({
  origin,
  cors: { origins: [] },
  routes,
});`,
    "b.ts": `export const routes = {
  "GET /api/a": {
    access: everyone,
    query: {},
  },
};`,
    "broken.ts": "export default {{{",
  });
  const place = optionPlaces(
    ["a.ts", "b.ts"].map((file) => join(root, file)),
    root,
  );
  assert.equal(place("access", "GET /api/a"), "b.ts:3");
  assert.equal(place("body", "GET /api/a"), "b.ts:4", "what is promised of input stands there");
  assert.equal(place("limit", "GET /api/a"), "b.ts:2", "it writes none");
  assert.equal(place("cors", "GET /api/a"), "b.ts:2", "a route first");
  assert.equal(place("cors", undefined), "a.ts:4");
  assert.equal(place("edge", undefined), "a.ts", "nowhere: the contract's file");
  assert.equal(place("cors", "GET /api/none"), "a.ts:4");
  assert.equal(optionPlaces([join(root, "broken.ts")], root)("access", "GET /api/a"), "broken.ts");
});

test("what a route takes its input in stands under its own name: a GET has no body", (context) => {
  const root = write(context, {
    "a.ts": `export default defineStack({\n  routes: { "GET /api/a/:id": {\n    params: {},\n  } },\n});`,
  });
  assert.deepEqual(writtenOptions(new Set(["body"]), [join(root, "a.ts")], root), {
    "GET /api/a/:id": { params: "a.ts:3" },
  });
});

test("of a thousand routes in several files the options that are asked for are found, those of the stack too", (context) => {
  const route = (index: number): string =>
    `  "GET /api/r${index}": {\n    access: everyone,\n    limit: "5/min per client",\n  },\n`;
  const root = write(context, {
    "a.ts": `import { rest } from "./b.ts";
export default defineStack({
  cors: { origins: [] },
  routes: { ...rest,
${Array.from({ length: 500 }, (_, index) => route(index)).join("")}  },
});`,
    "b.ts": `export const rest = {\n${Array.from({ length: 500 }, (_, index) => route(500 + index)).join("")}};`,
  });
  const files = ["a.ts", "b.ts"].map((file) => join(root, file));
  const found = writtenOptions(new Set(["limit", "cors", "body"]), files, root);
  assert.equal(Object.keys(found).length, 1001);
  assert.deepEqual(found["GET /api/r0"], { limit: "a.ts:7" });
  assert.deepEqual(found["GET /api/r999"], { limit: `b.ts:${2 + 499 * 4 + 2}` });
  assert.deepEqual(found["stack"], { cors: "a.ts:3" });
  assert.deepEqual(writtenOptions(new Set(), files, root), {});
});
