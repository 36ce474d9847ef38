import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { command } from "../../../test/support/command.ts";
import { makeProject } from "../../../test/support/project.ts";
import { auditReportSchema, parseReport } from "../../audit/index.ts";

/** A site at an address where nothing listens: its source can be looked at, and nothing of it can be asked. */
const project = await makeProject({
  config: `import { defineStack, everyone, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost:1",
  upstreams: { shop: upstream({ url: "https://127.0.0.1:9", caFile: "none.pem" }) },
  routes: { "GET /api/x/:id": { access: everyone, limit: "5/min per client", params: { id: z.uuid() }, response: z.object({}), to: "shop" } },
});`,
  files: {},
});
after(() => project.remove());

function audit(...args: string[]): { code: number | null; out: string; words: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...command, "audit", ...args], {
    encoding: "utf8",
  });
  return { code: status, out: stdout, words: stderr };
}

test("an audit writes its report in every form at once, each for this user alone, and names the contract's places", () => {
  const file = (name: string): string => join(project.root, name);
  const { code, out, words } = audit(
    ...[project.root, "--only", "API-1,SEC-2", "--json"],
    ...["--html", file("r.html"), "--sarif", file("r.sarif"), "--junit", file("r.xml")],
  );
  assert.equal(code, 1, "nothing answered");
  const report = parseReport(JSON.parse(out));
  assert.match(report.tool ?? "", /^curtainwall \d+\.\d+\.\d+/);
  assert.deepEqual(report.contract?.routes, { "GET /api/x/:id": "curtainwall.config.ts:6" });
  assert.match(report.contract?.digest ?? "", /^[0-9a-f]{64}$/);
  const written: [string, RegExp][] = [
    ["r.html", /^<!doctype html>[\s\S]*Content-Security-Policy/],
    ["r.sarif", /"version": "2\.1\.0"/],
    ["r.xml", /^<\?xml[\s\S]*<testsuites name="curtainwall audit of https:\/\/localhost:1"/],
  ];
  for (const [name, content] of written) {
    assert.match(readFileSync(file(name), "utf8"), content);
    assert.equal(statSync(file(name)).mode & 0o777, 0o600, name);
    assert.match(words, new RegExp(`written .*${name}`));
  }
});

test("a file that can't be written is told before the audit, and nothing is written", () => {
  mkdirSync(join(project.root, "folder"));
  for (const file of [join(project.root, "none", "r.html"), join(project.root, "folder")]) {
    const { code, words } = audit(project.root, "--html", file);
    assert.equal(code, 2);
    assert.match(words, /--html .* is no file that could be written/);
  }
  assert.equal(existsSync(join(project.root, "none")), false);
});

test("what a file system refuses all the same is told in a line", (t) => {
  if (!existsSync("/proc/self")) return t.skip("this system has no /proc");
  const { code, words } = audit(project.root, "--only", "SEC-2", "--sarif", "/proc/r.sarif");
  assert.equal(code, 2);
  assert.match(words, /--sarif \/proc\/r\.sarif can't be written \(E[A-Z]+\)\.\n→ Usage/);
  assert.doesNotMatch(words, /\n\s+at /);
});

test("--schema prints the JSON Schema, wherever it is run", () => {
  const { code, out } = audit("--schema");
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(out), JSON.parse(JSON.stringify(auditReportSchema())));
});
