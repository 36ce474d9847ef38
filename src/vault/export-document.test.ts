import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readDocument, writeDocument } from "./export-document.ts";
import type { ExportedSecret } from "./export-document.ts";

const name = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,63}$/);
const value = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 40 }),
  fc.string({ minLength: 1, unit: "binary" }).map((text) => Uint8Array.from(Buffer.from(text))),
);

test("What is exported is read again, byte by byte, also what is no text or begins with a byte order mark", () => {
  const secrets = fc.uniqueArray(fc.record({ name, version: fc.nat(), value }), {
    selector: (each) => each.name,
  });
  fc.assert(
    fc.property(secrets, fc.string(), fc.nat(), (list, project, exportedMs) => {
      const document = { project, environment: "preview", exportedMs, secrets: list } as const;
      const read = readDocument(writeDocument(document));
      assert.ok(typeof read !== "string");
      const shown = (secret: ExportedSecret) => [
        secret.name,
        secret.version,
        Buffer.from(secret.value).toString("hex"),
      ];
      assert.deepEqual(read.secrets.map(shown), list.map(shown));
      assert.deepEqual([read.project, read.environment, read.exportedMs], [project, "preview", exportedMs]);
    }),
  );
  const mark = { name: "A", version: 1, value: Uint8Array.from([0xef, 0xbb, 0xbf, 0x41]) };
  const read = readDocument(
    writeDocument({ project: "p", environment: "preview", exportedMs: 0, secrets: [mark] }),
  );
  assert.deepEqual(typeof read === "string" ? read : read.secrets[0]?.value, mark.value);
});

test("Anything else is told to be none, without a word of what stood in it", () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
      const read = readDocument(Buffer.from(text));
      assert.ok(typeof read === "string");
      assert.match(read, /^[A-Z][A-Za-z0-9 :,.]+\.$/);
    }),
  );
});
