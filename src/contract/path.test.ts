import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { methods, paramNames, parseRouteKey } from "./path.ts";

const method = fc.constantFrom(...methods);
const text = fc.stringMatching(/^[A-Za-z0-9._~-]{1,12}$/).filter((part) => part !== "." && part !== "..");
const param = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,9}$/);
const segment = fc.oneof(
  text.map((fixed) => ({ text: fixed })),
  param.map((name) => ({ param: name })),
);

test("a route's key is split into its method and segments", () => {
  fc.assert(
    fc.property(method, text, fc.array(segment, { maxLength: 5 }), (name, first, rest) => {
      const segments = [{ text: first }, ...rest];
      const path = segments.map((part) => ("text" in part ? `/${part.text}` : `/:${part.param}`)).join("");
      assert.deepEqual(parseRouteKey(`${name} ${path}`), { method: name, path, segments });
      assert.deepEqual(
        paramNames(segments),
        rest.flatMap((part) => ("param" in part ? [part.param] : [])),
      );
    }),
  );
});

test("whatever text it is given, the parser answers with parts or with what is wrong, and parts give the text back", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.string().map((tail) => `GET /${tail}`),
      ),
      (key) => {
        const parts = parseRouteKey(key);
        if (typeof parts === "string") assert.notEqual(parts, "");
        else assert.equal(`${parts.method} ${parts.path}`, key);
      },
    ),
  );
});

const refused: [key: string, why: RegExp][] = [
  ["", /begin with one of GET/],
  ["/api/products", /begin with one of GET/],
  ["get /api/products", /begin with one of GET/],
  ["HEAD /api/products", /begin with one of GET/],
  ["OPTIONS /api/products", /begin with one of GET/],
  ["GET\t/api/products", /begin with one of GET/],
  ["GET api/products", /begin with \//],
  ["GET /", /at least one segment/],
  ["GET  /api", /begin with \//],
  ["GET /api/", /"" is not a path segment: a path has no empty ones, and doesn't end with \/$/],
  ["GET /api/{id}", /"\{id\}" is not a path segment: a parameter is written ":id"$/],
  ["GET /api/[...rest]", /a parameter is written ":rest"$/],
  ["GET /api/{a-b}", /use letters, digits/],
  ["GET //api", /is not a path segment/],
  ["GET /api/../admin", /is not a path segment/],
  ["GET /api/./x", /is not a path segment/],
  ["GET /api/%2e%2e", /is not a path segment/],
  ["GET /api/x?y=1", /is not a path segment/],
  ["GET /api/x#y", /is not a path segment/],
  ["GET /api/*", /is not a path segment/],
  ["GET /api/a b", /is not a path segment/],
  ["GET /api/a\\b", /is not a path segment/],
  ["GET /api/ä", /is not a path segment/],
  ["GET /api/:", /is not a parameter's name/],
  ["GET /api/:1", /is not a parameter's name/],
  ["GET /api/:a-b", /is not a parameter's name/],
  ["GET /api/:a?", /is not a parameter's name/],
  ["GET /api/::a", /is not a parameter's name/],
  ["GET /:page", /first segment must be fixed/],
];

for (const [key, why] of refused) {
  test(`${JSON.stringify(key)} is no route's key`, () => {
    const parts = parseRouteKey(key);
    assert.match(typeof parts === "string" ? parts : "accepted", why);
  });
}
