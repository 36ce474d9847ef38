import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readTarget } from "./read-target.ts";

const origin = "https://api.example";

test("a target is read as it was written", () => {
  assert.deepEqual(readTarget(`${origin}:8443/v1/a%20b/%C3%A9;v=1/?q=a+b&c=%2F`), {
    origin: `${origin}:8443`,
    path: "/v1/a%20b/%C3%A9;v=1/",
    segments: ["v1", "a%20b", "%C3%A9;v=1", ""],
    query: "q=a+b&c=%2F",
  });
  assert.deepEqual(readTarget(`${origin}/`), { origin, path: "/", segments: [], query: "" });
  const plain = [
    "/v1",
    "/v1/",
    "/a.b/..c/d..",
    "/%E2%82%AC",
    "/@me:x",
    "/!$&'()*+,=~-._",
    "/.well-known/x",
    "/a...b/+/x.",
    "/a%20/%20b",
  ];
  for (const path of plain) assert.ok("origin" in readTarget(origin + path), path);
});

/** Each is a way of meaning another address to a service than to the policy. */
const escapes = [
  "/v1/../admin",
  "/v1/./admin",
  "/v1/..",
  "/..;/admin",
  "/v1/..;x=1/admin",
  "/v1/.;/admin",
  "/;/admin",
  "/;x/../admin",
  "/v1/..%20/admin",
  "/v1/%20../admin",
  "/v1/.%20./admin",
  "/v1/..%20;x/admin",
  "/v1/..+/admin",
  "/v1/.../admin",
  "/v1/....",
  "/v1/%20/admin",
  "/v1/..%E2%80%8B/admin",
  "/v1/%C2%A0/admin",
  "/v1/%2e%2e/admin",
  "/v1/%2E%2E/admin",
  "/v1/.%2e/admin",
  "/v1/%2e./admin",
  "/v1/%2e/admin",
  "/v1%2fadmin",
  "/v1%2Fadmin",
  "/v1/..%2fadmin",
  "/v1/..%5cadmin",
  "/v1%5cadmin",
  "/v1%5Cadmin",
  "/v1\\admin",
  "/v1/..\\admin",
  "\\v1\\admin",
  "//admin",
  "//evil.example/admin",
  "/v1//admin",
  "/v1/%252e%252e/admin",
  "/v1/%25%32%65/admin",
  "/v1/%00",
  "/v1/a%00.json",
  "/v1/%0d%0aHost:%20evil",
  "/v1/%09",
  "/v1/%7f",
  "/v1/%3b/admin",
  "/v1/a%3Fb",
  "/v1/a%23b",
  "/v1/%61dmin",
  "/v1/%41",
  "/v1/%7Eroot",
  "/v1/%c0%ae%c0%ae/admin",
  "/v1/%c0%af",
  "/v1/%e0%80%af",
  "/v1/%ef%bc%8e%ef%bc%8e/admin",
  "/v1/%EF%BC%8F",
  "/v1/%ef%bc%bc",
  "/v1/%e2%80%a4%e2%80%a4/x",
  "/v1/%e2%80%a5/x",
  "/v1/%c2%85",
  "/v1/%ff",
  "/v1/%ed%a0%80",
  "/v1/%",
  "/v1/%2",
  "/v1/%zz",
  "/v1/%u002e",
  "/v1#/admin",
  "/v1?x#y",
  "/v1 /admin",
  "/v1\tadmin",
  "/v1\u0000",
  "/v1\r\nHost: evil",
  "/v1/é",
  "/v1/\uff0e\uff0e/admin",
  "/v1/<x>",
  '/v1/"x"',
  "/v1?q=%",
  "/v1?q=\\",
  "?x=1",
  "",
];

/** Each is a way of meaning another host. */
const strangers = [
  "http://api.example/v1",
  "HTTPS://api.example/v1",
  "https:/api.example/v1",
  "https:api.example/v1",
  "https:///api.example/v1",
  "//api.example/v1",
  "/v1",
  "*",
  "api.example:443",
  "ftp://api.example/v1",
  "https://api.example:443/v1",
  "https://api.example:0443/v1",
  "https://api.example:/v1",
  "https://api.example:99999/v1",
  "https://API.example/v1",
  "https://api%2eexample/v1",
  "https://user@api.example/v1",
  "https://user:password@api.example/v1",
  "https://@api.example/v1",
  "https://api.example@evil.example/v1",
  "https://api.example%40evil.example/v1",
  "https://api.example\\@evil.example/v1",
  "https://api.example\\.evil.example/v1",
  "https://api.example#@evil.example/v1",
  "https://api.example?@evil.example/v1",
  "https://127.1/v1",
  "https://0x7f000001/v1",
  "https://2130706433/v1",
  "https://0177.0.0.1/v1",
  "https://[0:0:0:0:0:0:0:1]/v1",
  "https://[::ffff:127.0.0.1]/v1",
  "https://[::1%25eth0]/v1",
  "https://api.example%2f/v1",
  "https://exämple.test/v1",
  "https://ａｐｉ.example/v1",
  "https://api.example\u3002evil/v1",
  "https://api.exam\tple/v1",
  " https://api.example/v1",
  "https:// api.example/v1",
  "https:///v1",
];

for (const [kind, targets] of [
  ["path", escapes.map((path) => origin + path)],
  ["host", strangers],
] as const)
  test(`an address that two readers could take for two is refused: ${targets.length} ways by its ${kind}`, () => {
    for (const target of targets)
      assert.equal((readTarget(target) as { code?: string }).code, "EGRESS_TARGET_REFUSED", target);
  });

test("what is let through is to a URL parser exactly what was written", () => {
  const parts = fc.array(
    fc.constantFrom(
      "/",
      ".",
      "..",
      "%2e",
      "%",
      "%C3%A9",
      "a",
      ";",
      "?",
      "#",
      "\\",
      "@",
      ":",
      "=",
      "&",
      "é",
      "//",
      "%2f",
    ),
    { maxLength: 12 },
  );
  let passed = 0;
  fc.assert(
    fc.property(parts, (given) => {
      const text = `${origin}/${given.join("")}`;
      const read = readTarget(text);
      if ("code" in read) return;
      passed++;
      const url = new URL(text);
      assert.equal(url.href, text);
      assert.equal(url.origin, read.origin);
      assert.equal(url.pathname, read.path);
      assert.equal(url.username + url.password + url.hash, "");
    }),
    { numRuns: 2000 },
  );
  assert.ok(passed > 100, String(passed));
});
