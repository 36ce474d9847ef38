import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { explainUnit } from "../../audit/index.ts";
import type { AttackKind, AttackReport, AttackUnit, BrokenPromise, KindReport } from "../../audit/index.ts";
import { renderAttack } from "./attack-report.ts";

/** What a target may say: it clears a terminal, sets its title, turns text around, and does not end. */
const hostileText = `<script>\u001b[2J\u001b]0;x\u0007\u202e\u0000\ud800\u009b31m${"A".repeat(5000)}`;

type AttackCounts = AttackReport["summary"];

/** What adds up, of as many attempts as there are attacks. */
const counts = (held: number, more: Partial<AttackCounts> = {}): AttackCounts => {
  const { broken = 0, notMade = 0, idle = 0 } = more;
  const attacks = held + broken + notMade + idle;
  return { attacks, held, broken, notMade, idle, attempts: held + broken, gotThrough: broken, ...more };
};

const row = (kind: AttackKind, numbers: AttackCounts, more: Partial<KindReport> = {}): KindReport => ({
  kind,
  ...numbers,
  reasons: [],
  idleReasons: [],
  ...more,
});

const unit = (more: Partial<AttackUnit>): AttackUnit => ({
  kind: "access",
  route: "GET /api/x",
  state: "held",
  ...counts(4),
  durationMs: 10,
  reasons: [],
  idleBecause: [],
  ...more,
});

const broken = (text: string): BrokenPromise => ({
  kind: "access",
  route: text,
  promise: "access",
  at: text,
  check: text,
  row: "API-1",
  evidence: {
    kind: "exchange",
    about: text,
    request: { method: "GET", url: text, protocol: "h2", headers: [text], body: text },
    response: { status: 200, headers: [text], body: text.repeat(1000), bytes: 9 },
  },
  reproduce: text,
});

const report = (more: Partial<AttackReport> = {}): AttackReport => ({
  format: 1,
  target: "https://localhost:8443",
  startedAt: "2026-11-22T00:00:00.000Z",
  durationMs: 1234,
  kinds: [row("access", counts(4))],
  units: [unit({})],
  leftOut: [],
  broken: [],
  left: {},
  summary: counts(4),
  ...more,
});

test("where all held it says so in its last line, and has nothing to add", () => {
  const text = renderAttack(report({ summary: counts(4, { attempts: 9 }) }));
  assert.match(text, /✓ access {13}4 {6}4 {7}0 {9}0 {8}0/);
  assert.match(text, /\n\nEvery promise held: 4 attacks, 9 attempts\.\n$/);
  assert.doesNotMatch(text, /Not made|Broken/);
});

test("what was not tried stands in the last line with its kinds, and why above it; it is no promise that held", () => {
  const text = renderAttack(
    report({
      ended: { because: "budget", says: "the time for it was used up", longer: "6m" },
      kinds: [
        row("access", counts(4)),
        row("tls", counts(0, { notMade: 3 }), { reasons: [{ reason: "no browser", count: 3 }] }),
      ],
      summary: counts(4, { notMade: 3 }),
    }),
  );
  assert.match(text, /It ended early: the time for it was used up; --budget 6m gives it longer\.\n/);
  assert.match(text, /\? tls/);
  assert.match(text, /Not made\n {2}tls \(3\): no browser/);
  assert.match(
    text,
    /Every promise that was attacked held: 4 attacks, 4 attempts; 3 attacks were not made \(tls\); the time for it was used up\.\n$/,
  );
});

test("a route of which nothing could be attacked is named, with how much was not", () => {
  const reasons = [{ reason: "GET /api/a: an honest request was answered 500", count: 5 }];
  const text = renderAttack(
    report({
      kinds: [row("access", counts(1, { notMade: 5 }), { reasons })],
      units: [
        unit({ route: "GET /api/a", ...counts(0, { notMade: 2 }) }),
        unit({ kind: "input", route: "GET /api/a", ...counts(0, { notMade: 3 }) }),
        unit({ route: "GET /api/b", ...counts(1) }),
      ],
      summary: counts(1, { notMade: 5 }),
    }),
  );
  assert.match(
    text,
    /Not made\n {2}None of their promises was tried: GET \/api\/a \(5 attacks\)\n {2}access \(5\): /,
  );
});

test("a stack that went away is told with what starts it, on a line to be copied whole", () => {
  const start = `SITE=${"x".repeat(70)} npx curtainwall dev`;
  const says = "no TLS connection";
  const gone = (ended: AttackReport["ended"], attempts: number): string =>
    renderAttack(
      report({
        ...(ended === undefined ? {} : { ended }),
        kinds: [
          row("access", counts(0, { notMade: 2, attempts }), {
            reasons: [{ reason: ended?.says ?? "", count: 2 }],
          }),
        ],
        summary: counts(0, { notMade: 2, attempts }),
      }),
    );
  assert.ok(
    gone({ because: "target gone", says, start }, 2).includes(
      `It ended early: no TLS connection; start it again with\n  $ ${start}\n`,
    ),
  );
  assert.match(gone({ because: "target gone", says, start }, 2), /the stack was gone: 2/);
  const never = gone({ because: "target gone", says: `nothing answers; start it with  ${start}` }, 0);
  assert.ok(never.includes(`; start it with\n  $ ${start}\n`), never);
  assert.match(never, /the stack was not reached: 2/);
});

test("a broken promise shows what was tried, the request, the answer, the promise's place and what shows it again", () => {
  const found: BrokenPromise = {
    ...broken("x"),
    at: "curtainwall.config.ts:15",
    route: "GET /api/x",
    reproduce: "curl 'https://localhost:8443/x'",
  };
  const text = renderAttack(report({ broken: [found], summary: counts(3, { broken: 1 }) }));
  for (const part of [
    /✗ access · GET \/api\/x: x/,
    /tried {6}to be let in without the right token/,
    /request {4}GET x \(h2\)/,
    /answer {5}200 {2}x/,
    /\(API-1\); counted under access\n/,
    /promise {4}what the contract says at "access:" of GET \/api\/x, curtainwall\.config\.ts:15/,
    /again {6}curl 'https:\/\/localhost:8443\/x'/,
    /1 of 4 attacks broke a promise, 1 of 4 attempts got through\.\n$/,
  ])
    assert.match(text, part);
});

test("nothing that a target sent acts on the terminal, and no text is endless, wherever it stands", () => {
  const hostile = report({
    target: hostileText,
    ended: { because: "target gone", says: hostileText },
    kinds: [
      row("access", counts(0, { broken: 1, notMade: 1 }), {
        reasons: [{ reason: `${hostileText}!`, count: 1 }],
      }),
    ],
    units: [unit({ route: hostileText, state: "not made", reasons: [hostileText] })],
    broken: Array.from({ length: 50 }, (_, index) => broken(`${hostileText}${index}`)),
    left: { [hostileText]: 2 },
    cleanUpFailed: hostileText,
    summary: counts(0, { broken: 1, notMade: 1 }),
  });
  for (const verbose of [false, true]) {
    const text = renderAttack(hostile, { verbose, width: 80 });
    assert.ok(stripVTControlCharacters(text) === text);
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    assert.ok(text.length < 400_000, `${text.length} characters`);
  }
  const [only] = hostile.units;
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  assert.doesNotMatch(
    explainUnit(hostile, only as AttackUnit),
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/,
  );
});

test("what the plan gives no means for is told, and takes nothing from what held", () => {
  const lacks = "the plan names no second host (otherAddresses)";
  const text = renderAttack(report({ leftOut: [{ kind: "limits", check: "two hosts", lacks }] }));
  assert.match(text, /Left out\n {2}limits: two hosts: the plan names no second host \(otherAddresses\)\n/);
  assert.match(text, /\nEvery promise held: 4 attacks, 4 attempts\.\n$/);
});

test("what honest requests left behind is told with what would take it away", () => {
  const text = renderAttack(report({ left: { "POST /api/orders": 3 } }));
  assert.match(text, /still there: POST \/api\/orders \(3\)\. Give the plan a cleanUp/);
});

test("broken promises come kind by kind, one of each cause, with how many routes and a table of them", () => {
  const says = (about: string, more: Partial<BrokenPromise>): BrokenPromise => ({
    ...broken("x"),
    evidence: { kind: "measurement", about, value: "http:" },
    ...more,
  });
  const routes = Array.from({ length: 9 }, (_, index) => `GET /api/${index}`);
  const text = renderAttack(
    report({
      broken: [
        ...["alg:none", "expired"].flatMap((check) =>
          routes.map((route) => says(`${route}: ${check} must be refused`, { check, route })),
        ),
        says("bob gets what is alice's", { kind: "objects", check: "A and B", route: "GET /api/1" }),
        ...["TLS 1.0", "TLS 1.1", "TLS 1.2"].map((check): BrokenPromise => {
          const { route: _, ...found } = says("the target is not https", { kind: "tls", check });
          return found;
        }),
      ],
      units: [
        unit({ route: "GET /api/1", state: "broken", gotThrough: 7 }),
        unit({ kind: "objects", route: "GET /api/1", state: "broken", gotThrough: 2 }),
        unit({ route: "GET /api/2", state: "broken", gotThrough: 3 }),
      ],
      summary: counts(18, { broken: 22 }),
    }),
  );
  assert.deepEqual(
    [...text.matchAll(/^✗ (\w+) · ([^:]+): (.*)$/gm)].map(([, kind, , about]) => [kind, about]),
    [
      ["access", "GET /api/0: alg:none must be refused"],
      ["access", "GET /api/0: expired must be refused"],
      ["objects", "bob gets what is alice's"],
      ["tls", "the target is not https"],
    ],
  );
  assert.equal(text.match(/ {2}and {8}on 8 more routes\n/g)?.length, 2);
  assert.match(
    text,
    /\nWhere: attempts that got through\n +9 {2}GET \/api\/1: access 7, objects 2\n +3 {2}GET \/api\/2: access 3\n/,
  );
  assert.doesNotMatch(text, /--json lists/);
});

test("of many kinds that break, each is shown before more of any", () => {
  const many = (["access", "objects", "cors"] as const).flatMap((kind) =>
    Array.from({ length: 15 }, (_, index) => ({ ...broken(`${kind} ${index}`), kind, route: "GET /api/x" })),
  );
  const text = renderAttack(report({ broken: many, summary: counts(0, { broken: 45 }) }));
  const shown = [...text.matchAll(/^✗ (\w+) ·/gm)].map(([, kind]) => kind);
  assert.deepEqual([...new Set(shown)], ["access", "objects", "cors"]);
  assert.equal(shown.filter((kind) => kind === "cors").length, 6);
  assert.match(text, /25 more checks found something/);
});

test("what was interrupted stands first among what was not made", () => {
  const says = "it was interrupted";
  const text = renderAttack(
    report({
      ended: { because: "interrupted", says },
      kinds: [
        row("limits", counts(4, { notMade: 560 }), {
          reasons: [
            { reason: says, count: 559 },
            { reason: "no second host", count: 1 },
          ],
        }),
      ],
      summary: counts(4, { notMade: 560 }),
    }),
  );
  assert.match(text, /\nNot made\n {2}interrupted: 559\n {2}limits \(1\): no second host\n/);
});

test("what a contract opens although the plan names owners, and kinds without anything to attack, are told in a line each", () => {
  const text = renderAttack(
    report({ opened: [{ route: "GET /api/orders/:id", access: "signedIn" }], idle: ["functions", "access"] }),
    { width: 200 },
  );
  assert.match(
    text.replaceAll(/\n {2}/g, " "),
    /\nlook at GET \/api\/orders\/:id: the plan says whose each object there is, and the contract lets everybody who is signed in have all of them \(access: signedIn\)\. If each is its owner's alone, the contract has to say so, with owner/,
  );
  assert.match(text, /\nNothing to attack\n {2}functions: the contract gives no occasion\n/);
});

test("what found nothing to attack is counted in its row, told with why, and named in the last line", () => {
  const why = "the route was answered with what was kept";
  const kinds = [
    row("access", counts(0, { idle: 2 }), { idleReasons: [{ reason: why, count: 2 }] }),
    row("cors", counts(4)),
  ];
  const text = renderAttack(report({ kinds, summary: counts(4, { idle: 2 }) }));
  assert.match(text, /– access {13}2 {6}0 {7}0 {9}0 {8}2/);
  assert.match(text, /\nNothing to attack\n {2}access \(2\): the route was answered with what was kept\n/);
  assert.match(text, /attempts; 2 attacks had nothing there to attack \(access\)\.\n$/);

  const nothing = counts(0, { idle: 2 });
  const alone = renderAttack(report({ kinds: kinds.slice(0, 1), summary: nothing }));
  assert.match(alone, /\nNothing to attack\n {2}access \(2\): /);
  assert.match(alone, /\nNothing could be attacked; 2 attacks had nothing there to attack \(access\)\.\n$/);

  const idle = [{ check: "a canary", reason: why }];
  assert.match(
    renderAttack(report({ units: [unit({ ...counts(3, { idle: 1 }), idleBecause: idle })] }), {
      verbose: true,
    }),
    /GET \/api\/x {2}4 attacks, 3 attempts\n {4}nothing to attack: a canary: the route was answered/,
  );
});
