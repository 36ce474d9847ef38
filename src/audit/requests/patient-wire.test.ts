import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProbeResponse, Wire } from "../probes/probe.ts";
import { patientWire } from "./patient-wire.ts";

const answer = (status: number, body = ""): ProbeResponse => ({
  protocol: "http/1.1",
  status,
  headers: [["retry-after", "1"]],
  body: new Uint8Array(),
  truncated: false,
  durationMs: 1,
  header: () => "1",
  text: () => body,
});
const overloaded = answer(503, '{"code":"GATEWAY_OVERLOADED"}');
const busy = answer(503, '{"code":"GATEWAY_BUSY"}');

/** Sends one request to a target that answers in order. Tells its status, how often it was sent, and how long was waited. */
async function send(
  answers: ProbeResponse[],
  remainingMs = 30_000,
): Promise<[status: number, sent: number, naps: number[]]> {
  const naps: number[] = [];
  let sent = 0;
  const wire: Wire = {
    canChangeClient: false,
    send: async () => answers[sent++] ?? answer(200),
    abandon: () => assert.fail("nobody goes away"),
    connect: () => assert.fail("nobody asks for one"),
    sendRaw: async () => answer(400),
    trickle: async () => ({ ended: true, afterMs: 1, received: new Uint8Array() }),
  };
  const patient = patientWire(wire, {
    sleep: async (milliseconds) => void naps.push(milliseconds),
    remainingMs: () => remainingMs,
  });
  const { status } = await patient.send({ method: "GET", path: "/" });
  return [status, sent, naps];
}

test("What a target turned away before it counted it is sent again a moment later", async () => {
  assert.deepEqual(await send([overloaded, answer(404)]), [404, 2, [1100]]);
});

test("What it says for ever is its answer, and so is what there is no time for", async () => {
  assert.deepEqual(await send([overloaded, overloaded, overloaded]), [503, 3, [1100, 1100]]);
  assert.deepEqual(await send([overloaded], 3000), [503, 1, []]);
});

test("What was counted, or failed for another reason, is not sent again", async () => {
  for (const other of [busy, answer(503), answer(429), answer(502)])
    assert.deepEqual(await send([other]), [other.status, 1, []]);
});
