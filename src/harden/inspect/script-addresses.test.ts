import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { findAddedAddresses, findHosts } from "./script-addresses.ts";

// Written here in the manner of what services hand out: an element made by a name or a parameter, its address assigned or handed over.
const snippets: Record<string, [script: string, address: string]> = {
  "an address that is assigned": [
    `var t = document.createElement("script"); t.src = "https://video.example/iframe_api"; document.head.append(t);`,
    "https://video.example/iframe_api",
  ],
  "one that goes on with something": [
    `(function (w, d, s, l, i) { var j = d.createElement(s); j.async = true; j.src = 'https://tags.example/gtm.js?id=' + i; d.body.append(j); })(window, document, 'script', 'l', 'X-1')`,
    "https://tags.example/gtm.js?id=",
  ],
  "one that is handed over": [
    `!function (f, b, e, v, t) { t = b.createElement(e); t.async = !0; t.src = v; b.head.append(t); }(window, document, 'script', 'https://pixel.example/events.js')`,
    "https://pixel.example/events.js",
  ],
  "one with a name": [
    `var u = "//stats.example/"; var g = document.createElement("script"); g.src = u + "stats.js"; document.head.append(g);`,
    "//stats.example/stats.js",
  ],
  "one whose rest is made up": [
    `var u = "//stats.example/"; var g = document.createElement("script"); g.src = u + version; document.head.append(g);`,
    "//stats.example/",
  ],
  "a counting picture": [`new Image().src = "https://count.example/p?x=" + 1`, "https://count.example/p?x="],
  "an attribute": [
    `const f = document.createElement("iframe"); f.setAttribute("src", "https://frame.example/");`,
    "https://frame.example/",
  ],
};

suite("What a script would add from other sites is seen:", () => {
  for (const [name, [script, address]] of Object.entries(snippets))
    test(name, () => assert.deepEqual(findAddedAddresses(script), [address]));
});

test("addresses that nothing is added from are not told", () => {
  for (const script of [
    `fetch("https://api.example/v1.json").then((answer) => answer.json())`,
    `throw Error("see https://docs.example/errors.js")`,
    `el = document.createElement("a"); el.href = "https://www.example.com/";`,
    `document.createElementNS("http://www.w3.org/2000/svg", "svg")`,
    `img = new Image(); img.src = "/local.png"; // https://comment.example/`,
  ])
    assert.deepEqual(findAddedAddresses(script), [], script);
});

test("hosts are found wherever an address stands in a script, and nowhere else", () => {
  assert.deepEqual(
    findHosts(
      String.raw`u = "https://Tags.Example/x.js"; v = '//cdn.example:8443'; w = "https:\/\/json.example\/y"; // http://comment.example`,
    ),
    ["tags.example", "cdn.example:8443", "json.example", "comment.example"],
  );
  assert.deepEqual(
    findHosts("a = b //c.d(e); f = /\\/\\//g; // plain words.\ng = 1 / 2; // see mail//me@mail.example"),
    ["c.d"],
  );
});
