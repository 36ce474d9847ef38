import assert from "node:assert/strict";
import { test } from "node:test";
import { foldHeader, keyNames, partNames } from "./fold-names.ts";

test("names that some service takes for one are one, and others are not", () => {
  for (const name of ["X-Real-IP", "x_real_ip", "X.Real!IP"]) assert.equal(foldHeader(name), "x-real-ip");
  assert.notEqual(foldHeader("x-real-ip-"), "x-real-ip");
  const method = [
    ...["_method", "%5Fmethod", ".method", "%2Emethod", "+_method", "%20 _method", "[method", "_METHOD"],
    // What stands behind it is nothing, or a part of it.
    ...[
      "_method%00x",
      "_method%00%FF",
      "_method[]",
      "_method[a][b]",
      "_method%5B%5D",
      ".method[",
      "_method ",
    ],
    // Rack and qs.
    ...["[_method]", "[]_method", "%5B_method%5D", "data[_method]", "data._method"],
  ];
  for (const key of method) assert.ok(partNames(key).has("_method"), key);
  for (const key of [
    "method",
    "_method%FF",
    "__method",
    "_method2",
    "my_method",
    "payment[method]",
    "a.method",
  ])
    assert.ok(!partNames(key).has("_method"), key);
  // An opening bracket alone is a sign like others to PHP.
  assert.ok(keyNames("http[method_override").has("http_method_override"));
  for (const key of ["key", "Key", "+key", "key[]", "[key]", "key%00[x"])
    assert.ok(keyNames(key).has("key"), key);
  for (const key of ["filter[key]", "key.a", "key2"]) assert.ok(!keyNames(key).has("key"), key);
});
