import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { testCertificate } from "./fixtures/certificate.ts";
import { connectionsPerAddress, startExchangeSite, startSite } from "./fixtures/site.ts";
import type { Fault } from "./fixtures/faults.ts";
import type { TestSite } from "./fixtures/site.ts";
import { runCheck } from "./check.ts";
import { openContext } from "./node/open-context.ts";
import { runAudit } from "./node/run.ts";
import type { AuditOptions } from "./node/run.ts";
import type { AuditCheck, AuditRow } from "./report.ts";
import { rules } from "./rules/index.ts";

const root = mkdtempSync(join(tmpdir(), "curtainwall-audit-"));
after(() => rmSync(root, { recursive: true, force: true }));
execFileSync("git", ["init", "-q"], { cwd: root });
writeFileSync(join(root, "ca.pem"), (await testCertificate()).ca);
writeFileSync(join(root, ".gitignore"), ".env\n.env.*\n");
const commit = ["-c", "user.name=test", "-c", "user.email=test@test.example", "commit", "-qm"];
execFileSync("git", ["add", "."], { cwd: root });
execFileSync("git", [...commit, "first"], { cwd: root });

const optionsFor = ({ contract, plan, release, target, ca, logged }: TestSite): AuditOptions => ({
  contract,
  plan,
  release,
  target,
  ca,
  root,
  // A server that answers at once may take its time on a machine that is busy.
  timeoutMs: 20_000,
  maxSlowMs: 3000,
  machine: {
    connectionsPerAddress: () => connectionsPerAddress,
    processes: () => ({ missing: "it is no stack" }),
    sealedNonces: () => ({ missing: "it has no vault" }),
  },
  lookUpLedger: async (event) => (logged.has(event) ? event : undefined),
});

async function auditRow(site: TestSite, id: string): Promise<AuditRow> {
  const report = await runAudit({ ...optionsFor(site), only: [id] });
  const [row] = report.rows;
  assert.ok(row !== undefined);
  return row;
}

const faultsOf = (row: AuditRow): string[] =>
  row.checks
    .filter(({ state }) => state === "failed" || state === "missing")
    .map((check) => `${check.name}: ${check.state}: ${check.reason ?? check.evidence[0]?.about}`);

const find = (row: AuditRow, name: string): AuditCheck => {
  const check = row.checks.find((candidate) => candidate.name === name);
  assert.ok(check !== undefined, `there is no check "${name}"`);
  return check;
};

// Each test has a site of its own here, and waits more than it computes.
describe("a site that does everything right", { concurrency: 4 }, () => {
  for (const id of ["API-1", "API-3", "API-5", "API-7", "API-8", "FE-4", "SEC-2"]) {
    test(`${id} is proved`, async () => {
      const site = await startSite();
      try {
        const row = await auditRow(site, id);
        assert.deepEqual(faultsOf(row), []);
        assert.equal(row.verdict, "proved");
        assert.ok(
          row.checks.every(
            ({ state, evidence, reproduce }) =>
              (state === "not applicable" || evidence.length > 0) && reproduce !== "",
          ),
        );
      } finally {
        await site.close();
      }
    });
  }
});

test("API-2 is proved as far as loopback goes, but for clients that are slow", async () => {
  const site = await startSite();
  try {
    const row = await auditRow(site, "API-2");
    const passed = row.checks.filter((check) => check.state === "passed").map(({ name }) => name);
    assert.deepEqual(passed, [
      "every route states a limit",
      "an honest client that pauses is served",
      "one address holds so many connections, and no more",
      "burst of N + 1",
      "one client's burst does not lock others out",
      "X-Forwarded-For rotation",
      "who goes before the answer is counted",
      "one client's burst over many connections at once",
      "a user's burst from many addresses",
      "guesses are counted, and end",
      "parallel burst on two instances",
    ]);
    const lonely = { ...site, plan: { ...site.plan, otherAddresses: [] } };
    const [alone] = await runChecks(lonely, "API-2", ["parallel burst on two instances"]);
    assert.match(alone?.reason ?? "", /names no second host \(otherAddresses\)/);
    assert.equal(find(row, "IPv6 rotation inside a /64").state, "missing");
  } finally {
    await site.close();
  }
});

test("a limit that lets a client in at no time counts nobody who goes before the answer", async () => {
  const site = await startSite("limits all together");
  try {
    const [check] = await runChecks(site, "API-2", ["who goes before the answer is counted"]);
    assert.equal(check?.state, "missing");
    assert.match(check?.reason ?? "", /over h2 .*even the first request was refused \(429\)/);
  } finally {
    await site.close();
  }
});

test("a hidden object that nobody gets to see proves nothing", async () => {
  const site = await startSite("hides from everybody");
  try {
    const [check] = await runChecks(site, "API-1", [
      "what is not public is not there, in lists and by its address",
    ]);
    assert.equal(check?.state, "missing");
    assert.match(check?.reason ?? "", /its absence proves nothing/);
  } finally {
    await site.close();
  }
});

type Mistake = readonly [fault: Fault, row: string, ...checks: string[]];

/** Each mistake, the row that must fail for it, and the checks that must see it. */
const mistakes: readonly Mistake[] = [
  // Who finds these waits longest: they begin before the others.
  ["parses leniently", "API-3", "what ends in two places is refused"],
  ["writes before it validates", "API-3", "state unchanged"],
  [
    "limits nobody",
    "API-2",
    "burst of N + 1",
    "a user's burst from many addresses",
    "slow headers",
    "slow body",
  ],
  ["asks nobody for a token", "API-1", "no token"],
  ["asks nobody for a token over HTTP/2", "API-1", "no token"],
  ["asks whose over HTTP/1.1 alone", "API-1", "user A asks for what is B's"],
  ["does what it refuses", "API-1", "no token", "expired token", "tampered signature or claims"],
  ["remembers tokens for ever", "API-1", "expired token"],
  ["accepts expired tokens", "API-1", "expired token"],
  ["ignores the audience", "API-1", "token for another audience"],
  ["ignores the issuer", "API-1", "token of another issuer"],
  ["believes alg none", "API-1", "alg:none"],
  ["confuses keys", "API-1", "key confusion"],
  ["ignores signatures", "API-1", "tampered signature or claims", "token signed with a key of ours"],
  ["trusts the key in the token", "API-1", "token signed with a key of ours"],
  ["asks where the token says", "API-1", "token whose header leads to another key"],
  ["looks keys up by path", "API-1", "token whose header leads to another key"],
  ["takes any type of token", "API-1", "token that its issuer signed, wrong in type, claims or form"],
  ["needs no expiry", "API-1", "token that its issuer signed, wrong in type, claims or form"],
  ["compares names loosely", "API-1", "token that its issuer signed, wrong in type, claims or form"],
  ["reads the first of two names", "API-1", "token that its issuer signed, wrong in type, claims or form"],
  [
    "compares names by their beginning",
    "API-1",
    "a role, scope or tenant that is nearly the one that is asked for",
  ],
  ["never hears of revocations", "API-1", "token that is revoked after it was taken"],
  ["takes tokens from the query", "API-1", "token in another place than its own, or beside another"],
  ["takes tokens from cookies", "API-1", "token in another place than its own, or beside another"],
  [
    "ignores ownership",
    "API-1",
    "user A asks for what is B's",
    "a canary object of each identity reaches its owner only",
  ],
  ["compares how ids begin", "API-1", "user A asks for an id that is nearly A's"],
  ["leaks the owner's object in a 403", "API-1", "a canary object of each identity reaches its owner only"],
  [
    "asks nobody whose a new order is",
    "API-1",
    "user A's new object: others neither read, change nor delete it, and once deleted it is gone",
  ],
  [
    "changes before it asks whose",
    "API-1",
    "user A's new object: others neither read, change nor delete it, and once deleted it is gone",
  ],
  [
    "deletes nothing",
    "API-1",
    "user A's new object: others neither read, change nor delete it, and once deleted it is gone",
  ],
  [
    "looks up what it decoded twice",
    "API-1",
    "user A asks for what is B's in other spellings, beside its own and twice",
  ],
  [
    "reads ids from the query",
    "API-1",
    "user A asks for what is B's in other spellings, beside its own and twice",
  ],
  ["answers with what a body names", "API-1", "user A names what is B's in a body"],
  ["changes what a body names", "API-1", "user A names what is B's in a body"],
  ["lists everybody's", "API-1", "user A's lists and other answers hold nothing of B's"],
  ["ignores roles", "API-1", "lower role"],
  ["shows hidden objects", "API-1", "what is not public is not there, in lists and by its address"],
  ["refuses everybody", "API-1", "users A and B: their own is allowed"],
  ["answers undeclared paths", "API-1", "an undeclared path is 404, an undeclared method 405"],
  ["answers undeclared methods", "API-1", "an undeclared path is 404, an undeclared method 405"],
  ["trusts x-user-id", "API-1", "no header and no spelling of the path gets around it"],
  ["forgets tokens behind a slash", "API-1", "no header and no spelling of the path gets around it"],
  ["strips unknown keys", "API-3", "extra keys"],
  ["takes the last duplicate", "API-3", "duplicate keys"],
  ["crashes on malformed input", "API-3", "malformed JSON, paths and text"],
  ["reads patterns line by line", "API-3", "bounds"],
  // What makes it fail (500) was let in.
  ["falls over a second line", "API-3", "bounds"],
  ["reads any media type", "API-3", "media types"],
  ["reads any size", "API-3", "size"],
  [
    "reflects origins",
    "API-5",
    "origin refused: null",
    "origin refused: prefix",
    "origin refused: suffix",
    "origin refused: subdomain",
    "origin refused: port",
    "origin refused: scheme",
    "origin refused: case",
    "origin refused: dot",
    "origin refused: development",
    "credentials",
    "preflight",
  ],
  ["allows null", "API-5", "origin refused: null"],
  ["allows by suffix", "API-5", "origin refused: prefix", "origin refused: subdomain"],
  ["allows by prefix", "API-5", "origin refused: suffix", "origin refused: port"],
  ["forgets Vary", "API-5", "Vary: Origin on every API answer"],
  ["shows stacks", "API-7", "no stack, path, SQL or version in errors", "an upstream's failure stays inside"],
  ["repeats input", "API-7", "errors do not repeat what was sent"],
  ["errors without id", "API-7", "one error shape with an id (RFC 9457)", "an error's id is in the ledger"],
  ["says its version", "API-7", "no stack, path, SQL or version in errors"],
  [
    "sends undeclared fields",
    "API-7",
    "success bodies hold nothing undeclared",
    "planted canaries stay inside",
  ],
  ["crashes on malformed input", "API-7", "a bad request is never a 5xx"],
  ["speaks TLS 1.2", "API-8", "TLS 1.2 refused"],
  ["forgets HSTS", "API-8", "HSTS"],
  ["forgets HSTS", "FE-4", "200, a page (HTTP/1.1)", "401, the API (HTTP/2)"],
  ["forgets headers on 404", "FE-4", "404, a page (HTTP/1.1)", "404, the API (HTTP/2)"],
  ["forgets headers on errors", "FE-4", "401, the API (HTTP/1.1)", "429, the API (HTTP/1.1)"],
  ["forgets headers on HTTP/2", "FE-4", "200, a page (HTTP/2)"],
  ["serves .env", "SEC-2", "none is served"],
  ["allows inline scripts", "FE-2", "every page has a strict policy", "csp_evaluator finds nothing high"],
  ["tells browsers of no place for reports", "FE-2", "every page says where its violations are reported"],
  ["holds any number of connections", "API-2", "one address holds so many connections, and no more"],
  ["limits nobody over HTTP/2", "API-2", "burst of N + 1"],
  ["gives back what nobody waited for", "API-2", "who goes before the answer is counted"],
  ["counts each protocol for itself", "API-2", "burst of N + 1"],
  ["counts no guesses over HTTP/2", "API-2", "guesses are counted, and end"],
  ["limits by X-Forwarded-For", "API-2", "X-Forwarded-For rotation"],
  ["limits by connection", "API-2", "one client's burst over many connections at once"],
  ["limits each host for itself", "API-2", "parallel burst on two instances"],
  ["counts no guesses", "API-2", "guesses are counted, and end"],
  ["counts all guesses together", "API-2", "guesses are counted, and end"],
  ["limits all together", "API-2", "one client's burst does not lock others out"],
  ["lets caches keep answers", "API-1", "no cache may keep what is for one caller"],
  ["keeps answers by address alone", "API-1", "what one caller was given is given to nobody after it"],
  ["keeps answers for whoever has a token", "API-1", "what one caller was given is given to nobody after it"],
  [
    "finds routes by their beginning",
    "API-1",
    "what is private is not at an address that looks like a file's",
  ],
  ["knows methods in any case", "API-1", "a method that nobody knows reaches nothing"],
  ["obeys method overrides", "API-1", "no header, query or field makes one method another"],
  [
    "believes X-Forwarded-Host",
    "API-3",
    "headers change nothing for the next visitor",
    "nothing changes what the site's pages are for the next visitor",
  ],
  [
    "reads the query from bodies of GETs",
    "API-3",
    "bodies and odd parameters of a GET change nothing for the next visitor",
  ],
  ["redirects to any host", "API-3", "no spelling of an address changes what is there for the next visitor"],
  ["keeps errors", "API-3", "no error is kept for the next visitor"],
  ["reads the first of two lines", "API-3", "what says twice for whom it is, or from whom, is refused"],
  ["follows addresses", "API-3", "no address in a request makes the stack ask it"],
  ["passes on what its upstream says", "API-7", "what a lying upstream says stays inside"],
  ["shows what does not say that it is public", "API-7", "what a lying upstream says stays inside"],
];

/** API-1 of a site that declares more and does everything right, audited once for all tests that read it. */
const exchangeAccess = lazy(() => auditExchange("API-1"));

async function auditExchange(id: string): Promise<AuditRow> {
  const site = await startExchangeSite();
  try {
    return await auditRow(site, id);
  } finally {
    await site.close();
  }
}

function lazy<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

describe(
  "a site that uses what else a contract can declare, and does everything right",
  { concurrency: 5 },
  () => {
    for (const id of ["API-1", "API-3", "API-5", "API-7", "FE-4"]) {
      test(`${id} is proved`, async () => {
        const row = await (id === "API-1" ? exchangeAccess() : auditExchange(id));
        assert.deepEqual(faultsOf(row), []);
        assert.equal(row.verdict, "proved");
      });
    }
  },
);

/** Mistakes with what else a contract can declare. */
const exchangeMistakes: readonly Mistake[] = [
  ["ignores scopes", "API-1", "lacking scope"],
  ["ignores tenants", "API-1", "another tenant's"],
  [
    "compares names by their beginning",
    "API-1",
    "a role, scope or tenant that is nearly the one that is asked for",
  ],
  ["accepts revoked keys", "API-1", "API keys: unknown, tampered and revoked ones"],
  ["looks at a key's name alone", "API-1", "API keys: unknown, tampered and revoked ones"],
  ["takes keys from addresses", "API-1", "an API key in an address is refused"],
  ["takes a key and a token together", "API-1", "an API key and a token together are refused"],
  ["opens everything to keys", "API-1", "an API key opens what asks for a scope alone"],
  ["reads JSON where a form is declared", "API-3", "media types"],
  ["reads broken forms", "API-3", "malformed JSON, paths and text", "duplicate keys"],
  ["strips unknown keys", "API-3", "extra keys"],
  ["believes headers", "API-3", "wrong types", "bounds"],
  ["takes the last cookie", "API-3", "duplicate keys"],
  ["counts nothing in JSON", "API-3", "counts and lengths"],
  ["creates sessions for any page", "API-5", "a session is created for pages of the site alone"],
  ["creates sessions for who says nothing", "API-5", "a session is created for pages of the site alone"],
  ["sends undeclared events", "API-7", "success bodies hold nothing undeclared"],
  [
    "sends undeclared fields in events",
    "API-7",
    "success bodies hold nothing undeclared",
    "planted canaries stay inside",
  ],
  ["shows files", "API-7", "success bodies hold nothing undeclared"],
  ["sends undeclared headers", "API-7", "success headers hold nothing undeclared, and lead nowhere else"],
  ["leads elsewhere", "API-7", "success headers hold nothing undeclared, and lead nowhere else"],
  ["answers 304 to anybody", "API-7", "an ETag spares a body, and opens nothing"],
  ["ignores If-None-Match", "API-7", "an ETag spares a body, and opens nothing"],
  ["errors say more than declared", "API-7", "declared errors hold nothing undeclared"],
  ["forgets headers on streams", "FE-4", "200, an event stream (HTTP/1.1)", "200, a download (HTTP/2)"],
  ["lets everybody in at once", "API-2", "who comes too fast waits, and then is told when to come back"],
  ["takes unsigned webhooks", "API-1", "webhooks that nobody signed"],
  [
    "believes any signature of a webhook",
    "API-1",
    "webhooks signed with another key",
    "webhooks changed after they were signed",
    "webhooks signed with another route's key",
  ],
  ["signs no body of webhooks", "API-1", "webhooks changed after they were signed"],
  ["reads no time of webhooks", "API-1", "webhooks signed too long ago, or later than it is"],
  ["has one key for all webhooks", "API-1", "webhooks signed with another route's key"],
  ["takes webhooks twice", "API-1", "a webhook is taken once"],
  [
    "takes webhooks before it judges them",
    "API-1",
    "webhooks signed with another key",
    "a webhook is taken once",
  ],
  ["takes webhooks from pages", "API-5", "a webhook is taken from no page"],
];

describe("without the sender's signature nothing that takes webhooks is proved", { concurrency: 4 }, () => {
  for (const id of ["API-1", "API-3", "API-5", "API-7"]) {
    test(id, async () => {
      const site = await startExchangeSite();
      try {
        const { signatures: _, ...plan } = site.plan;
        const row = await auditRow({ ...site, plan }, id);
        assert.equal(row.verdict, "unknown");
        assert.match(
          JSON.stringify(row),
          /signatures don't say how the sender of POST \/api\/hooks\/flour signs/,
        );
      } finally {
        await site.close();
      }
    });
  }
});

test("mutants that are refused for their signature show nothing of the schema", async () => {
  const site = await startExchangeSite();
  try {
    const signatures = { ...site.plan.signatures, "POST /api/hooks/flour": () => ({ "webhook-id": "1" }) };
    const [check] = await runChecks({ ...site, plan: { ...site.plan, signatures } }, "API-3", ["extra keys"]);
    assert.equal(check?.state, "missing");
    assert.match(check?.reason ?? "", /validation was not reached/);
  } finally {
    await site.close();
  }
});

test("that signatures can't be checked just now breaks no promise: nothing is known of webhooks", async () => {
  const site = await startExchangeSite("can't check signatures");
  try {
    const [check] = await runChecks(site, "API-1", ["a webhook is taken once"]);
    assert.equal(check?.state, "missing");
    assert.match(check?.reason ?? "", /can't check signatures now \(503 GATEWAY_WEBHOOKS_UNAVAILABLE\)/);
  } finally {
    await site.close();
  }
});

test("a signature stands in no report", async () => {
  const report = JSON.stringify(await exchangeAccess());
  assert.match(report, /webhook-signature: \[signature\]/);
  assert.doesNotMatch(report, /v1,/);
});

test("an event stream that says nothing in time proves nothing", async () => {
  const site = await startExchangeSite("keeps quiet");
  try {
    const [check] = await runChecks(site, "API-7", ["success bodies hold nothing undeclared"]);
    assert.equal(check?.state, "missing");
    assert.match(check?.reason ?? "", /no event came/);
  } finally {
    await site.close();
  }
});

test("a pace is kept, and how many are at once is not looked at", async () => {
  const site = await startExchangeSite();
  try {
    const names = [
      "who comes too fast waits, and then is told when to come back",
      "so many at once, and no more",
    ];
    const checks = await runChecks(site, "API-2", names);
    assert.deepEqual(
      checks.map(({ name, state }) => [name, state]),
      [
        [names[0], "passed"],
        [names[1], "not applicable"],
      ],
    );
  } finally {
    await site.close();
  }
});

/** Runs the named checks of a row alone; `state unchanged` needs those before it. */
async function runChecks(site: TestSite, id: string, names: readonly string[]): Promise<AuditCheck[]> {
  const { context, close } = await openContext(optionsFor(site));
  try {
    const checks = rules.find((rule) => rule.id === id)?.checks ?? [];
    const ran: AuditCheck[] = [];
    for (const check of checks)
      if (names.includes(check.name) || names.includes("state unchanged"))
        ran.push(await runCheck(check, id, context));
    return ran.filter(({ name }) => names.includes(name));
  } finally {
    await close();
  }
}

const everyMistake = [
  ...mistakes.map((mistake) => ({ mistake, open: startSite, scene: "" })),
  ...exchangeMistakes.map((mistake) => ({ mistake, open: startExchangeSite, scene: ", and declares more" })),
];
const { limits = [], others = [] } = Object.groupBy(everyMistake, ({ mistake: [, row] }) =>
  row === "API-2" ? "limits" : "others",
);

// A limit gives back while it is used up: fewer at once, and nothing beside them.
for (const [what, concurrency, found] of [
  ["a site that makes a mistake with limits", 4, limits],
  ["a site that makes another mistake", 8, others],
] as const)
  describe(what, { concurrency }, () => {
    for (const { mistake, open, scene } of found) {
      const [fault, id, ...names] = mistake;
      test(`${id} fails for a site that ${fault}${scene}`, async () => {
        const site = await open(fault);
        try {
          const ran = await runChecks(site, id, names);
          assert.deepEqual(
            ran.map(({ name, state, reason }) => ({
              name,
              state: state === "failed" ? state : `${state}: ${reason}`,
            })),
            ran.map(({ name }) => ({ name, state: "failed" })),
          );
          assert.deepEqual(new Set(ran.map(({ name }) => name)), new Set(names));
        } finally {
          await site.close();
        }
      });
    }
  });
