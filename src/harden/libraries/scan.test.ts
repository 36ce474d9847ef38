import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { suite, test } from "node:test";
import fc from "fast-check";
import { cpuMs } from "../../../test/support/cpu-time.ts";
import { timeLimit } from "../node/time-limit.ts";
import { requiredText } from "./required-text.ts";
import { createLibraryScan } from "./scan.ts";
import type { LibraryReport, LibraryScanOptions } from "./types.ts";
import { compareVersions, isAffected } from "./versions.ts";

const sha1 = (bytes: Uint8Array): string => createHash("sha1").update(bytes).digest("hex");
const encoder = new TextEncoder();
const hashed = encoder.encode("a file that only its hash tells");

/** A feed of our own, in the format. */
const feed = {
  loafjs: {
    vulnerabilities: [
      {
        below: "2.0.0",
        severity: "high",
        identifiers: { summary: "XSS in slice()", CVE: ["CVE-2099-0001"] },
      },
      { atOrAbove: "3.0.0", below: "3.1.0", severity: "medium", identifiers: { bug: "42" } },
    ],
    extractors: {
      filecontent: ["/\\*! LoafJS v(§§version§§)"],
      filecontentreplace: ["/loaf=\\{major:([0-9]+),minor:([0-9]+)\\}/$1.$2.0/"],
      filename: ["loaf-(§§version§§)(\\.min)?\\.js"],
      uri: ["/(§§version§§)/loaf(\\.min)?\\.js"],
      hashes: { [sha1(hashed)]: "1.5.0" },
    },
  },
};
const feedDate = new Date("2026-11-01T00:00:00Z");
const now = (): Date => new Date("2026-11-22T00:00:00Z");

function scan(
  files: Record<string, string | Uint8Array>,
  addresses: readonly string[] = [],
  options: Partial<LibraryScanOptions> = {},
): LibraryReport {
  const library = createLibraryScan({ feed, feedDate, timeLimit, sha1, now, ...options });
  for (const [path, content] of Object.entries(files))
    library.inspectFile({ path, bytes: typeof content === "string" ? encoder.encode(content) : content });
  for (const address of addresses) library.inspectAddress(address);
  return library.finish();
}

const names = (report: LibraryReport): string[] =>
  report.libraries.map(({ name, version, by }) => `${name} ${version} by ${by}`);

suite("a browser library is recognised", () => {
  test("by its text, with what is known against its version", () => {
    const report = scan({ "a.js": `"use strict";\n/*! LoafJS v1.9.9 | MIT */ x()` });
    assert.equal(report.verdict, "vulnerable");
    assert.deepEqual(report.libraries, [
      {
        name: "loafjs",
        version: "1.9.9",
        where: "a.js",
        by: "content",
        vulnerabilities: [
          { severity: "high", summary: "XSS in slice()", identifiers: ["CVE-2099-0001"], fixedIn: "2.0.0" },
        ],
      },
    ]);
  });
  test("in the middle of a large bundle, and in a page", () => {
    const filler = "function f(){return 'x'}\n".repeat(20_000);
    assert.deepEqual(names(scan({ "app.js": `${filler}/*! LoafJS v1.2.3 */${filler}` })), [
      "loafjs 1.2.3 by content",
    ]);
    assert.deepEqual(names(scan({ "a.html": "<script>/*! LoafJS v3.0.1 */</script>" })), [
      "loafjs 3.0.1 by content",
    ]);
  });
  test("by a version in pieces, by its hash, by its file's name, by the address it is loaded from", () => {
    assert.deepEqual(names(scan({ "a.js": "loaf={major:1,minor:4}" })), ["loafjs 1.4.0 by content"]);
    assert.deepEqual(names(scan({ "a.js": hashed })), ["loafjs 1.5.0 by hash"]);
    assert.deepEqual(names(scan({ "js/loaf-1.1.0.min.js": "x" })), ["loafjs 1.1.0 by file-name"]);
    assert.deepEqual(names(scan({}, ["https://cdn.example/ajax/1.0.2/loaf.min.js?v=1"])), [
      "loafjs 1.0.2 by address",
    ]);
  });
  test("and passes, without a word against it, in a version that is not affected", () => {
    const report = scan({
      "a.js": "/*! LoafJS v2.0.0 */",
      "style.css": "/*! LoafJS v1.0.0 */",
      "b.js": "bread()",
    });
    assert.deepEqual([report.verdict, names(report)], ["none-known", ["loafjs 2.0.0 by content"]]);
  });
});

suite("what proves nothing is unknown", () => {
  test("an old feed, one of unknown age, one from the future", () => {
    for (const date of [new Date("2026-10-01"), undefined, new Date("2027-01-01"), new Date("nonsense")]) {
      const report = scan({ "a.js": "x" }, [], { feedDate: date });
      assert.equal(report.verdict, "unknown");
      assert.equal(report.reasons.length, 1);
    }
    assert.equal(scan({}, [], { feedDate: new Date("2026-10-01") }).feedAgeDays, 52);
  });

  test("an old feed still tells what it knows", () => {
    assert.equal(scan({ "a.js": "/*! LoafJS v1.0.0 */" }, [], { feedDate: undefined }).verdict, "vulnerable");
  });

  test("a pattern that takes forever is ended, and the file is named", () => {
    const slow = { loafjs: { extractors: { filecontent: ["loafjs(([a-z]+)+)+ (§§version§§)"] } } };
    const spentMs = cpuMs(() => {
      const report = scan({ "a.js": `loafjs${"a".repeat(5000)}!` }, [], { feed: slow });
      assert.equal(report.verdict, "unknown");
      assert.match(report.reasons[0] ?? "", /^a\.js took too long/);
    });
    assert.ok(spentMs < 20_000, `${spentMs} ms`);
  });

  test("a pattern that can't be read is counted", () => {
    const broken = { loafjs: { extractors: { filecontent: ["(§§version§§"] } } };
    assert.match(scan({}, [], { feed: broken }).reasons[0] ?? "", /1 patterns of the feed can't be read/);
  });
});

test("what is no feed is refused, with the place", () => {
  for (const bad of [
    null,
    [],
    {},
    "x",
    { a: { extractors: { filecontent: "x" } } },
    { a: { vulnerabilities: [1] } },
  ])
    assert.throws(() => scan({}, [], { feed: bad }), { code: "HARDEN_FEED_INVALID" });
});

suite("versions", () => {
  test("are ordered as authors mean them", () => {
    const ordered = [
      "0.9",
      "1.0.0-alpha",
      "1.0.0-beta1",
      "1.0.0-beta2",
      "1.0.0-rc.1",
      "1.0.0",
      "1.0.1",
      "1.9.0",
      "1.10.0",
      "2.0.0b1",
      "2.0.0",
    ];
    for (const [index, version] of ordered.entries())
      for (const [other, against] of ordered.entries())
        assert.equal(
          Math.sign(compareVersions(version, against)),
          Math.sign(index - other),
          `${version} ${against}`,
        );
    assert.equal(compareVersions("v1.2", "1.2.0+build5"), 0);
  });
  test("compare the same both ways (property)", () => {
    const version = fc.stringMatching(/^[0-9]{1,2}(\.[0-9]{1,2}){0,3}(-?(alpha|beta|rc)[0-9]?)?$/);
    fc.assert(
      fc.property(version, version, (a, b) => assert.equal(compareVersions(a, b) + compareVersions(b, a), 0)),
    );
  });
  test("a range includes its start and not its end", () => {
    const range = { atOrAbove: "1.2.0", below: "1.4.0" };
    assert.deepEqual(
      ["1.1.9", "1.2.0", "1.3.9", "1.4.0"].map((version) => isAffected(version, range)),
      [false, true, true, false],
    );
  });
});

test("the text that a pattern requires stands in whatever it matches (property)", () => {
  for (const [source, required] of [
    ["/\\*!? jQuery v([0-9])", " jQuery v"],
    ["a?bcdef", "bcdef"],
    ["abcd*efgh", "efgh"],
    ["abcdef|x", undefined],
    ["(abcdef)?x", undefined],
    ["[abcdef]+", undefined],
    ["name{2}longer", "longer"],
    ["\\.version=\\d", ".version="],
  ] as const)
    assert.equal(requiredText(source), required, source);
  const piece = fc.constantFrom("abcd", "x?", "efg+", "[0-9]", "(k|l)", "\\.", "y*", "z{2,3}", ".", "mnop");
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }),
      fc.string({ unit: fc.constantFrom(..."abcdefgklmnopxyz.07".split("")), maxLength: 40 }),
      (pieces, text) => {
        const source = pieces.join("");
        const match = new RegExp(source).exec(text);
        const required = requiredText(source);
        if (match !== null && required !== undefined) assert.ok(match[0].includes(required));
      },
    ),
  );
});

const published = new URL("../../../../shared/data/advisories/retire-jsrepository-v4.json", import.meta.url);

test(
  "the published feed is read whole, and finds what it is known to find",
  { skip: existsSync(published) ? false : "the feed is not here" },
  () => {
    const report = scan(
      {
        "jquery.js": "/*! jQuery v1.12.4 | (c) jQuery Foundation */",
        "vendor.js": "/*! x */;/**\n * @license AngularJS v1.8.3\n */",
        "b.js": "/*!\n  * Bootstrap v5.3.3 (https://getbootstrap.com/)\n */",
      },
      ["https://cdnjs.cloudflare.com/ajax/libs/angular.js/1.4.0/angular.min.js"],
      { feed: JSON.parse(readFileSync(published, "utf8")) as unknown },
    );
    assert.deepEqual(report.reasons, []);
    const told = report.libraries.map(({ name, version, vulnerabilities }) => [
      name,
      version,
      vulnerabilities.length > 0,
    ]);
    for (const expected of [
      ["jquery", "1.12.4", true],
      ["angularjs", "1.8.3", true],
      ["angularjs", "1.4.0", true],
      ["bootstrap", "5.3.3", false],
    ])
      assert.ok(
        told.some((one) => JSON.stringify(one) === JSON.stringify(expected)),
        JSON.stringify(told),
      );
    const jquery = report.libraries.find(({ name }) => name === "jquery");
    assert.ok(jquery?.vulnerabilities.some(({ identifiers }) => identifiers.includes("CVE-2020-11022")));
  },
);
