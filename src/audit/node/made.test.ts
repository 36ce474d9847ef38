import assert from "node:assert/strict";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import { testCertificate } from "../fixtures/certificate.ts";
import { startSite } from "../fixtures/site.ts";
import { divideTime } from "./ending.ts";
import { openMade } from "./made.ts";
import { openContext } from "./open-context.ts";

const path = "/api/contact";

test("what is under way when it ends is waited for; afterwards nothing is asked, and the plan makes nothing", async (t) => {
  const site = await startSite();
  t.after(() => site.close());
  const { ca, cert, key } = await testCertificate();
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<() => void>();
  const server = createServer({ cert, key }, (request, response) => {
    request.resume();
    arrive(() => response.writeHead(200, { "content-type": "application/json" }).end("{}"));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const route = site.contract.routes.find((each) => each.path === path && each.method === "POST");
  assert.ok(route !== undefined);
  let samples = 0;
  const body = (): unknown => ({ count: ++samples });
  const plan = { samples: { [route.key]: { body } } };
  const made = await openMade({ plan }, divideTime(240_000, false));
  const interrupt = new AbortController();
  const opened = await openContext({
    contract: site.contract,
    plan: made.plan,
    target: new URL(`https://localhost:${(server.address() as AddressInfo).port}`),
    ca,
    root: tmpdir(),
    isSilent: true,
    signal: interrupt.signal,
  });
  t.after(() => opened.close());
  const context = made.watch(opened.context, opened.over);
  const sample = made.plan.samples?.[route.key]?.body as () => unknown;
  const input = { body: sample() };
  const calling = context.caller.call({ route, input });
  const answer = await arrived;
  interrupt.abort();
  let isSettled = false;
  const settled = made.settle().then(() => (isSettled = true));
  for (let turns = 0; turns < 20; turns++) await turn();
  assert.equal(isSettled, false, "it waits for the answer");
  answer();
  await calling;
  await settled;
  assert.deepEqual(made.left, { [route.key]: 1 });
  await assert.rejects(context.caller.call({ route, input }), { code: "AUDIT_INTERRUPTED" });
  assert.throws(sample, { code: "AUDIT_INTERRUPTED" });
  assert.equal(samples, 1);
});
