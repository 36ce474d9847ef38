import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, test } from "node:test";
import { command } from "../../../test/support/command.ts";
import type { AuditReport } from "../../audit/index.ts";
import { makeProject } from "../../../test/support/project.ts";
import { assignments } from "./audit-inputs.ts";

/** A site at an address where nothing listens, with a plan. */
const project = await makeProject({
  config: `import { defineStack, everyone, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: process.env.TEST_SITE_ORIGIN ?? "https://localhost:1",
  upstreams: { shop: upstream({ url: "https://127.0.0.1:9", caFile: "none.pem" }) },
  routes: { "GET /api/x/:id": { access: everyone, limit: "5/min per client", params: { id: z.uuid() }, response: z.object({}), to: "shop" } },
});`,
  files: {
    "curtainwall.audit.ts": `import { defineAudit } from "curtainwall/audit";
export default defineAudit({
  identities: {
    alice: { subject: "a", token: async () => "token-of-alice" },
    bob: { subject: "b", token: async () => { throw new Error("connect ECONNREFUSED"); } },
  },
  start: "npm start",
});`,
  },
});
after(() => project.remove());

function audit(...args: string[]): { code: number | null; out: string; words: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...command, "audit", project.root, ...args],
    { encoding: "utf8", env: { ...process.env, TEST_SITE_ORIGIN: "https://localhost:1" } },
  );
  return { code: status, out: stdout, words: stderr };
}

test("a row that does not exist is misuse, told with the rows that do and the nearest one", () => {
  const { code, out, words } = audit("--only", "API1");
  assert.deepEqual([code, out], [2, ""]);
  assert.match(words, /no row "API1" \(did you mean API-1\?\)\. Rows: API-1, .*MON-5\./);
});

test("where nothing runs, it says so with what starts it, exits with 1, and nothing is proved by the target", () => {
  const { code, out, words } = audit("--only", "api-1,API-8", "--json");
  assert.equal(code, 1);
  const help =
    "nothing answers at https://localhost:1 (ECONNREFUSED); start it with  TEST_SITE_ORIGIN=https://localhost:1 npm start";
  assert.ok(words.includes(help), words);
  const { rows } = JSON.parse(out) as AuditReport;
  assert.deepEqual(
    rows.map(({ id, verdict }) => [id, verdict]),
    [
      ["API-1", "unknown"],
      ["API-8", "unknown"],
    ],
  );
  const live = rows.flatMap(({ checks }) => checks).filter(({ kind }) => kind === "live");
  assert.deepEqual([...new Set(live.map(({ state, reason }) => `${state}: ${reason}`))].sort(), [
    `missing: ${help}`,
    "not applicable: no answer is for one caller alone",
    "not applicable: no route hides some of its objects",
    "not applicable: no route needs a token",
    "not applicable: no route takes webhooks",
    "not applicable: no route without an owner answers with what the plan says is somebody's alone",
    "not applicable: no route writes something for its caller",
    "not applicable: the plan's impostors name no upstream",
    "not applicable: the plan's upstreams tell of none what it was sent",
  ]);
});

test("its commands name the folder and what moves the address", () => {
  const { rows } = JSON.parse(audit("--only", "API-1", "--json").out) as AuditReport;
  assert.match(
    rows[0]?.checks[0]?.reproduce ?? "",
    /^TEST_SITE_ORIGIN=https:\/\/localhost:1 npx curtainwall audit \S*project-\w+ --only API-1$/,
  );
});

test("--token prints an identity's token and nothing else; without one it says who there is, or what to start", () => {
  assert.deepEqual(audit("--token", "alice"), { code: 0, out: "token-of-alice\n", words: "" });
  const stranger = audit("--token", "eve");
  assert.equal(stranger.code, 2);
  assert.match(stranger.words, /no identity "eve"; it has alice, bob/);
  const silent = audit("--token", "bob");
  assert.equal(silent.code, 1);
  assert.match(silent.words, /AUDIT_TOKEN_REFUSED {2}No token for bob: connect ECONNREFUSED\n.*npm start/);
});

test("of the environment only ports and origins are written out, and nothing that is called a secret", () => {
  const environment = {
    PORT: "8443",
    SITE: "https://localhost:8443",
    DATABASE: "https://user:password@localhost/",
    API_KEY: "12345",
    PATH: "/usr/bin",
    EVIL: "1; rm -rf /",
  };
  assert.deepEqual(assignments([...Object.keys(environment), "UNSET"], environment), [
    "PORT=8443",
    "SITE=https://localhost:8443",
  ]);
});

test("a budget that is no time is misuse", () => {
  const { code, words } = audit("--budget", "soon");
  assert.equal(code, 2);
  assert.match(words, /--budget takes a time/);
});
