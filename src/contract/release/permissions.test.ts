import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inertPolicy, securityHeaders } from "../headers/security-headers.ts";
import { permissionsOf, wideningOf } from "./permissions.ts";

const strict =
  "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; trusted-types 'none'; require-trusted-types-for 'script'";
const withHash = `${strict}; script-src 'sha256-AAAA'`;

test("A policy permits no more than itself, in whatever case, order and spacing it is written", () => {
  for (const policy of [strict, withHash, securityHeaders(strict)[0]?.[1] ?? ""])
    assert.deepEqual(wideningOf(policy, policy), []);
  assert.deepEqual(
    wideningOf(
      withHash,
      `  SCRIPT-SRC   'SHA256-AAAA' ; ${strict.toUpperCase().replace("'SCRIPT'", "'script'")};;`,
    ),
    [],
  );
});

const attacks: [what: string, program: string, page: string, found: RegExp][] = [
  ["another script hash", withHash, `${strict}; script-src 'sha256-BBBB'`, /script-src 'sha256-BBBB'/],
  ["a hash in other letters", withHash, `${strict}; script-src 'sha256-aaaa'`, /sha256-aaaa/],
  ["inline scripts", withHash, `${strict}; script-src 'unsafe-inline'`, /script-src 'unsafe-inline'/],
  [
    "inline scripts where they were a fallback for old browsers",
    `${strict}; script-src 'unsafe-inline' 'sha256-AAAA'`,
    `${strict}; script-src 'unsafe-inline'`,
    /'unsafe-inline'/,
  ],
  [
    "addresses that strict-dynamic had switched off",
    `${strict}; script-src 'strict-dynamic' 'sha256-AAAA' https:`,
    `${strict}; script-src https:`,
    /script-src https:/,
  ],
  [
    "a script that may now load others",
    withHash,
    `${strict}; script-src 'strict-dynamic' 'sha256-AAAA'`,
    /'strict-dynamic'/,
  ],
  [
    "a script that may now run as a handler",
    withHash,
    `${strict}; script-src 'unsafe-hashes' 'sha256-AAAA'`,
    /'unsafe-hashes'/,
  ],
  ["scripts by no policy at all", withHash, "img-src 'self'", /script-src \(anything\)/],
  ["an empty policy", withHash, "", /script-src \(anything\)/],
  ["workers", withHash, `${withHash}; worker-src blob:`, /worker-src blob:/],
  [
    "handlers apart",
    withHash,
    `${withHash}; script-src-attr 'unsafe-inline'`,
    /script-src-attr 'unsafe-inline'/,
  ],
  ["elements apart", withHash, `${withHash}; script-src-elem *`, /script-src-elem \*/],
  ["a frame", withHash, `${withHash}; frame-src https://evil.example`, /frame-src https:\/\/evil\.example/],
  [
    "a form's target",
    withHash,
    withHash.replace("form-action 'none'", "form-action https://evil.example"),
    /form-action/,
  ],
  ["a base", withHash, withHash.replace("base-uri 'none'; ", ""), /base-uri \(anything\)/],
  [
    "being framed",
    withHash,
    withHash.replace("frame-ancestors 'none'", "frame-ancestors *"),
    /frame-ancestors \*/,
  ],
  [
    "no trusted types",
    withHash,
    withHash.replace("; require-trusted-types-for 'script'", ""),
    /require-trusted-types-for \(anything\)/,
  ],
  [
    "a trusted type",
    withHash,
    withHash.replace("trusted-types 'none'", "trusted-types default"),
    /trusted-types default/,
  ],
  ["reports to somebody", withHash, `${withHash}; report-uri https://evil.example`, /report-uri/],
  ["a first directive before the strict one", withHash, `script-src *; ${withHash}`, /script-src \*/],
  ["a first policy before the strict one", withHash, `script-src *, ${withHash}`, /script-src \*/],
  [
    "a directive that some browsers skip",
    withHash,
    `script-src 'none' \u00e9; ${withHash}`,
    /script-src \(anything\)/,
  ],
  ["a directive that nobody knows", withHash, `${withHash}; future-src *`, /future-src \*/],
  ["a sandbox that lets more", `${strict}; sandbox`, `${strict}; sandbox allow-scripts`, /allow-scripts/],
  [
    "another host's path",
    `${strict}; script-src https://a.example/x.js`,
    `${strict}; script-src https://a.example/X.js`,
    /X\.js/,
  ],
];

for (const [what, program, page, found] of attacks) {
  test(`A page that permits ${what} permits more than its program`, () => {
    assert.match(wideningOf(program, page).join("\n"), found);
  });
}

test("A page that permits less lies within its program", () => {
  assert.deepEqual(wideningOf(withHash, strict), []);
  assert.deepEqual(wideningOf(`${strict}; img-src 'self' data:`, `${strict}; img-src data:`), []);
  assert.deepEqual(wideningOf("img-src 'self'", strict), []);
  assert.deepEqual(
    wideningOf(withHash, `${withHash}, script-src 'none'`),
    [],
    "a second policy only forbids",
  );
  assert.deepEqual(
    wideningOf(
      `${strict}; script-src HTTPS://A.example/x.js`,
      `${strict}; script-src https://a.EXAMPLE/x.js`,
    ),
    [],
  );
});

test("Files that run and load nothing don't raise the ceiling of those that do", () => {
  const inert = permissionsOf(inertPolicy);
  for (const name of ["require-trusted-types-for", "trusted-types", "upgrade-insecure-requests", "webrtc"])
    assert.equal(inert.get(name)?.size, 0, name);
  const scripted = permissionsOf(inertPolicy.replace("sandbox", "sandbox allow-scripts"));
  assert.equal(scripted.get("require-trusted-types-for")?.size, 1);
});

test("Whatever it is given: what a policy permits is what it permits, and a source that is added is found or is no source", () => {
  const directive = fc.constantFrom(
    "default-src",
    "script-src",
    "script-src-elem",
    "worker-src",
    "style-src",
    "img-src",
    "frame-src",
  );
  const source = fc.constantFrom(
    "'self'",
    "https:",
    "'sha256-A'",
    "'sha256-B'",
    "'unsafe-eval'",
    "https://a.example/x",
    "data:",
  );
  const policy = fc
    .array(fc.tuple(directive, fc.array(source, { maxLength: 3 })), { maxLength: 5 })
    .map((directives) => directives.map(([name, sources]) => [name, ...sources].join(" ")).join("; "));
  fc.assert(fc.property(policy, (text) => assert.deepEqual(wideningOf(text, text), [])));
  fc.assert(
    fc.property(policy, (text) => {
      const added = wideningOf(
        `${strict}; ${text}`,
        `${strict.replace("default-src 'none'; ", "")}; script-src https://new.example; default-src 'none'`,
      );
      assert.ok(
        added.some((line) => line === "script-src https://new.example"),
        added.join("\n"),
      );
    }),
  );
});
