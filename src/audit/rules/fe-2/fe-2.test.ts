import assert from "node:assert/strict";
import { test } from "node:test";
import { defineStack, parseContract } from "../../../contract/index.ts";
import { runCheck } from "../../check.ts";
import { createCommands } from "../../commands.ts";
import type { AuditContext } from "../../context.ts";
import type { AuditCheck } from "../../report.ts";
import { fe2 } from "./fe-2.ts";

const own = { content: "content", templates: "templates", collections: {} };
const foreign = { dist: "dist", build: "make" };

/** What is said of a site whose one page has this policy. */
function look(name: string, policy: string, site: typeof own | typeof foreign = own): Promise<AuditCheck> {
  const check = fe2.checks.find((candidate) => candidate.name === name);
  assert.ok(check !== undefined);
  const headers = [
    ["content-type", "text/html; charset=utf-8"],
    ["content-security-policy", policy],
    ["reporting-endpoints", 'csp="/_reports"'],
  ];
  const context = {
    contract: parseContract(defineStack({ origin: "https://localhost:8443", site })),
    release: { digest: "d".repeat(64), manifest: { files: [{ path: "/", headers, variants: [] }] } },
    commands: createCommands({ folder: ".", address: undefined, environment: [], start: undefined }),
  } as unknown as AuditContext;
  return runCheck(check, "FE-2", context);
}

const byHash = "scripts run by their hashes alone";
const hash = `'sha256-${"A".repeat(43)}='`;

test("scripts by hash, or none, pass", async () => {
  for (const policy of ["default-src 'none'", "script-src 'none'", `script-src ${hash} ${hash}`])
    assert.equal((await look(byHash, policy)).state, "passed", policy);
});

test("a place, a keyword or a nonce lets in what nobody has seen, and fails", async () => {
  for (const source of [
    "'self'",
    "'strict-dynamic'",
    "'nonce-b2F0cw=='",
    "https://cdn.example",
    "'unsafe-inline'",
  ])
    assert.equal((await look(byHash, `script-src ${hash} ${source}`)).state, "failed", source);
  assert.equal((await look(byHash, `script-src ${hash}; script-src-elem 'self'`)).state, "failed");
});

test("another generator's pages may need scripts by address", async () => {
  assert.equal((await look(byHash, "script-src https://cdn.example", foreign)).state, "not applicable");
});

const reported = "every page says where its violations are reported";

test("a page says both to browsers of today and to older ones where violations go", async () => {
  assert.equal(
    (await look(reported, "default-src 'none'; report-uri /_reports; report-to csp")).state,
    "passed",
  );
  for (const policy of [
    "report-uri /_reports",
    "report-to csp",
    "report-uri /elsewhere; report-to csp",
    "report-uri /_reports; report-to other",
  ])
    assert.equal((await look(reported, policy)).state, "failed", policy);
});
