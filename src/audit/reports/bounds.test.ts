import assert from "node:assert/strict";
import { test } from "node:test";
import { check, exchange, row, sampleReport } from "../fixtures/report.ts";
import { toHtml } from "./html.ts";
import { toJunit } from "./junit.ts";
import { toSarif } from "./sarif.ts";

test("texts of ten million characters, whatever they are made of, come out cut in every form", async () => {
  for (const part of ["A", "1-", "<b>", "a1.", "\u{1b}[2J", "\ud800", "cwabcdefghijklmnop "]) {
    const long = part.repeat(10_000_000 / part.length);
    const url = `https://localhost:8443/${long}`;
    const evidence = [{ ...exchange(long, { url, headers: [long], body: long }, long), reproduce: long }];
    const bad = row(
      "API-7",
      "No leaks in errors",
      check(long, "failed", { failing: 1, evidence, reason: long, reproduce: long }),
    );
    for (const write of [toHtml, toJunit, toSarif]) {
      const written = await write(sampleReport(bad));
      assert.ok(
        written.length < 400_000,
        `${write.name} of ${JSON.stringify(part)}: ${written.length} characters`,
      );
      assert.doesNotMatch(written, /\u001b/);
    }
  }
});
