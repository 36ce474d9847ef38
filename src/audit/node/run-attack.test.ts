import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { TestContext } from "node:test";
import { z } from "zod";
import { defineStack, everyone, parseContract, upstream } from "../../contract/index.ts";
import { explainEnd, explainUnit } from "../attack/explain.ts";
import type { AttackReport } from "../attack/report.ts";
import { makeCertificate, testCertificate } from "../fixtures/certificate.ts";
import { startSite } from "../fixtures/site.ts";
import type { TestSite } from "../fixtures/site.ts";
import { listAttacks, runAttack } from "./run-attack.ts";
import type { AttackOptions } from "./run-attack.ts";

const root = mkdtempSync(join(tmpdir(), "curtainwall-attack-"));
after(() => rmSync(root, { recursive: true, force: true }));
writeFileSync(join(root, "ca.pem"), (await testCertificate()).ca);

const optionsFor = ({ contract, plan, release, target, ca }: TestSite): AttackOptions => ({
  contract,
  plan,
  release,
  target,
  ca,
  root,
  // A machine that is busy takes its time.
  timeoutMs: 20_000,
  budgetMs: 240_000,
  maxSlowMs: 3000,
});

const countsOf = ({ kinds }: AttackReport): string[] =>
  kinds.map(({ kind, attacks, held, broken, notMade, idle, reasons }) =>
    held > 0 && held + idle === attacks
      ? `${kind} held`
      : `${kind} ${held}/${attacks}, ${broken} broken, ${notMade} not made: ${reasons[0]?.reason}`,
  );

/** Fails unless all that the list counts is told: as held, broken, not made or idle, of these two with why. */
async function assertAddsUp(report: AttackReport, options: AttackOptions): Promise<void> {
  const listed = await listAttacks(options);
  assert.deepEqual(
    report.units.map(({ kind, route, attacks }) => [kind, route, attacks]),
    listed.map(({ kind, route, checks }) => [kind, route?.key, checks.length]),
  );
  for (const { kind, route, reasons, idleBecause, ...unit } of report.units) {
    const name = `${kind} ${route}`;
    assert.equal(unit.held + unit.broken + unit.notMade + unit.idle, unit.attacks, name);
    assert.equal(idleBecause.length, unit.idle, name);
    assert.ok(unit.notMade === 0 || reasons.some((reason) => reason !== ""), name);
  }
  for (const row of [...report.kinds, report.summary])
    assert.equal(row.held + row.broken + row.notMade + row.idle, row.attacks);
  for (const { kind, attacks, idle, idleReasons } of report.kinds) {
    const own = listed.filter((unit) => unit.kind === kind);
    assert.equal(attacks, own.flatMap(({ checks }) => checks).length, kind);
    assert.equal(idleReasons.length > 0, idle > 0, kind);
  }
  assert.deepEqual(
    new Set(report.kinds.map(({ kind }) => kind)),
    new Set(listed.map(({ kind }) => kind)),
    "every kind that is listed has its row",
  );
}

test("a site that keeps its promises: everything that was tried is counted as held", async (context) => {
  const site = await startSite();
  context.after(() => site.close());
  const report = await runAttack({ ...optionsFor(site), kinds: ["access", "objects", "tls"] });
  assert.deepEqual(countsOf(report), ["access held", "objects held", "tls held"]);
  assert.deepEqual(report.broken, []);
  assert.equal(report.ended, undefined);
  assert.equal(report.summary.gotThrough, 0);
});

test("whatever the list counts, of any kind, is told: as held, as broken, as not made or as nothing to attack", async (context) => {
  const site = await startSite("ignores ownership");
  context.after(() => site.close());
  const options = optionsFor(site);
  const report = await runAttack(options);
  await assertAddsUp(report, options);
  const { held, broken, notMade, idle } = report.summary;
  assert.ok(Math.min(held, broken, notMade, idle) > 0, JSON.stringify(report.summary));
});

test("what a route gives no occasion for is told by name, and is not what held", async (context) => {
  const site = await startSite();
  context.after(() => site.close());
  const options = {
    ...optionsFor(site),
    kinds: ["input", "webhooks"],
    routes: ["GET /api/orders/:id"],
  } satisfies AttackOptions;
  const report = await runAttack(options);
  await assertAddsUp(report, options);
  const [row] = report.kinds;
  assert.ok((row?.idle ?? 0) > 0 && row?.idleReasons.every(({ reason }) => reason !== ""));
  assert.deepEqual(report.idle, ["webhooks"]);
});

test("a kind that is about the site as a whole is refused for a route", async (context) => {
  const site = await startSite();
  context.after(() => site.close());
  const options = { ...optionsFor(site), kinds: ["tls"], routes: ["GET /api/orders/:id"] } as const;
  for (const asked of [runAttack(options), listAttacks(options)])
    await assert.rejects(asked, { code: "AUDIT_TARGET_INVALID", message: /"tls" is an attack on the site/ });
});

test("a broken promise is told with its route, the place of its option, the exchange and a command", async (context) => {
  const site = await startSite("ignores ownership");
  context.after(() => site.close());
  const report = await runAttack({
    ...optionsFor(site),
    kinds: ["objects"],
    routes: ["GET /api/orders/:id"],
    placeOf: (promise, route) => `${promise} of ${route}`,
  });
  const [unit, ...others] = report.units;
  assert.deepEqual([unit?.state, unit?.route, others], ["broken", "GET /api/orders/:id", []]);
  const [first] = report.broken;
  assert.equal(first?.at, "access of GET /api/orders/:id");
  assert.equal(first?.evidence.kind, "exchange");
  assert.match(first?.reproduce ?? "", /^curl 'https:\/\/localhost:\d+\/api\/orders\//);
  assert.equal(report.summary.broken, unit?.broken);
});

test("what writes leave behind is told, unless the plan takes it away; a clean-up that fails is told too", async (context) => {
  const site = await startSite();
  context.after(() => site.close());
  const options = {
    ...optionsFor(site),
    kinds: ["input"],
    routes: ["POST /api/contact"],
  } satisfies AttackOptions;
  const plain = await runAttack(options);
  assert.ok((plain.left["POST /api/contact"] ?? 0) > 0);

  let cleaned = 0;
  const tidy = await runAttack({ ...options, plan: { ...site.plan, cleanUp: async () => void cleaned++ } });
  assert.deepEqual([tidy.left, cleaned, tidy.cleanUpFailed], [{}, 1, undefined]);

  const cleanUp = async (): Promise<void> => {
    throw new Error("the shop is locked");
  };
  const untidy = await runAttack({ ...options, plan: { ...site.plan, cleanUp } });
  assert.match(untidy.cleanUpFailed ?? "", /the shop is locked/);
  assert.ok((untidy.left["POST /api/contact"] ?? 0) > 0);
});

test("an interruption ends it with what is known by then, and cleans up", async (context) => {
  const site = await startSite();
  context.after(() => site.close());
  const interrupt = new AbortController();
  let cleaned = 0;
  const options = { ...optionsFor(site), kinds: ["access", "input"] } satisfies AttackOptions;
  const report = await runAttack({
    ...options,
    plan: { ...site.plan, cleanUp: async () => void cleaned++ },
    signal: interrupt.signal,
    onProgress: ({ done }) => {
      if (done >= 1) interrupt.abort();
    },
  });
  assert.equal(report.ended?.because, "interrupted");
  assert.ok(report.summary.held > 0 && report.summary.notMade > 0);
  await assertAddsUp(report, options);
  assert.equal(cleaned, 1);
});

test("another machine is not attacked: nothing is sent, whatever the plan", async (context) => {
  const site = await startSite();
  context.after(() => site.close());
  await assert.rejects(runAttack({ ...optionsFor(site), target: new URL("https://attack.test.example") }), {
    code: "AUDIT_OWNERSHIP_UNPROVED",
  });
});

test("what would be attacked is listed for another machine too, since nobody is asked", async (context) => {
  const site = await startSite();
  context.after(() => site.close());
  const options = optionsFor(site);
  const count = async (target: URL): Promise<number> => (await listAttacks({ ...options, target })).length;
  assert.equal(await count(new URL("https://attack.test.example")), await count(site.target));
});

/** A server that answers everything alike. */
async function serve(
  context: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<URL> {
  const { cert, key } = await testCertificate();
  const server: Server = createServer({ cert, key }, answer);
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return new URL(`https://localhost:${(server.address() as AddressInfo).port}`);
}

/** Attacks such a server with the contract and identities of an honest site. */
async function attackInstead(
  context: TestContext,
  target: URL,
  more: Partial<AttackOptions> = {},
): Promise<AttackReport> {
  const site = await startSite();
  context.after(() => site.close());
  return runAttack({ ...optionsFor(site), target, ...more });
}

describe("a server that answers everything alike is never said to hold", () => {
  const alike: readonly [what: string, status: number, headers: Record<string, string>, body: string][] = [
    [
      "401",
      401,
      { "content-type": "application/problem+json" },
      '{"status":401,"title":"no","id":"12345678"}',
    ],
    ["403", 403, {}, ""],
    ["404", 404, {}, "not here"],
    ["200 with a page", 200, { "content-type": "text/html" }, "<p>Welcome"],
    ["200 with an empty object", 200, { "content-type": "application/json" }, "{}"],
    ["a redirect to itself", 302, { location: "/" }, ""],
  ];
  for (const [what, status, headers, body] of alike)
    test(what, async (context) => {
      const target = await serve(context, (request, response) => {
        request.resume();
        response.writeHead(status, headers).end(body);
      });
      const report = await attackInstead(context, target, {
        kinds: ["access", "objects", "input", "cors", "verbs"],
        routes: ["GET /api/orders/:id", "POST /api/contact"],
        budgetMs: 30_000,
      });
      assert.equal(report.summary.held, 0);
      assert.ok(report.units.every(({ state }) => state === "broken" || state === "not made"));
      assert.ok(report.summary.notMade > 0 || report.summary.broken > 0);
    });
});

test("a server that dies midway is told as such, and what was not tried by then as not made", async (context) => {
  const site = await startSite();
  context.after(() => site.close());
  const options = { ...optionsFor(site), kinds: ["access", "input"] } satisfies AttackOptions;
  const report = await runAttack({
    ...options,
    onProgress: ({ done }) => {
      if (done >= 2) void site.close();
    },
  });
  assert.equal(report.ended?.because, "target gone");
  assert.match(report.ended?.start ?? "", /^npx curtainwall start /);
  assert.ok(report.summary.notMade > 0);
  await assertAddsUp(report, options);
});

test("where nothing listens, nothing was attacked or is taken away, and it says that the address is not the contract's", async (context) => {
  let cleaned = 0;
  const report = await attackInstead(context, new URL("https://localhost:1"), {
    kinds: ["access", "tls"],
    plan: { cleanUp: async () => void cleaned++ },
  });
  assert.deepEqual([report.summary.attempts, report.ended?.because], [0, "target gone"]);
  assert.equal(cleaned, 0, "nothing was made");
  assert.match(
    report.ended?.says ?? "",
    /the contract's own address is https:\/\/localhost:\d+, which is started with  npx curtainwall /,
  );
});

test("a certificate of another authority is said to be that, with where the expected one is from", async (context) => {
  const target = await serve(context, (_, response) => void response.end());
  const { ca: other } = await makeCertificate();
  const report = await attackInstead(context, target, {
    kinds: ["access"],
    ca: other,
    caFile: "site/.curtainwall/ca/ca.crt",
  });
  assert.match(
    report.ended?.says ?? "",
    /answered with a certificate that does not verify \([A-Z_]+\); expected was one by the authority in site\/\.curtainwall\/ca\/ca\.crt$/,
  );
});

test("an undeclared key in a query breaks the promise of the query, not of a body", async (context) => {
  const target = await serve(context, (request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  const { broken } = await attackInstead(context, target, {
    kinds: ["input"],
    routes: ["GET /api/orders/:id"],
  });
  const promises = broken
    .filter(({ evidence }) => evidence.kind === "exchange" && evidence.request.url.includes("?undeclared="))
    .map(({ promise }) => promise);
  assert.deepEqual([...new Set(promises)], ["query"]);
});

test("a server that never answers does not hold the attack up beyond its time", async (context) => {
  const target = await serve(context, () => undefined);
  const report = await attackInstead(context, target, { budgetMs: 8000, timeoutMs: 1000 });
  // It shakes hands as it should, and that is all it does.
  assert.deepEqual(
    [...new Set(report.units.filter(({ held }) => held > 0).map(({ kind }) => kind))],
    ["tls"],
  );
  // Its time, and room for a machine that is busy.
  assert.ok(report.durationMs < 8000 + 52_000, `${report.durationMs} ms`);
});

for (const [when, answered] of [
  ["before it was greeted", 0],
  ["while honest requests are out", 1],
  ["midway", 12],
] as const)
  test(`time that runs out ${when} is told as that, with a time that is longer`, async (context) => {
    let requests = 0;
    const target = await serve(context, (request, response) => {
      request.resume();
      if (requests++ < answered) response.writeHead(404).end();
    });
    const report = await attackInstead(context, target, { budgetMs: 2000 });
    const { because, says = "", longer } = report.ended ?? {};
    assert.deepEqual([because, longer], ["budget", "1m"]);
    assert.match(says, /the time for it was used up$/);
    const unit = report.units.find(({ notMade }) => notMade > 0);
    assert.ok(unit !== undefined && explainUnit(report, unit).endsWith(explainEnd(report) ?? "nothing"));
    assert.match(explainEnd(report) ?? "", /; CURTAINWALL_ATTACK_BUDGET=1m gives it longer$/);
  });

test("limits that come back after its time are told as that, with a time that is longer", async (context) => {
  const target = await serve(context, (request, response) => {
    request.resume();
    response.writeHead(request.url === "/" ? 404 : 429, { "retry-after": "59" }).end();
  });
  const routes = ["GET /api/orders/:id"];
  const report = await attackInstead(context, target, { kinds: ["objects"], routes, budgetMs: 50_000 });
  assert.deepEqual(report.ended, {
    because: "budget",
    says: "limits come back later than there was time to wait",
    longer: "2m",
  });
});

test("of a thousand routes something of every kind is tried, the rest is told, and time and memory stay bounded", async (context) => {
  const target = await serve(context, (request, response) => {
    request.resume();
    const isDeclared = /^\/api\/things\/\d{1,4}$/.test(request.url ?? "") && request.method === "GET";
    response
      .writeHead(isDeclared ? 200 : 404, { "content-type": "application/json" })
      .end('{"name":"thing"}');
  });
  const routes = Object.fromEntries(
    Array.from({ length: 1000 }, (_, index) => [
      `GET /api/things/${index}`,
      { access: everyone, limit: "20/min per client", response: z.object({ name: z.string() }), to: "shop" },
    ]),
  );
  const contract = parseContract(
    defineStack({
      origin: target.origin,
      edge: { redirectPort: false },
      upstreams: { shop: upstream({ url: target.origin, caFile: "ca.pem" }) },
      routes: routes as Record<`GET /${string}`, never>,
    }),
  );
  const { ca } = await testCertificate();
  const before = process.memoryUsage().rss;
  const kinds = ["input", "cors", "verbs", "errors", "limits"] as const;
  const attemptsOf = ({ kinds: rows }: AttackReport, kind: string): number =>
    rows.find((row) => row.kind === kind)?.attempts ?? 0;
  const tried = kinds.filter((name) => name !== "limits");
  const attackFor = async (budgetMs: number): Promise<AttackReport> => {
    const made = await runAttack({ contract, target, ca, root, kinds, budgetMs, maxSlowMs: 2000 });
    assert.deepEqual([made.ended?.because, made.ended?.longer?.endsWith("m")], ["budget", true]);
    // All that there is takes several minutes; how soon after its time it ends hangs on how busy the machine is.
    assert.ok(made.durationMs < budgetMs + 55_000, `${made.durationMs} ms`);
    const isEach = tried.every((kind) => attemptsOf(made, kind) > 0);
    // So does how far it gets by then.
    return isEach || budgetMs >= 40_000 ? made : attackFor(budgetMs * 2);
  };
  const report = await attackFor(5000);
  assert.ok(report.units.filter(({ route }) => route !== undefined).length >= 4000);
  for (const kind of tried) assert.ok(attemptsOf(report, kind) > 0, kind);
  assert.ok(report.broken.length <= 500);
  assert.ok(process.memoryUsage().rss - before < 500_000_000, "half a gigabyte");
});

test("a list of attacks asks the target nothing, and knows what does not apply", async (context) => {
  let asked = 0;
  const target = await serve(context, (_, response) => {
    asked++;
    response.end();
  });
  const site = await startSite();
  context.after(() => site.close());
  const units = await listAttacks({ ...optionsFor(site), target });
  assert.equal(asked, 0);
  const names = units.map(({ kind, route }) => `${kind} ${route?.key ?? "site"}`);
  assert.ok(names.includes("access GET /api/orders/:id"));
  assert.ok(!names.includes("access POST /api/contact"), "everybody may call it");
  assert.ok(!names.some((name) => name.startsWith("webhooks")));
});
