import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { compileLifetime } from "./storable.ts";

const cache = { seconds: 60, staleIfErrorSeconds: 100, notFoundSeconds: 5, browserSeconds: 0 };
const judge = compileLifetime({ cache, headers: z.object({ "x-version": z.string() }), cookies: undefined });
const seconds = (headers: object, status = 200): string => {
  const lifetime = judge(status, headers as never);
  return lifetime === undefined ? "not kept" : `${lifetime.freshMs / 1000}+${lifetime.staleMs / 1000}`;
};
const date = "Tue, 15 Nov 1994 08:12:31 GMT";
const soon = "Tue, 15 Nov 1994 08:12:41 GMT";

const cases: readonly [object, string][] = [
  [{}, "60+100"],
  [{ "cache-control": "max-age=10" }, "10+100"],
  [{ "cache-control": "MAX-AGE=10" }, "10+100"],
  [{ "cache-control": "max-age=600" }, "60+100"],
  [{ "cache-control": "max-age=10, max-age=20" }, "10+100"],
  [{ "cache-control": ["max-age=20", "max-age=10"] }, "10+100"],
  [{ "cache-control": 'max-age="10"' }, "10+100"],
  [{ "cache-control": "max-age=10, s-maxage=20" }, "20+0"],
  [{ "cache-control": "max-age=10, stale-if-error=7" }, "10+7"],
  [{ "cache-control": "max-age=10, stale-if-error=7000" }, "10+100"],
  [{ "cache-control": "max-age=10, must-revalidate" }, "10+0"],
  [{ "cache-control": "max-age=0" }, "not kept"],
  [{ "cache-control": "max-age=ten" }, "not kept"],
  [{ "cache-control": "max-age=-1" }, "not kept"],
  [{ "cache-control": "max-age=1.5" }, "not kept"],
  [{ "cache-control": "max-age" }, "not kept"],
  [{ "cache-control": 'no-cache="set-cookie"' }, "not kept"],
  [{ "cache-control": "public, no-store" }, "not kept"],
  [{ "cache-control": "private" }, "not kept"],
  [{ "cache-control": "no-store; max-age=60" }, "not kept"],
  [{ "cache-control": "max-age = 0" }, "not kept"],
  [{ "cache-control": '"no-store"' }, "not kept"],
  [{ "cache-control": "public no-cache" }, "not kept"],
  [{ "cache-control": "max-age=10,, public," }, "10+100"],
  [{ "cache-control": 'max-age=10, ext="a"' }, "10+100"],
  [{ "cache-control": `x="${"y".repeat(5000)}"` }, "not kept"],
  [{ age: "50" }, "60+100"],
  [{ "cache-control": "max-age=60", age: "50" }, "10+100"],
  [{ "cache-control": "max-age=60", age: "60" }, "not kept"],
  [{ age: "many" }, "not kept"],
  [{ expires: soon, date }, "10+100"],
  [{ expires: "0", date }, "not kept"],
  [{ expires: soon }, "not kept"],
  [{ expires: date, date, "cache-control": "max-age=10" }, "10+100"],
  [{ pragma: "no-cache" }, "not kept"],
  [{ vary: "" }, "60+100"],
  [{ vary: "Accept-Encoding, Origin, X-Version" }, "60+100"],
  [{ vary: ["accept", "x-other"] }, "not kept"],
  [{ vary: "cookie" }, "not kept"],
  [{ vary: "request-id" }, "not kept"],
  [{ vary: "*" }, "not kept"],
  [{ "set-cookie": "a=b", "cache-control": "public, max-age=60" }, "not kept"],
];

for (const [headers, expected] of cases)
  test(`${JSON.stringify(headers).slice(0, 80)}: ${expected}`, () =>
    assert.equal(seconds(headers), expected));

test("of other statuses only that there is nothing, which stands in for nobody", () => {
  assert.equal(seconds({}, 404), "5+0");
  assert.equal(seconds({}, 410), "5+0");
  for (const status of [201, 203, 206, 301, 304, 400, 401, 403, 500, 503])
    assert.equal(seconds({}, status), "not kept");
});
