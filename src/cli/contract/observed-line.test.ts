import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContractRoute } from "../../contract/index.ts";
import { observedLine } from "./observed-line.ts";

const route = { limits: [{ text: "60/min per client" }], maxBodyBytes: 100 } as unknown as ContractRoute;

test("what was seen is told as the option that would let it pass", () => {
  const line = (code: string, ...fields: readonly string[]): string[] => observedLine(route, code, fields);
  assert.deepEqual(line("GATEWAY_INPUT_INVALID", "query/page", "params/id", "/items/*/count", "", "query"), [
    "query: { page: … },",
    "params: { id: … },",
    "body: allow it at /items/*/count",
    "body: declare what comes; names that a sender chose are not logged",
    "query: declare what comes",
  ]);
  assert.deepEqual(line("GATEWAY_ANSWER_INVALID", "status/409", "/price", "headers/location"), [
    "errors: { 409: z.object({ … }) },",
    "response: declare /price, or leave it out: it is dropped",
    'responseHeaders: { "location": … },',
  ]);
  assert.deepEqual(line("GATEWAY_LIMIT_REACHED"), ['limit: more than "60/min per client"']);
  assert.deepEqual(line("SOMETHING_ELSE", "x"), []);
});
