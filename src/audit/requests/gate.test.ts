import assert from "node:assert/strict";
import { test } from "node:test";
import { createGate } from "./gate.ts";
import type { ProbeResponse, Wire } from "../probes/probe.ts";

/** A wire whose requests are answered when told, by path. */
function createStalled(): { wire: Wire; sent: string[]; answer: (path: string) => void } {
  const sent: string[] = [];
  const answers = new Map<string, () => void>();
  const wire: Wire = {
    canChangeClient: false,
    send: ({ path }) => {
      sent.push(path);
      return new Promise(
        (resolve) => void answers.set(path, () => resolve({ status: 200 } as ProbeResponse)),
      );
    },
    abandon: () => assert.fail("nobody goes away"),
    connect: () => assert.fail("nobody asks for one"),
    sendRaw: async () => ({ status: 400 }) as ProbeResponse,
    trickle: async () => ({ ended: true, afterMs: 1, received: new Uint8Array() }),
  };
  return { wire, sent, answer: (path) => answers.get(path)?.() };
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test("Who is alone begins when what is under way has ended, and what comes meanwhile waits", async () => {
  const { wire, sent, answer } = createStalled();
  const gate = createGate();
  const gated = gate.wire(wire);
  const before = gated.send({ method: "GET", path: "/before" });
  const order: string[] = [];
  const alone = gate.alone(async () => {
    order.push("alone");
    await turn();
    order.push("over");
  });
  const meanwhile = gated.send({ method: "GET", path: "/meanwhile" });
  await turn();
  assert.deepEqual([sent, order], [["/before"], []]);
  answer("/before");
  await Promise.all([before, alone]);
  assert.deepEqual(order, ["alone", "over"]);
  await turn();
  assert.deepEqual(sent, ["/before", "/meanwhile"]);
  answer("/meanwhile");
  await meanwhile;
});

test("Handshakes wait too: who stands in a service's place for a moment is met by nobody else", async () => {
  const gate = createGate();
  const made: string[] = [];
  const note = async (what: string): Promise<never> => {
    made.push(what);
    throw new Error("no");
  };
  const tls = gate.tls({
    offer: () => note("offer"),
    connect: () => note("connect"),
    plain: () => note("plain"),
  });
  const hop = { host: "localhost", port: 1 };
  let handshakes: Promise<unknown> | undefined;
  await gate.alone(async () => {
    handshakes = Promise.allSettled([tls.connect(hop), tls.offer(hop, "TLS 1.2"), tls.plain(hop, "")]);
    await turn();
    assert.deepEqual(made, []);
  });
  await handshakes;
  assert.deepEqual(made, ["connect", "offer", "plain"]);
});

test("Two who want to be alone are so one after the other, and a failure of the first holds nobody up", async () => {
  const gate = createGate();
  const order: string[] = [];
  const first = gate.alone(async () => {
    order.push("first");
    await turn();
    throw new Error("no");
  });
  const second = gate.alone(async () => void order.push("second"));
  await assert.rejects(first, /no/);
  await second;
  assert.deepEqual(order, ["first", "second"]);
  const { wire, answer, sent } = createStalled();
  const sending = gate.wire(wire).send({ method: "GET", path: "/after" });
  await turn();
  assert.deepEqual(sent, ["/after"]);
  answer("/after");
  await sending;
});

test("Who waits goes on before the same one is alone again", async () => {
  const { wire, sent, answer } = createStalled();
  const gate = createGate();
  const gated = gate.wire(wire);
  const order: string[] = [];
  const often = (async () => {
    for (const name of ["first", "second"]) await gate.alone(async () => void order.push(name));
  })();
  const waiting = gated.send({ method: "GET", path: "/waits" }).then(() => order.push("answered"));
  while (sent.length === 0) await turn();
  answer("/waits");
  await Promise.all([waiting, often]);
  assert.deepEqual(order, ["first", "answered", "second"]);
});
