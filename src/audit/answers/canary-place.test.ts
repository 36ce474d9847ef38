import assert from "node:assert/strict";
import { test } from "node:test";
import { canaryPlace } from "./canary-place.ts";

const placed = (body: string, headers: [string, string][] = []): string | undefined =>
  canaryPlace("NN-77", { headers, text: () => body });

test("a planted text is found where it stands, as a JSON pointer (RFC 6901)", () => {
  assert.equal(placed('{"id":"p-1","nationalNumber":"NN-77-1001"}'), "at /nationalNumber");
  assert.equal(placed('{"rows":[{"a/b~c":1},{"a/b~c":["x","NN-77"]}]}'), "at /rows/1/a~1b~0c/1");
  assert.equal(placed('{"NN-77":1}'), "at /NN-77");
  assert.equal(placed('{"note":"NN\\u002d77"}'), "at /note");
  assert.equal(placed('"NN-77"'), "in the answer, which is a text");
});

test("outside of JSON it stands in a header, or in the body; or nowhere", () => {
  assert.equal(placed("{}", [["x-number", "NN-77"]]), "in the header x-number");
  assert.equal(placed("data: NN-77\n\n"), "in the body");
  assert.equal(placed('{"id":"p-1"}'), undefined);
  assert.equal(placed("<p>"), undefined);
});

test("however deep it stands", () => {
  const depth = 5000;
  assert.equal(placed(`${"[".repeat(depth)}"NN-77"${"]".repeat(depth)}`), `at ${"/0".repeat(depth)}`);
});
