import assert from "node:assert/strict";
import { test } from "node:test";
import { canBeHttp2, createTurns } from "./protocols.ts";
import type { ProbeRequest } from "../probes/probe.ts";

const plain: ProbeRequest = {
  method: "GET",
  path: "/api/orders?of=1",
  headers: [["accept", "application/json"]],
};

test("what a check asks twice each time is asked over both protocols, and always in the same order", () => {
  const asked = (): string[] => {
    const turn = createTurns(["http/1.1", "h2"]);
    return Array.from({ length: 24 }, () => turn(plain, "GET /api/orders"));
  };
  const order = asked();
  assert.deepEqual(asked(), order);
  for (const period of [1, 2, 3, 4])
    for (let start = 0; start < period; start++)
      assert.equal(new Set(order.filter((_, index) => index % period === start)).size, 2, `every ${period}`);
});

test("each route has turns of its own, and a target without HTTP/2 has none", () => {
  const turn = createTurns(["http/1.1", "h2"]);
  const first = turn(plain, "a");
  turn(plain, "a");
  assert.equal(turn(plain, "b"), first);
  const alone = createTurns(["http/1.1"]);
  assert.deepEqual([alone(plain, "a"), alone(plain, "a")], ["http/1.1", "http/1.1"]);
});

test("what HTTP/2 can't say as it was written is left to HTTP/1.1", () => {
  assert.ok(canBeHttp2(plain));
  for (const bent of [
    { method: "get" },
    { method: "CONNECT" },
    { path: "/a b" },
    { path: "/\u00e9" },
    { at: "https://127.0.0.1:1" },
    { headers: [["Host", "other"]] },
    { headers: [["transfer-encoding", "chunked"]] },
    { headers: [["content-length", "5"]] },
    {
      headers: [
        ["authorization", "a"],
        ["Authorization", "b"],
      ],
    },
    { headers: [["x-a", " a"]] },
    { headers: [["x-a", "\u00e9"]] },
    { headers: [["x-a", "a".repeat(9000)]] },
  ] satisfies Partial<ProbeRequest>[] as Partial<ProbeRequest>[])
    assert.ok(!canBeHttp2({ ...plain, ...bent }), JSON.stringify(bent).slice(0, 80));
});
