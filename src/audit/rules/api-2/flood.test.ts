import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { Limit } from "../../../contract/index.ts";
import { createWire } from "../../node/wire.ts";
import { enoughFor, floodFull } from "./flood.ts";
import type { Flood } from "./flood.ts";

const limitOf = (text: string, burst: number, count: number, windowSeconds: number): Limit => ({
  text,
  by: "client",
  burst,
  count,
  windowSeconds,
});
const fivePerMinute = limitOf("5/min per client", 5, 5, 60);

/**
 * Floods a server that takes everybody for one client, whose limit was used up before. Time goes on while somebody waits, and not otherwise: so much of
 * the limit comes back with it as `grows` says.
 */
async function floodOf(
  limit: Limit,
  { left = 0, grows = true } = {},
): Promise<{ flooded: Flood; naps: number[] }> {
  const naps: number[] = [];
  let [tokens, now] = [left, 0];
  const server = createServer((_request, response) => {
    response.statusCode = tokens >= 1 ? 200 : 429;
    tokens = Math.max(0, tokens - 1);
    response.end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const wire = createWire({ target: new URL(`http://127.0.0.1:${port}`) });
  const sleep = async (milliseconds: number): Promise<void> => {
    naps.push(milliseconds);
    now += milliseconds;
    if (grows)
      tokens = Math.min(limit.burst, tokens + (milliseconds / 1000) * (limit.count / limit.windowSeconds));
  };
  try {
    const flooded = await floodFull({ wire, sleep, now: () => now }, { limit }, enoughFor({ limit }), () => ({
      method: "GET",
      path: "/",
    }));
    return { flooded, naps };
  } finally {
    wire.close();
    server.close();
    server.closeAllConnections();
  }
}

test("a limit that was used up before is flooded once it is whole again", async () => {
  const { flooded, naps } = await floodOf(fivePerMinute);
  assert.deepEqual(naps, [60_000]);
  assert.deepEqual(
    [flooded.admitted, flooded.refused, flooded.failed],
    [5, enoughFor({ limit: fivePerMinute }) - 5, 0],
  );
});

test("a limit of which something is left is flooded as it is", async () => {
  const { flooded, naps } = await floodOf(fivePerMinute, { left: 2 });
  assert.deepEqual(naps, []);
  assert.equal(flooded.admitted, 2);
});

test("who never admits anybody is asked twice, not for ever", async () => {
  const { flooded, naps } = await floodOf(fivePerMinute, { grows: false });
  assert.deepEqual(naps, [60_000]);
  assert.deepEqual([flooded.admitted, flooded.refused], [0, enoughFor({ limit: fivePerMinute })]);
});

test("a limit that takes longer than a minute to come back is not waited for", async () => {
  const { flooded, naps } = await floodOf(limitOf("6/h per client", 6, 6, 3600));
  assert.deepEqual([flooded.admitted, naps], [0, []]);
});
