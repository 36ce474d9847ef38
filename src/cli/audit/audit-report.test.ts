import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import type { AuditCheck, AuditReport, AuditRow } from "../../audit/index.ts";
import { row } from "../../../test/support/audit-row.ts";
import { renderReport } from "./audit-report.ts";

const check = (name: string, state: AuditCheck["state"], more: Partial<AuditCheck> = {}): AuditCheck => ({
  name,
  kind: "live",
  state,
  observations: 3,
  evidence: [],
  reproduce: "npx curtainwall audit https://localhost:8443 --only API-1",
  ...more,
});

const report: AuditReport = {
  format: 1,
  target: "https://localhost:8443",
  startedAt: "2026-11-21T00:00:00.000Z",
  durationMs: 1234,
  weakenings: [{ at: "upstreams.shop.insecureAllowHttp", reason: "listens on loopback only" }],
  rows: [
    {
      id: "API-1",
      title: "Every endpoint authenticates",
      verdict: "proved",
      ran: 1,
      of: 1,
      failed: 0,
      notApplicable: 2,
      checks: [
        check("declared", "passed", {
          isSupporting: true,
          evidence: [{ kind: "contract", about: "GET /api/x: signed in", at: "routes" }],
        }),
        check("no token", "passed", {
          evidence: [{ kind: "measurement", about: "GET /api/x without a token", value: 401 }],
        }),
        check("lower role", "not applicable", { reason: "no route asks for a role", observations: 0 }),
      ],
    },
    {
      id: "API-2",
      title: "Rate limiting",
      verdict: "unknown",
      ran: 1,
      of: 2,
      failed: 0,
      notApplicable: 0,
      checks: [check("burst", "passed"), check("two instances", "missing", { reason: "one instance runs" })],
    },
    {
      id: "API-7",
      title: "No leaks in errors",
      verdict: "failed",
      ran: 1,
      of: 1,
      failed: 1,
      notApplicable: 0,
      checks: [
        check("no stack", "failed", {
          reproduce: "curl 'https://localhost:8443/api/x'",
          evidence: [
            {
              kind: "exchange",
              about: "GET /api/x: shows a stack frame",
              request: { method: "GET", url: "https://localhost:8443/api/x", protocol: "h2", headers: [] },
              response: {
                status: 500,
                headers: [],
                body: "\u001b]0;owned\u0007\u009b31m at x \u202e",
                bytes: 20,
              },
              reproduce: "curl 'https://localhost:8443/api/x'",
            },
          ],
        }),
      ],
    },
  ],
  summary: { proved: 1, evidenced: 0, attested: 0, failed: 1, unknown: 1 },
};

test("the worst row stands first, each with its verdict and counts", () => {
  const lines = renderReport(report)
    .split("\n")
    .filter((line) => /^[✗?✓]/.test(line));
  assert.match(lines[0] ?? "", /^✗ API-7 {2}failed/);
  assert.match(lines[1] ?? "", /^\? API-2 {2}unknown  .* {2}1 of 2 checks passed, 1 not made$/);
  assert.match(lines[2] ?? "", /^✓ API-1 {2}proved/);
});

test("what failed is shown with its evidence and the command that shows it again", () => {
  const text = renderReport(report);
  assert.match(text, /GET \/api\/x: shows a stack frame/);
  assert.match(text, /> GET https:\/\/localhost:8443\/api\/x \(h2\)/);
  assert.match(text, /\$ curl 'https:\/\/localhost:8443\/api\/x'/);
});

test("what could not be checked and what is weakened are told", () => {
  const text = renderReport(report);
  assert.match(text, /API-2: two instances: one instance runs/);
  assert.match(text, /upstreams\.shop\.insecureAllowHttp: listens on loopback only/);
  assert.match(text, /Of 3 items: 1 failed, 1 unknown, 1 proved {2}\(failed: API-7\)\n/);
});

test("nothing of the target reaches the terminal raw, with colour or without", () => {
  for (const colour of [false, true]) {
    const text = stripVTControlCharacters(renderReport(report, { colour }));
    assert.match(text, /\\u\{1b\}\]0;owned\\u\{7\}/);
    // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  }
});

test("without colour there is no escape at all", () => {
  assert.ok(!renderReport(report).includes("\u001b"));
});

const withRow = (more: Partial<AuditRow>): string =>
  renderReport({
    ...report,
    rows: [
      {
        id: "API-1",
        title: "Every endpoint authenticates",
        verdict: "unknown",
        ran: 0,
        of: 0,
        failed: 0,
        notApplicable: 0,
        checks: [],
        ...more,
      },
    ],
  });

test("a proved row shows what it rests on in a line, and how many checks did not apply", () => {
  const lines = renderReport(report).split("\n");
  const at = lines.findIndex((line) => line.startsWith("✓ API-1"));
  assert.match(lines[at] ?? "", /1 of 1 check passed, 2 not applicable, 6 observations$/);
  assert.match(lines[at + 1] ?? "", /^ {9}GET \/api\/x without a token: 401$/);
});

test("a row says how many of its checks passed, whatever its verdict, and what became of the others", () => {
  assert.match(withRow({ verdict: "failed", ran: 7, of: 7, failed: 2 }), /5 of 7 checks passed, 2 failed\n/);
  assert.match(withRow({ verdict: "unknown", ran: 9, of: 11 }), /9 of 11 checks passed, 2 not made\n/);
});

test("where only what supports others applies there is nothing to check: no check is said to be not made", () => {
  const reason = "nothing to check: the contract declares no function";
  const text = withRow({ ran: 1, of: 1, notApplicable: 5, reason });
  assert.match(text, /1 check passed, which proves nothing alone, 5 not applicable\n {9}nothing to check/);
  assert.doesNotMatch(text, /not made/);
});

test("of many failed checks of a row two stand with their evidence and the others by name, and the end says where all of it is", () => {
  const names = Array.from({ length: 12 }, (_, index) => `attempt ${index + 1}`);
  const failed = names.map((name) =>
    check(name, "failed", {
      evidence: [{ kind: "measurement", about: `${name} got through`, value: 200 }],
      failing: 1,
    }),
  );
  const rows = [row("API-1", "Every endpoint authenticates", ...failed)];
  const short = renderReport({ ...report, rows });
  assert.equal(short.match(/got through\n/g)?.length, 2);
  assert.match(short.replaceAll(/\s+/g, " "), /and 10 more checks that failed: attempt 3; .*; attempt 12/);
  assert.match(short, /\nAll of it, .*: --verbose here, --html file as a page, --json for programs\n$/);
  const long = renderReport({ ...report, rows }, { verbose: true });
  for (const name of names) assert.ok(long.includes(`${name} got through`), name);
  assert.doesNotMatch(long, /more checks that failed/);
});

test("of observations that held it is told how many are counted alone", () => {
  const evidence = attempts(6);
  const rows = [row("API-1", "Every endpoint", check("keys", "passed", { observations: 16, evidence }))];
  const text = renderReport({ ...report, rows }, { verbose: true });
  assert.match(text, /\n {4}and 10 more observations that held: counted, no evidence kept\n/);
});

test("a row with nothing to check says so, and is not green", () => {
  const text = withRow({ reason: "nothing to check: no route needs a token" });
  assert.match(text, /\? API-1 {2}unknown  [^()]*\n {9}nothing to check: no route needs a token/);
  assert.doesNotMatch(text, /✓/);
});

test("a reason that several rows share is told once", () => {
  const missing = check("all of it", "missing", { reason: "comes with the vault", observations: 0 });
  const row = {
    verdict: "unknown",
    ran: 0,
    of: 1,
    failed: 0,
    notApplicable: 0,
    title: "",
    checks: [missing],
  } as const;
  const text = renderReport({
    ...report,
    rows: ["SEC-3", "SEC-4"].map((id) => ({ ...row, id, checks: [missing] })),
  });
  assert.match(text, /SEC-3, SEC-4: comes with the vault/);
  assert.match(text, /\? SEC-3 {2}unknown \(not yet\)/);
  assert.equal(text.split("comes with the vault").length, 2);
});

test("verbose shows every check with its state, its evidence and its command", () => {
  const text = renderReport(report, { verbose: true });
  assert.match(text, / {2}✓ declared\n {4}GET \/api\/x: signed in/);
  assert.match(text, / {2}– lower role \(not applicable\)\n {4}no route asks for a role/);
  assert.match(text, / {2}\? two instances \(not made\)\n {4}one instance runs/);
  assert.match(text, / {4}\$ npx curtainwall audit https:\/\/localhost:8443 --only API-1/);
});

test("it says which release is served; another one than the folder's is the first thing that is told", () => {
  const release = { digest: "3fa8c2d1e0b7aaaa", compared: 52, of: 52 } as const;
  assert.match(
    renderReport({ ...report, release: { ...release, served: "as built" } }),
    /\nRelease 3fa8c2d1e0b7, served as it was built: 52 of 52 files/,
  );
  assert.match(
    renderReport({
      ...report,
      release: { ...release, served: "differs", reason: "/ (identity): other bytes" },
    }),
    /\nWhat is served is not the folder's release 3fa8c2d1e0b7: \/ \(identity\): other bytes/,
  );
});

test("a finding stands with the line of the option that promised otherwise", () => {
  const about = "GET /api/x: 6 of 5 requests were served";
  const failed = check("burst of N + 1", "failed", {
    promise: "limit",
    failing: 1,
    evidence: [
      { kind: "measurement", about, value: 6 },
      { kind: "measurement", about: "GET /api/y: the limit holds", value: 5 },
    ],
  });
  const contract = {
    digest: "a".repeat(64),
    folder: "shop",
    file: "curtainwall.config.ts",
    routes: { "GET /api/x": "curtainwall.config.ts:9", "GET /api/y": "curtainwall.config.ts:19" },
    options: { "GET /api/x": { limit: "curtainwall.config.ts:11" }, "GET /api/y": { limit: "b.ts:2" } },
  };
  const row: AuditRow = {
    id: "API-2",
    title: "Rate limiting",
    verdict: "failed",
    ran: 1,
    of: 1,
    failed: 1,
    notApplicable: 0,
    checks: [failed],
  };
  const text = renderReport({ ...report, contract, rows: [row] });
  assert.match(
    text,
    /requests were served\n {6}6\n {6}shop\/curtainwall\.config\.ts:11, limit of GET \/api\/x\n/,
  );
  assert.ok(!text.includes("b.ts:2"), "what held is not placed");
});

const attempts = (count: number): AuditCheck["evidence"] =>
  Array.from({ length: count }, (_, index) => ({
    kind: "measurement",
    about: `attempt ${index + 1}`,
    value: 200,
  }));

test("of a failed check stands what failed, the first of it unless all is asked for; what held is a number", () => {
  const held = { kind: "measurement", about: "HS256 is refused", value: 401 } as const;
  const failed = check("key confusion", "failed", {
    observations: 37,
    failing: 20,
    held: 12,
    evidence: [...attempts(20), held],
  });
  const rows = [row("API-1", "Every endpoint authenticates", failed)];
  const short = renderReport({ ...report, rows });
  assert.match(
    short,
    /attempt 1\n {6}200\n {4}and 24 more: --verbose \(of 5 no evidence is kept\); and 12 that held\n/,
  );
  assert.doesNotMatch(short, /attempt 2|HS256 is refused/);
  const long = renderReport({ ...report, rows }, { verbose: true });
  assert.match(
    long,
    /attempt 20\n {6}200\n {4}and 5 more \(of these no evidence is kept\); and 12 that held\n/,
  );
  assert.ok(!long.includes("HS256 is refused"));
});

test("why a target was not reached stands at the top and nowhere else, with what starts it on a line of its own", () => {
  const why = "nothing answers at https://localhost:9899 (ECONNREFUSED); start it with  npm start";
  const missing: AuditRow = {
    id: "API-1",
    title: "Every endpoint authenticates",
    verdict: "unknown",
    ran: 0,
    of: 1,
    failed: 0,
    notApplicable: 0,
    checks: [check("a token", "missing", { reason: why, observations: 0 })],
  };
  const text = renderReport({ ...report, rows: [missing], unreachable: why });
  assert.match(
    text,
    /^Audit of .*\nThe target was not reached: nothing answers at https:\/\/localhost:9899 \(ECONNREFUSED\);\s+start it\s+with\n {2}\$ npm start\n/,
  );
  assert.equal(text.match(/ECONNREFUSED/g)?.length, 1);
  assert.match(text, /Not made\n {2}API-1: a token: The target was not reached/);
});
