import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLearned, writeLearned } from "./learned-file.ts";
import { mergeLearned } from "./merge-learned.ts";
import type { Finding, Proposal } from "./propose.ts";

const finding = (blocked: string, ...pages: string[]): Finding => ({
  directive: "script-src-elem",
  blocked,
  reason: "a script that is not named in the page's file",
  sample: "",
  pages,
});
const site = new Set(["/index.html", "/other.html"]);
const first: Proposal = {
  classes: [
    { pages: ["/gone.html", "/index.html"], allow: { "connect-src": ["https://a.example"] } },
    { pages: ["/other.html"], allow: {} },
  ],
  findings: [
    finding("https://tags.example/x.js", "/index.html"),
    finding("https://tags.example/y.js", "/gone.html"),
  ],
};
const again = (now: Proposal, isAllowed?: (address: string) => boolean): Proposal =>
  mergeLearned(parseLearned(writeLearned(first)), now, site, isAllowed);

test("a second run that sees only what is new leaves the file whole: sources and findings of the first stay", () => {
  const merged = again({
    classes: [
      { pages: ["/index.html"], allow: { "connect-src": ["https://b.example"], "img-src": ["data:"] } },
    ],
    findings: [
      finding("https://tags.example/x.js", "/other.html"),
      finding("https://tags.example/z.js", "/other.html"),
    ],
  });
  assert.deepEqual(merged.classes, [
    {
      pages: ["/index.html"],
      allow: { "connect-src": ["https://a.example", "https://b.example"], "img-src": ["data:"] },
    },
    { pages: ["/other.html"], allow: {} },
  ]);
  assert.deepEqual(
    merged.findings.map(({ blocked, pages }) => [blocked, ...pages]),
    [
      ["https://tags.example/x.js", "/index.html", "/other.html"],
      ["https://tags.example/z.js", "/other.html"],
    ],
  );
  parseLearned(writeLearned(merged));
});

test("a run that visits nothing takes nothing away but pages that are gone", () => {
  const { classes, findings } = again({ classes: [], findings: [] });
  assert.deepEqual(
    classes.flatMap(({ pages }) => pages),
    ["/index.html", "/other.html"],
  );
  assert.equal(findings.length, 1);
  assert.equal(
    writeLearned(again({ classes: [], findings: [] })),
    writeLearned(again({ classes, findings })),
  );
});

test("a script that may be added by now is no finding any more", () => {
  const { findings } = again(
    { classes: [], findings: [] },
    (address) => address === "https://tags.example/x.js",
  );
  assert.deepEqual(findings, []);
});
