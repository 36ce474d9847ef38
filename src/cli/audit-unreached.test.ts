import assert from "node:assert/strict";
import { test } from "node:test";
import { check, row, sampleReport } from "../audit/fixtures/report.ts";
import { renderReport } from "./audit-report.ts";

test("why a target was not reached stands at the top and nowhere else, with what starts it on a line of its own", () => {
  const why = "nothing answers at https://localhost:9899 (ECONNREFUSED); start it with  npm start";
  const missing = row("API-1", "Every endpoint", check("a token", "missing", { reason: why }));
  const { release: _, ...report } = sampleReport();
  const text = renderReport({ ...report, rows: [missing], unreachable: why });
  assert.match(
    text,
    /^Audit of .*\nThe target was not reached: nothing answers at https:\/\/localhost:9899 \(ECONNREFUSED\);\s+start it\s+with\n {2}\$ npm start\n/,
  );
  assert.equal(text.match(/ECONNREFUSED/g)?.length, 1);
  assert.match(text, /Not checked\n {2}API-1: a token: The target was not reached/);
});
