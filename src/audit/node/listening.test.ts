import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startExchangeSite } from "../fixtures/site.ts";
import type { TestSite } from "../fixtures/site.ts";
import { createWire } from "./wire.ts";
import type { OpenWire } from "./wire.ts";

let site: TestSite;
let quiet: TestSite;
const wires: OpenWire[] = [];

before(async () => {
  site = await startExchangeSite();
  quiet = await startExchangeSite("keeps quiet");
});

after(async () => {
  for (const wire of wires) wire.close();
  await site?.close();
  await quiet?.close();
});

function wireTo({ target, ca }: TestSite, timeoutMs = 20_000): OpenWire {
  const wire = createWire({ target, ca, timeoutMs });
  wires.push(wire);
  return wire;
}

for (const protocol of ["http/1.1", "h2"] as const) {
  const request = { method: "GET", path: "/api/oven", protocol };

  test(`${protocol}: an answer that never ends is taken as far as it came, once an event has`, async () => {
    const response = await wireTo(site).send({ ...request, listen: { maxMs: 10_000, maxEvents: 1 } });
    assert.equal(response.status, 200);
    assert.match(response.text(), /event: batch/);
    assert.ok(response.truncated);
  });

  test(`${protocol}: one that says nothing is left when its time is up, and that is no failure`, async () => {
    const response = await wireTo(quiet).send({ ...request, listen: { maxMs: 50, maxEvents: 1 } });
    assert.equal(response.status, 200);
    assert.equal(response.text(), ":\n\n");
  });

  test(`${protocol}: one that is silent after its first event is not waited for any longer`, async () => {
    const response = await wireTo(site).send({
      ...request,
      listen: { maxMs: 10_000, maxEvents: 20, quietMs: 50 },
    });
    assert.match(response.text(), /event: batch/);
  });

  test(`${protocol}: where nobody asked to listen, an answer that never ends is none`, async () => {
    await assert.rejects(wireTo(site, 600).send(request), { code: "AUDIT_TARGET_UNREACHABLE" });
  });
}
