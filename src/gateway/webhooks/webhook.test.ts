import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { everyone, slack, webhookSecret } from "../../contract/index.ts";
import { openSmall } from "../fixtures/small-gateway.ts";
import type { SmallGateway } from "../fixtures/small-gateway.ts";
import type { SignatureVerdict, SignedRequest } from "./types.ts";

/** A route that webhooks are sent to, and somebody who judges them as he is told. */
function openHooks(limits: object = {}) {
  const asked: SignedRequest[] = [];
  const settled: boolean[] = [];
  const genuine: SignatureVerdict = {
    kind: "genuine",
    settle: async (isTaken) => void settled.push(isTaken),
  };
  const hooks = {
    asked,
    settled,
    genuine,
    verdict: genuine as SignatureVerdict | Error,
    small: undefined as unknown as SmallGateway,
    post(body: string, headers: Record<string, string> = {}) {
      return hooks.small.call({
        method: "POST",
        target: "/api/hook",
        body,
        headers: { "x-slack-signature": "v0=1", ...headers },
      });
    },
  };
  hooks.small = openSmall(
    {
      "POST /api/hook": {
        access: everyone,
        webhook: slack("CHAT_KEY"),
        body: z.object({ id: z.number() }),
        response: z.object({ ok: z.boolean() }),
        maxBodyBytes: 100,
        to: "shop",
        limit: "1000/min per client",
        ...limits,
      },
    },
    { secrets: { CHAT_KEY: webhookSecret() } },
    {
      async verify(request) {
        asked.push(request);
        if (hooks.verdict instanceof Error) throw hooks.verdict;
        return hooks.verdict;
      },
    },
  );
  return hooks;
}

suite("A route that webhooks are sent to", () => {
  test("asks about the very bytes that came, and parses those", async () => {
    const { small, asked, settled, post } = openHooks();
    const body = ' { "id" :\t1 } ';
    assert.equal((await post(body)).status, 200);
    assert.equal(new TextDecoder().decode(asked[0]?.body), body);
    assert.equal(asked[0]?.route, "POST /api/hook");
    assert.equal(asked[0]?.header("x-slack-signature"), "v0=1");
    assert.deepEqual(small.forwarded[0]?.body, { id: 1 });
    assert.deepEqual(settled, [true]);
  });

  const refusals: [SignatureVerdict, number, string][] = [
    [{ kind: "refused", reason: "no signature is right" }, 403, "GATEWAY_WEBHOOK_REFUSED"],
    [{ kind: "under-way" }, 409, "GATEWAY_WEBHOOK_UNDER_WAY"],
    [{ kind: "unavailable", reason: "egress is away" }, 503, "GATEWAY_WEBHOOKS_UNAVAILABLE"],
  ];
  for (const [verdict, status, code] of refusals)
    test(`answers ${status} to what is ${verdict.kind}: nothing is parsed, nobody is asked, and the reason is in the log alone`, async () => {
      const hooks = openHooks();
      hooks.verdict = verdict;
      const reply = await hooks.post("this is no JSON");
      assert.equal(reply.status, status);
      assert.equal(reply.json().code, code);
      assert.ok(!(reply.body ?? "").includes("signature is right") && !(reply.body ?? "").includes("egress"));
      assert.equal(hooks.small.forwarded.length, 0);
      const [event] = hooks.small.events;
      assert.equal(event?.type, "gateway.request.refused");
      if ("reason" in verdict) assert.equal((event as { reason?: string }).reason, verdict.reason);
    });

  test("acknowledges what was taken before, and does not do it twice", async () => {
    const hooks = openHooks();
    hooks.verdict = { kind: "repeated" };
    const reply = await hooks.post('{"id":1}');
    assert.equal(reply.status, 204);
    assert.equal(hooks.small.forwarded.length, 0);
  });

  test("takes nothing that whoever answers it could not take, so that its sender tries again", async () => {
    const hooks = openHooks();
    hooks.small.answer = { kind: "failed", code: "GATEWAY_UPSTREAM_TIMEOUT", reason: "too slow" };
    assert.equal((await hooks.post('{"id":1}')).status, 504);
    hooks.small.answer = { kind: "answer", status: 500, value: {} };
    assert.equal((await hooks.post('{"id":1}')).status, 502);
    hooks.small.answer = { kind: "answer", status: 200, value: { wrong: true } };
    assert.equal((await hooks.post('{"id":1}')).status, 502);
    assert.equal((await hooks.post('{"id":"one"}')).status, 400);
    assert.equal((await hooks.post("{")).status, 400);
    assert.deepEqual(hooks.settled, [false, false, false, false, false]);
    hooks.small.answer = { kind: "answer", status: 200, value: { ok: true } };
    assert.equal((await hooks.post('{"id":1}')).status, 200);
    assert.deepEqual(hooks.settled.at(-1), true);
  });

  test("answers once it is remembered that a delivery was taken, and if it can't be, not that it was", async () => {
    const hooks = openHooks();
    const { promise, resolve } = Promise.withResolvers<void>();
    const order: string[] = [];
    hooks.verdict = { kind: "genuine", settle: () => promise.then(() => void order.push("remembered")) };
    const answered = hooks.post('{"id":1}').then(({ status }) => order.push(String(status)));
    while (hooks.small.forwarded.length === 0) await new Promise(setImmediate);
    await new Promise(setImmediate);
    assert.deepEqual(order, []);
    resolve();
    await answered;
    assert.deepEqual(order, ["remembered", "200"]);

    hooks.verdict = { kind: "genuine", settle: () => Promise.reject(new Error("egress is away")) };
    const reply = await hooks.post('{"id":2}');
    assert.deepEqual([reply.status, reply.json().code], [503, "GATEWAY_WEBHOOKS_UNAVAILABLE"]);
    assert.equal((await hooks.post("{")).status, 400);
  });

  test("answers 500 and takes nothing when the verdict itself fails", async () => {
    const hooks = openHooks();
    hooks.verdict = new Error("the socket broke");
    const reply = await hooks.post('{"id":1}');
    assert.equal(reply.status, 500);
    assert.ok(!(reply.body ?? "").includes("socket"));
    assert.equal(hooks.small.forwarded.length, 0);
  });

  test("refuses pages: whatever says that a browser's page sends it, a preflight too", async () => {
    const hooks = openHooks();
    const pages: Record<string, string>[] = [
      { origin: "https://www.bakery.test" },
      { origin: "null" },
      { "sec-fetch-site": "same-origin" },
      { "sec-fetch-site": "none" },
    ];
    for (const headers of pages) {
      const reply = await hooks.post('{"id":1}', headers);
      assert.equal(reply.json().code, "GATEWAY_ORIGIN_REFUSED", JSON.stringify(headers));
    }
    const preflight = await hooks.small.call({
      method: "OPTIONS",
      target: "/api/hook",
      headers: { origin: "https://www.bakery.test", "access-control-request-method": "POST" },
    });
    assert.equal(preflight.json().code, "GATEWAY_ORIGIN_REFUSED");
    assert.equal(hooks.asked.length, 0);
  });

  test("asks nobody about what is too much, too often, or of another type", async () => {
    const hooks = openHooks({ limit: "3/min per client" });
    assert.equal((await hooks.post(`{"id":${"1".repeat(100)}}`)).status, 413);
    assert.equal((await hooks.post("{}", { "content-type": "text/plain" })).status, 415);
    assert.equal((await hooks.post('{"id":1}')).status, 200);
    assert.equal((await hooks.post('{"id":1}')).status, 429);
    assert.equal(hooks.asked.length, 1);
  });

  test("says in words what it passes", () => {
    const { small } = openHooks();
    const steps = small.gateway.explain("POST /api/hook")?.steps ?? [];
    const [signature, body] = ["signature", "body"].map((name) =>
      steps.findIndex(({ check }) => check === name),
    );
    assert.ok(signature !== undefined && body !== undefined && signature > 0 && signature < body);
    assert.match(steps[signature]?.passes ?? "", /Slack.*CHAT_KEY/);
    assert.match(steps.find(({ check }) => check === "origin")?.passes ?? "", /no page/);
  });
});
