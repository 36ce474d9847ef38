import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { test } from "node:test";
import { createWire } from "../node/wire.ts";
import type { ProbeRequest, Protocol } from "../probes/probe.ts";
import { sendTogether } from "./send-together.ts";

const delivery: ProbeRequest = { method: "POST", path: "/", client: "127.0.0.9", body: "x" };

test("requests that are to come together find their connections open", async (context) => {
  const known = new Set<Socket>();
  let late = 0;
  const server = createServer((request, response) => {
    if (request.method === "POST" && !known.has(request.socket)) late++;
    known.add(request.socket);
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const wire = createWire({ target: new URL(`http://127.0.0.1:${port}`) });
  context.after(() => {
    wire.close();
    server.close();
  });
  const plain = { release: undefined, protocols: ["http/1.1"] } as const;
  const answers = await sendTogether(plain, wire.send, delivery, 8);
  assert.equal(answers.filter(({ status }) => status === 200).length, 8);
  assert.equal(known.size, 8, "each has one of its own");
  assert.equal(late, 0, `${late} requests had to wait for a connection`);
});

test("where HTTP/2 is spoken half of them share a connection, and no more than 24 have their own", async () => {
  const sharesOf = async (
    protocols: readonly [Protocol, ...Protocol[]],
    count: number,
  ): Promise<string[]> => {
    const sent: string[] = [];
    const note = async ({ method, protocol }: ProbeRequest): Promise<void> =>
      void sent.push(`${method} ${protocol}`);
    await sendTogether({ release: undefined, protocols }, note, delivery, count);
    const kinds = ["GET http/1.1", "GET h2", "POST http/1.1", "POST h2"];
    return kinds.map((kind) => `${sent.filter((one) => one === kind).length} ${kind}`);
  };
  assert.deepEqual(await sharesOf(["http/1.1", "h2"], 20), [
    "10 GET http/1.1",
    "1 GET h2",
    "10 POST http/1.1",
    "10 POST h2",
  ]);
  assert.deepEqual(await sharesOf(["http/1.1", "h2"], 810), [
    "24 GET http/1.1",
    "1 GET h2",
    "24 POST http/1.1",
    "786 POST h2",
  ]);
  assert.deepEqual(await sharesOf(["http/1.1"], 30), [
    "24 GET http/1.1",
    "0 GET h2",
    "30 POST http/1.1",
    "0 POST h2",
  ]);
});
