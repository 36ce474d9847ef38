import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { refuseIssues } from "./refusal.ts";

const faultsOf = (schema: z.ZodType, value: unknown): string[] => {
  const { error } = schema.safeParse(value);
  return (
    refuseIssues("", error?.issues ?? []).errors?.map(({ pointer, detail }) => `${pointer}: ${detail}`) ?? []
  );
};

test("a refusal says which object has a field that is not described, and repeats no name that its sender chose", () => {
  const schema = z.strictObject({ name: z.string(), lines: z.array(z.strictObject({ id: z.number() })) });
  const lines = [{ id: 1 }, { id: 2, price: 0 }];
  assert.deepEqual(faultsOf(schema, { name: "a", lines, admin: true, "<b>": 1 }), [
    "/lines/1: It has a field that is not described",
    ": It has a field that is not described",
  ]);
  assert.deepEqual(faultsOf(schema, { lines: [] }), ["/name: It is missing or has the wrong type"]);
});
