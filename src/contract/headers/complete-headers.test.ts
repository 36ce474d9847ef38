import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { completeHeaders } from "./complete-headers.ts";
import { inertPolicy, securityHeaders } from "./security-headers.ts";
import type { Header } from "./security-headers.ts";

const valuesOf = (headers: readonly Header[], wanted: string): string[] =>
  headers.filter(([name]) => name === wanted).map(([, value]) => value);

suite("the headers that a file is sent with", () => {
  test("one that brings none gets them all, and a policy under which nothing runs", () => {
    const type: Header = ["content-type", "text/plain"];
    assert.deepEqual(completeHeaders([type], false), [type, ...securityHeaders(inertPolicy)]);
  });

  test("what it brings stays, each name once", () => {
    const own: Header[] = [
      ["content-security-policy", "default-src 'none'"],
      ["x-frame-options", "SAMEORIGIN"],
    ];
    const headers = completeHeaders(own, false);
    assert.deepEqual(headers.slice(0, 2), own);
    const names = headers.map(([name]) => name);
    assert.deepEqual(names, [...new Set(names)]);
    assert.equal(headers.length, securityHeaders("").length);
  });

  test("Vary names the encoding where there is a choice, beside what it names already, once (RFC 9110 §12.5.5)", () => {
    const vary = (value: string | undefined, varies: boolean): string[] =>
      valuesOf(completeHeaders(value === undefined ? [] : [["vary", value]], varies), "vary");
    assert.deepEqual(vary(undefined, false), []);
    assert.deepEqual(vary(undefined, true), ["accept-encoding"]);
    assert.deepEqual(vary("origin", false), ["origin"]);
    assert.deepEqual(vary("origin", true), ["origin, accept-encoding"]);
    assert.deepEqual(vary("Accept-Encoding, origin", true), ["Accept-Encoding, origin"]);
    assert.deepEqual(vary("*", true), ["*"]);
  });
});
