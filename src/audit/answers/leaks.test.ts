import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findHeaderLeaks, findLeaks } from "./leaks.ts";

const leaking: readonly (readonly [what: string, text: string])[] = [
  ["a stack frame", "Error: x\n    at handler (file:///srv/app/server.ts:10:5)"],
  ["a stack frame", "at async Server.<anonymous> (/home/me/app/index.js:3:1)"],
  ["a stack frame", "at node:internal/process/task_queues:105"],
  ["a Python traceback", "Traceback (most recent call last):\n  File x"],
  ["a path of the server", '{"detail":"ENOENT: open /var/lib/app/data.json"}'],
  ["a path of the server", "Cannot find module in node_modules/express"],
  ["SQL", "near: SELECT id, name FROM users WHERE id = 1"],
  ["SQL", "INSERT INTO orders VALUES"],
  ["an error of a database", "SQLITE_CONSTRAINT: UNIQUE constraint failed: users.email"],
  ["an error of a database", "no such table: breads"],
  ["the name of an exception", "TypeError: x is not a function"],
  ["an address inside", "connect ECONNREFUSED 127.0.0.1:5432"],
  ["a version", "<center>nginx/1.22.1</center>"],
];

for (const [what, text] of leaking) {
  test(`${what} is found in ${JSON.stringify(text.slice(0, 40))}`, () => {
    assert.ok(findLeaks(text).some((leak) => leak.what === what));
  });
}

test("an honest problem document and honest prose are no leak", () => {
  const honest = [
    '{"type":"about:blank","title":"The request is not as described","status":400,"code":"GATEWAY_INPUT_INVALID","id":"9f1fb836-3747-42f3-818d-ba17f660d2b6","errors":[{"pointer":"/items/0/quantity","detail":"Too big"}]}',
    "<p>We open at 8:30 and close at 17:00. Select a loaf from the shelf, then update your order.</p>",
    '<a href=/breads/rye/>Rye</a> <a href="/about/">About</a>',
  ];
  for (const text of honest) assert.deepEqual(findLeaks(text), []);
});

test("headers that name the software are found, others are not", () => {
  assert.equal(findHeaderLeaks([["x-powered-by", "Express"]]).length, 1);
  assert.equal(findHeaderLeaks([["server", "nginx/1.22"]]).length, 1);
  assert.equal(findHeaderLeaks([["x-reason", "it is for another audience (aud)"]]).length, 1);
  assert.equal(findHeaderLeaks([["x-error", "Cannot read properties of undefined"]]).length, 1);
  assert.equal(
    findHeaderLeaks([["x-error", `${"9".repeat(80)}It is, for, ${"another".repeat(80)}`]]).length,
    1,
  );
  assert.deepEqual(
    findHeaderLeaks([
      ["server", "curtainwall"],
      ["content-type", "text/html"],
    ]),
    [],
  );
});

/** What the expressions repeat, and what almost ends them. */
const pieces = [
  ...["a", "1", " ", ",", ".", ":", "/", "(", "\\", '"', "_"],
  ...["a ", "a,", "ab ", "a.b ", "1.", ":1", "at ", "at /", "at /:", "at a/:1", "node:", "at a.a(a.java:1"],
  ...[
    "in /",
    ".php",
    "/home/",
    "C:\\",
    "SELECT ",
    "SELECT a,",
    " FROM",
    "INSERT ",
    "UPDATE a",
    "connect a:",
    "nginx/1",
  ],
];
const megabyte = 1_048_576;

function search(text: string): void {
  findLeaks(text);
  for (const name of ["server", "x-reason"]) findHeaderLeaks([[name, text]]);
}

// Nothing measures the time: what takes the square of such a text's length ends in no run of these tests.
test("a megabyte of almost a leak is searched as fast as it is read, whatever it repeats", () => {
  for (const piece of pieces) search(piece.repeat(megabyte / piece.length));
  const part = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(part, part, part, ([...before], [...pump], [...after]) => {
      const text = pump.join("");
      search(`${before.join("")}${text.repeat(megabyte / text.length)}${after.join("")}`);
    }),
    { numRuns: 30 },
  );
});
