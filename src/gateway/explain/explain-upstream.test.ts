import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { everyone, signedIn } from "../../contract/index.ts";
import type { ContractRoute, ContractUpstream } from "../../contract/index.ts";
import { explainCache } from "./explain-cache.ts";
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

test("what it is told of a client is told, and of whose answers are kept that it is not", () => {
  const declared: ContractUpstream = {
    ...upstream,
    clientCertificate: { certFile: "a.pem", keyFile: "a.key" },
    forwardClient: "forwarded",
    trace: "continue",
  };
  assert.equal(
    explainUpstream(route, declared),
    "shop answers 2xx within 700 ms; is shown the gateway's certificate; is told the client's address (forwarded); is told the client's trace, or a new one",
  );
  const cache = { seconds: 1, staleIfErrorSeconds: 0, notFoundSeconds: 0, browserSeconds: 0 };
  assert.equal(
    explainUpstream({ ...route, cache }, declared),
    "shop answers 2xx within 700 ms; is shown the gateway's certificate; is told a new trace",
  );
});

test("what is kept is told, with what it is found again by", () => {
  const cache = { seconds: 60, staleIfErrorSeconds: 600, notFoundSeconds: 5, browserSeconds: 0 };
  const headers = z.object({ "x-version": z.string() });
  const kept = { ...route, access: everyone, cache, headers };
  assert.deepEqual(explainCache(kept), {
    check: "kept answer",
    passes:
      "an answer for the same path and query, x-version that is at most 60 s old; if the upstream fails, 600 s older; that there is nothing, for 5 s",
    otherwise: "the upstream is asked, once for all who ask the same",
  });
  assert.match(
    (explainCache({ ...kept, access: signedIn }) || { passes: "" }).passes,
    /x-version, who calls that/,
  );
  assert.equal(explainCache(route), false);
});
