import assert from "node:assert/strict";
import { test } from "node:test";
import type { SecurityEvent } from "../../contract/index.ts";
import { countEvents } from "./count-events.ts";

test("whoever asks for a thousand names that there are not is told up to a number, and hides no value that is given out", () => {
  const events: SecurityEvent[] = [];
  const report = countEvents((event) => void events.push(event));
  for (let count = 0; count < 1000; count++)
    report({ type: "vault.secret.denied", time: 7, name: `NAME_${count}`, to: "egress" });
  assert.equal(events.length, 201);
  for (const name of ["ONE", "OTHER"])
    for (let count = 0; count < 3; count++)
      report({ type: "vault.secret.read", time: 7, name, version: 1, to: "egress" });
  assert.deepEqual(
    events.slice(201).map((event) => "name" in event && event.name),
    ["ONE", "OTHER"],
  );
});
