import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { describe, test } from "node:test";
import { runCheck } from "../../check.ts";
import { checkSite } from "../../fixtures/run-check.ts";
import type { Fault } from "../../fixtures/faults.ts";
import { startSite } from "../../fixtures/site.ts";
import { openContext } from "../../node/open-context.ts";
import { runAudit } from "../../node/run.ts";
import type { AuditCheck } from "../../report.ts";
import { revokedForGood, revokedToken } from "./revoked.ts";

/** What both checks say of a site that goes on in between. */
async function askTwice(...faults: Fault[]): Promise<[first: AuditCheck, second: AuditCheck]> {
  const site = await startSite(...faults);
  const { contract, plan, target, ca } = site;
  const { context, close } = await openContext({ contract, plan, target, ca, root: tmpdir() });
  try {
    const first = await runCheck(revokedToken, "API-1", context);
    const alice = contract.routes.find(({ path }) => path === "/api/card");
    assert.ok(alice !== undefined);
    for (let count = 0; count < 100; count++)
      await context.caller.call({ route: alice, as: "alice", input: {} });
    return [first, await runCheck(revokedForGood, "API-1", context)];
  } finally {
    await close();
    await site.close();
  }
}

describe("a token that is revoked", { concurrency: 2 }, () => {
  test("is refused by each kind of route, then and in the end, and it is said how long that was", async () => {
    const checks = await askTwice();
    for (const { state, evidence } of checks) {
      assert.equal(state, "passed");
      const often = /a token that was revoked is refused \(64 times\), \d+\.\d s later$/;
      assert.ok(evidence.some(({ about }) => often.test(about)));
    }
    const asked = new Set(checks[1].evidence.map(({ about }) => about.split(":")[0]));
    for (const key of [
      "GET /api/users",
      "GET /api/orders/",
      "GET /api/card",
      "GET /api/staff",
      "POST /api/orders",
    ])
      assert.ok(
        [...asked].some((route) => route?.startsWith(key)),
        key,
      );
  });

  for (const fault of [
    "never hears of revocations",
    "has a worker that never hears of revocations",
    "asks for revocations on one route alone",
    "asks for revocations where callers may read alone",
  ] as const)
    test(`is found to go on with a site that ${fault}`, async () => {
      assert.equal((await checkSite(startSite(fault), revokedToken)).state, "failed");
    });

  test("is refused over the connections where it was used, over each protocol", async () => {
    const { evidence } = await checkSite(startSite(), revokedToken);
    const where = /refused over the (\S+) connection/;
    assert.deepEqual(
      evidence.flatMap(({ about }) => where.exec(about)?.slice(1) ?? []),
      ["http/1.1", "h2"],
    );
  });

  test("is found to go on over the connections where it was used, and there alone", async () => {
    const { evidence, failing } = await checkSite(startSite("remembers a connection's token"), revokedToken);
    assert.equal(failing, 2);
    for (const [index, protocol] of ["http/1.1", "h2"].entries()) {
      const about = `a token that was revoked goes on over the ${protocol} connection where it was used before, `;
      assert.ok(evidence[index]?.about.includes(about), about);
    }
  });

  test("is found to go on where tokens are revoked by when they say that they were issued", async () => {
    const { state, failing, evidence } = await checkSite(
      startSite("revokes by the time of issue"),
      revokedToken,
    );
    assert.deepEqual([state, failing], ["failed", 1]);
    assert.match(
      evidence[0]?.about ?? "",
      /issued in an hour \(iat\) was taken before it was revoked, and goes on/,
    );
  });

  test("is none where only what was issued is revoked: what else is signed with its name shows nothing", async () => {
    const { state } = await checkSite(startSite("revokes the tokens that it issued alone"), revokedToken);
    assert.equal(state, "passed");
  });

  test("is found to come back with a site that forgets revocations", async () => {
    const [first, second] = await askTwice("forgets revocations");
    assert.equal(first.state, "passed");
    assert.equal(second.state, "failed");
    assert.match(second.evidence[0]?.about ?? "", /a token that was revoked goes on, \d+\.\d s later/);
  });

  test("is asked for once more when a whole audit is over", async () => {
    const site = await startSite("forgets revocations");
    const begun: string[] = [];
    const { contract, plan, target, ca } = site;
    try {
      const report = await runAudit({
        contract,
        plan,
        target,
        ca,
        root: tmpdir(),
        only: ["API-1", "SEC-2"],
        onProgress: ({ what }) => begun.push(what),
      });
      assert.equal(begun.at(-1), revokedForGood.name);
      const found = report.rows[0]?.checks.find(({ name }) => name === revokedForGood.name);
      assert.equal(found?.state, "failed");
    } finally {
      await site.close();
    }
  });

  test("shows nothing in the end where none was revoked", async () => {
    const check = await checkSite(startSite(), revokedForGood);
    assert.equal(check.state, "missing");
    assert.equal(check.reason, "no token was revoked before");
  });
});
