import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { serializePolicy } from "./policy.ts";
import { exactSource, secureOrigin } from "../site/site-view.ts";

suite("sources of a policy", () => {
  test("that would be read as two, or as a directive, are refused where the policy is written", () => {
    for (const source of [
      "https://a;script-src-elem",
      "https://a,b",
      "'self' https://a",
      "https://a\tb",
      "",
      "é",
    ])
      assert.throws(
        () => serializePolicy(new Map([["frame-src", ["'self'", source]]])),
        { code: "HARDEN_OPTION_INVALID" },
        source,
      );
    assert.equal(
      serializePolicy(new Map([["frame-src", ["'self'", "https://a.example/x%3B"]]])),
      "frame-src 'self' https://a.example/x%3B",
    );
  });

  test("name one origin, whatever stands in an address, or none", () => {
    for (const [address, expected] of [
      ["http://a.example:8080/x", "https://a.example:8080"],
      ["ws://my_bucket.example", "wss://my_bucket.example"],
      ["https://127.0.0.1", "https://127.0.0.1"],
      ["https://*", undefined],
      ["https://a;b", undefined],
      ["https://a,b", undefined],
      ["https://a'b", undefined],
      ["https://[::1]", undefined],
      ["blob:https://a.example/x", undefined],
    ] as const)
      assert.equal(secureOrigin(new URL(address)), expected, address);
  });

  test("of any address at all can be written", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.webUrl(),
          fc.string().map((text) => `https://${text}`),
        ),
        (text) => {
          const source = URL.canParse(text) ? exactSource(new URL(text)) : undefined;
          if (source === undefined) return;
          assert.equal(serializePolicy(new Map([["img-src", [source]]])), `img-src ${source}`);
          assert.match(source, /^https:\/\/[\w.:-]+\//);
        },
      ),
    );
  });
});
