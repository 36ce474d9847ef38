import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContractRoute, ContractUpstream } from "../contract/index.ts";
import { explainUpstream } from "./explain-upstream.ts";

const route = { to: "shop", method: "GET", timeoutMs: 700 } as unknown as ContractRoute;
const upstream: ContractUpstream = {
  name: "shop",
  url: new URL("https://a.internal"),
  timeoutMs: 700,
  maxResponseBytes: 1,
  caFile: undefined,
};

test("an upstream that declares nothing is told in a few words", () => {
  assert.equal(explainUpstream(route, upstream), "shop answers 2xx within 700 ms");
});

test("addresses, health checks and what is sent again are told where they are so", () => {
  const declared: ContractUpstream = {
    ...upstream,
    alternates: [new URL("https://b.internal")],
    network: "private",
    retries: 2,
    retryOn: [503],
    health: { path: "/healthz", everyMs: 5000 },
  };
  assert.equal(
    explainUpstream(route, declared),
    "shop answers 2xx within 700 ms; the one of 2 URLs with the fewest requests under way; at private addresses only; " +
      "past addresses whose /healthz fails; sent again 2 times at most, if its connection breaks or 503",
  );
  assert.ok(!explainUpstream({ ...route, method: "POST" }, declared).includes("again"));
  assert.ok(explainUpstream({ ...route, method: "PUT", idempotent: true }, declared).includes("again"));
});
