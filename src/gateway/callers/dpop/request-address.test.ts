import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { compileAddressCheck } from "./request-address.ts";

const origin = "https://www.bakery.test";
const isAddress = compileAddressCheck(origin);

suite("The address of a proof", () => {
  test("is the request's, by syntax and scheme (RFC 9449 §4.3, RFC 3986 §6.2.2 and §6.2.3)", () => {
    for (const htu of [
      `${origin}/api/orders`,
      `${origin}/api/orders?a=b`,
      `${origin}/api/orders#part`,
      `${origin}/api/orders?a=b#part`,
      "HTTPS://WWW.Bakery.TEST/api/orders",
      `${origin}:443/api/orders`,
      `${origin}/api/%6frders`,
      `${origin}/api/./orders`,
      `${origin}/other/../api/orders`,
    ])
      assert.ok(isAddress(htu, "/api/orders"), htu);
    assert.ok(isAddress(`${origin}/api/a%2Cb%c3%a9`, "/api/a%2cb%C3%A9"));
    assert.ok(isAddress(`${origin}/api/~a`, "/api/%7Ea"));
    assert.ok(isAddress(origin, "/"));
  });

  test("is not another's, however near it lies", () => {
    for (const htu of [
      `${origin}/api/orders/`,
      `${origin}/api/Orders`,
      `${origin}//api/orders`,
      `${origin}/api%2Forders`,
      `${origin}./api/orders`,
      `${origin}:8443/api/orders`,
      `${origin}:443443/api/orders`,
      "http://www.bakery.test/api/orders",
      "https://bakery.test/api/orders",
      "https://www.bakery.test.evil.test/api/orders",
      "https://www.bakery.test@evil.test/api/orders",
      "https://evil.test@www.bakery.test/api/orders",
      "https://evil.test\\@www.bakery.test/api/orders",
      "https:\\\\www.bakery.test\\api\\orders",
      "https:/www.bakery.test/api/orders",
      "https:www.bakery.test/api/orders",
      "//www.bakery.test/api/orders",
      "/api/orders",
      ` ${origin}/api/orders`,
      `${origin}/api/orders\n`,
      `${origin}/api/or\tders`,
      `${origin}/api/orders\u0000`,
      "https://www.bäkery.test/api/orders",
      "https://www.bakery\u3002test/api/orders",
      `${origin}/api/orders${"/.".repeat(2000)}`,
      "",
      "*",
    ])
      assert.ok(!isAddress(htu, "/api/orders"), JSON.stringify(htu));
    for (const htu of [undefined, null, 7, true, [`${origin}/api/orders`], { href: `${origin}/api/orders` }])
      assert.ok(!isAddress(htu, "/api/orders"), JSON.stringify(htu));
  });

  test("with an escape more or less is the same only if nothing else than its spelling changed", () => {
    const path = fc
      .array(
        fc.constantFrom("a", "Z", "0", "-", ".", "_", "~", "%41", "%2d", "%2F", "%2f", "!", "%21", "%c3"),
        {
          minLength: 1,
          maxLength: 12,
        },
      )
      .map((parts) => `/${parts.join("")}`)
      .filter((text) => !/\/\.{1,2}$/.test(text.replaceAll(/%2e/gi, ".")));
    /** RFC 3986 §6.2.2, written another way: into characters and escapes, one by one. */
    const meaning = (text: string): string =>
      (text.match(/%..|./g) ?? [])
        .map((one) => {
          const byte = one.length === 3 ? Number.parseInt(one.slice(1), 16) : one.charCodeAt(0);
          const isPlain = /^[A-Za-z0-9._~-]$/.test(String.fromCharCode(byte));
          return isPlain ? `plain ${byte}` : `${one.length} ${byte}`;
        })
        .join();
    fc.assert(
      fc.property(path, path, (one, other) => {
        assert.equal(isAddress(origin + one, other), meaning(one) === meaning(other));
      }),
      { numRuns: 500 },
    );
  });
});
