import assert from "node:assert/strict";
import { test } from "node:test";
import { shareOfLimits } from "./share-of-limits.ts";

test("few threads share the connections of an address evenly", () => {
  assert.deepEqual(shareOfLimits(1), { maxConnections: 10_000, maxConnectionsPerAddress: 256 });
  assert.deepEqual(shareOfLimits(2), { maxConnections: 5000, maxConnectionsPerAddress: 128 });
});

test("however many threads there are, an address may hold 64 connections on each", () => {
  assert.equal(shareOfLimits(4).maxConnectionsPerAddress, 64);
  assert.equal(shareOfLimits(16).maxConnectionsPerAddress, 64);
  assert.equal(shareOfLimits(128).maxConnectionsPerAddress, 64);
});
