import assert from "node:assert/strict";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { suite, test } from "node:test";
import fc from "fast-check";
import { cpuMs } from "../../../test/support/cpu-time.ts";
import { Secret } from "../../shared/index.ts";
import { unpack } from "../node/unpack.ts";
import { makeTar } from "./fixtures/make-tar.ts";
import { makeZip } from "./fixtures/make-zip.ts";
import { createLeakGate } from "./gate.ts";
import type { LeakGateOptions, LeakHit } from "./types.ts";

/** No real secret: a text that a generator of passwords might have made. */
const value = "Zt7/qLp+02vKx_9dWm4Rb";
const encoder = new TextEncoder();

function inspect(
  content: string | Uint8Array,
  options: Partial<LeakGateOptions> = {},
  path = "page.html",
): LeakHit[] {
  const gate = createLeakGate({ unpack, values: [{ name: "KEY", value: new Secret(value) }], ...options });
  const bytes = typeof content === "string" ? encoder.encode(content) : content;
  return gate.inspect({ path, bytes });
}

const rulesOf = (hits: readonly LeakHit[]): string[] => hits.map(({ rule }) => rule);

const around = (inner: string): string => `<p>An honest page.</p>\n<script>const a = "${inner}";</script>\n`;
const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString("base64");
const hex = (text: string): string => Buffer.from(text).toString("hex");
const each = (text: string, write: (code: number) => string): string =>
  Array.from(text, (character) => write(character.charCodeAt(0))).join("");
const unit = (code: number): string => `\\u${code.toString(16).padStart(4, "0")}`;
const wide = (text: string, mark: string): Buffer => Buffer.from(mark + text, "utf16le");

/** Ways in which a value was written in real leaks, or could be by a tool on the way. */
const disguises: Record<string, string | Uint8Array> = {
  "as it is": around(value),
  reversed: around(Array.from(value).toReversed().join("")),
  "in base64": around(base64(value)),
  "in base64, after one byte": around(base64(`a${value}`)),
  "in base64, after two bytes": around(base64(`ab${value} and more`)),
  "in base64 for URLs": around(Buffer.from(`x${value}`).toString("base64url")),
  "in base64 with lines of 76": around(
    base64(`${"filler, ".repeat(12)}${value}`).replaceAll(/.{76}/g, "$&\n"),
  ),
  "in base64 with escaped line ends": around(
    base64(`${"filler, ".repeat(20)}${value}`).replaceAll(/.{64}/g, "$&\\n"),
  ),
  "in hex": around(hex(value)),
  "in upper-case hex": around(hex(value).toUpperCase()),
  "URL-encoded": around(encodeURIComponent(value)),
  "URL-encoded, every character": around(each(value, (code) => `%${code.toString(16)}`)),
  "URL-encoded twice": around(encodeURIComponent(encodeURIComponent(value))),
  "with JSON escapes": around(each(value, unit)),
  "with one JSON escape": around(value.replace("q", "\\u0071")),
  "with an escaped slash": around(value.replace("/", "\\/")),
  "with script escapes": around(each(value, (code) => `\\x${code.toString(16)}`)),
  "with braced escapes": around(each(value, (code) => `\\u{${code.toString(16)}}`)),
  "with octal escapes": around(each(value, (code) => `\\${code.toString(8)}`)),
  "with escapes in escapes": around(JSON.stringify(JSON.stringify(`"${each(value, unit)}`))),
  "with decimal references": around(each(value, (code) => `&#${code};`)),
  "with hexadecimal references": around(each(value, (code) => `&#x${code.toString(16).toUpperCase()}`)),
  "with named references": around(
    value.replace("/", "&sol;").replace("+", "&plus;").replace("_", "&lowbar;"),
  ),
  "with references to references": around(each(value, (code) => `&amp;#${code};`)),
  "in UTF-16": wide(around(value), "\ufeff"),
  "in UTF-16 without a mark": wide(around(value), ""),
  "in UTF-16, big endian": wide(around(value), "\ufeff").swap16(),
  "in UTF-16 inside other bytes": Buffer.concat([Buffer.alloc(40, 7), wide(value, ""), Buffer.alloc(9, 9)]),
  "in gzip": gzipSync(around(value)),
  "in gzip that is cut short": gzipSync(around(value) + "tail ".repeat(5000), { level: 1 }).subarray(0, -20),
  "in zlib": deflateSync(around(value)),
  "in zstd": zstdCompressSync(around(value)),
  "in a gzip in base64": around(base64(gzipSync(around(value)))),
  "in a gzip in hex": around(gzipSync(around(value)).toString("hex")),
  "in a data: address": around(`data:text/html;base64,${base64(around(value))}`),
  "in base64 in base64": around(base64(around(base64(around(value))))),
  "in a ZIP": makeZip([
    { name: "a.txt", bytes: encoder.encode("nothing") },
    { name: "b/c.txt", bytes: encoder.encode(value) },
  ]),
  "in a ZIP's comment": Buffer.concat([makeZip([]), encoder.encode(value)]),
  "in the sources of a source map": JSON.stringify({
    version: 3,
    sources: ["a.ts"],
    mappings: "AAAA",
    sourcesContent: [`const key = "${each(value, unit)}";`],
  }),
};

suite("a private value is found", () => {
  for (const [how, content] of Object.entries(disguises)) {
    test(how, () => {
      const hits = inspect(content).filter(({ rule }) => rule === "private-value");
      assert.ok(hits.length >= 1, "not found");
      for (const hit of hits) {
        assert.equal(hit.level, "hit");
        assert.equal(hit.message, "the value of KEY");
      }
    });
  }

  test("in brotli, by the file's ending", () => {
    const packed = brotliCompressSync(around(value));
    assert.deepEqual(rulesOf(inspect(packed, {}, "page.html.br")), ["private-value"]);
  });

  test("with CSS escapes", () => {
    const text = `a::after { content: "${each(value, (code) => `\\${code.toString(16)} `)}"; }`;
    assert.deepEqual(inspect(text, {}, "a.css")[0]?.encodings, ["css"]);
  });

  test("in a tar in gzip, with its member's name", () => {
    const [hit] = inspect(gzipSync(makeTar("settings/app.conf", `key=${value}\n`)), {}, "backup.tgz");
    assert.equal(hit?.member, "settings/app.conf");
    assert.deepEqual(hit?.encodings, ["gzip"]);
  });

  test("whatever stands around it, in any of the fixed forms (property)", () => {
    const text = fc.string({ unit: "grapheme-ascii", maxLength: 60 });
    const form = fc.constantFrom<(plain: string) => string>(
      (plain) => plain,
      base64,
      hex,
      encodeURIComponent,
      (plain) => JSON.stringify(JSON.stringify(plain)),
      (plain) => each(plain, (code) => `&#${code};`),
      (plain) => each(plain, unit),
    );
    fc.assert(
      fc.property(text, text, form, (before, after, write) => {
        const content = `"${write(before + value + after)}"`;
        assert.ok(rulesOf(inspect(content)).includes("private-value"), content);
      }),
    );
  });
});

suite("what was found is told without telling it", () => {
  test("with its place, its encoding and at most a quarter of it", () => {
    const [hit] = inspect(`first line\n<p>caf\u00e9 ${value}</p>`);
    assert.deepEqual(
      { ...hit, hint: undefined },
      {
        level: "hit",
        rule: "private-value",
        path: "page.html",
        member: undefined,
        offset: 20,
        line: 2,
        column: 10,
        encodings: [],
        occurrences: 1,
        message: "the value of KEY",
        excerpt: "Zt7…Rb",
        hint: undefined,
      },
    );
  });

  test("no part of the value beyond that is in anything that the gate returns (property)", () => {
    const secret = fc.string({
      unit: fc.constantFrom(...Array.from("ABCDEFGHJKLMNPQRSTUVWXYZ23456789-_")),
      minLength: 12,
      maxLength: 40,
    });
    fc.assert(
      fc.property(secret, (text) => {
        fc.pre(new Set(text).size > 7);
        const gate = createLeakGate({ unpack, values: [{ name: "KEY", value: new Secret(text) }] });
        const said = JSON.stringify([
          ...gate.inspect({ path: "a.js", bytes: encoder.encode(around(text)) }),
          ...gate.finish(),
          gate.notSearched,
        ]);
        const shown = Math.floor(text.length / 4);
        for (let at = 0; at + shown < text.length; at++)
          assert.ok(!said.includes(text.slice(at, at + shown + 1)));
      }),
    );
  });

  test("the place is that of the encoded text, in each encoding", () => {
    const cases: Record<string, string> = {
      "%": each(value, (code) => `%${code.toString(16)}`),
      "\\": each(value, unit),
      "&": each(value, (code) => `&#${code};`),
    };
    for (const [start, text] of Object.entries(cases)) {
      const content = around(text);
      const [hit] = inspect(content);
      assert.equal(content[hit?.offset ?? -1], start);
      assert.equal(hit?.offset, content.indexOf(text));
      assert.equal(hit?.line, 2);
    }
    const decoded = `${"some words, ".repeat(3)}${value}`;
    const nested = around(base64(each(decoded, unit)));
    const [hit] = inspect(nested);
    assert.deepEqual(hit?.encodings, ["base64", "json"]);
    const digit =
      nested.indexOf(base64(each(decoded, unit))) + Math.floor((decoded.indexOf(value) * 6 * 4) / 3);
    assert.equal(hit?.offset, digit);
  });

  test("a value that stands in a file often is told once, with how often", () => {
    const hits = inspect(`${value} `.repeat(7));
    assert.deepEqual(
      hits.map(({ occurrences }) => occurrences),
      [7],
    );
  });

  test("two names of one value are both told", () => {
    const values = ["A_KEY", "B_KEY"].map((name) => ({ name, value: new Secret(value) }));
    assert.equal(inspect(value, { values })[0]?.message, "the value of A_KEY and of B_KEY");
  });

  test("what steers a terminal is taken out", () => {
    const [hit] = inspect("\u001b[31m/home/\u001b]0;x", { buildRoots: ["/srv/site\u001b[2J/app"] });
    assert.equal(hit, undefined);
    const [found] = inspect("a /srv/site\u001b[2J/app/b", { buildRoots: ["/srv/site\u001b[2J/app"] });
    assert.equal(found?.excerpt, "/srv/site·[2J/app");
  });
});

suite("longer and structured values", () => {
  const look = (secret: string, content: string): string[] => [
    ...new Set(rulesOf(inspect(content, { values: [{ name: "KEY", value: new Secret(secret) }] }))),
  ];

  test("a line of a value with several is enough", () => {
    const lines = ["Qm3xT9aLw8Zk2Yv5Rn7Jb", "Pd6sHf4Gc1Ue0Xo-Ai_Kt", "Wq5Vz8My3Bn7Cx2Lj4Fg"];
    assert.deepEqual(look(lines.join("\n"), around(lines[1] ?? "")), ["private-value"]);
  });

  test("the password of an address is looked for by itself, decoded and not", () => {
    const address = "postgres://app:h%40rd-T0-gue55@db.internal:5432/shop";
    assert.deepEqual(look(address, around("h@rd-T0-gue55")), ["private-value"]);
    assert.deepEqual(look(address, around("h%40rd-T0-gue55")), ["private-value"]);
    assert.deepEqual(look(address, around("db.internal:5432/shop")), []);
  });

  test("a part of a value that is JSON is enough, but not an address in it", () => {
    const json = JSON.stringify({
      type: "service",
      id: "9f8e7d6c5b4a39281706",
      uri: "https://login.example/token",
    });
    assert.deepEqual(look(json, around("9f8e7d6c5b4a39281706")), ["private-value"]);
    assert.deepEqual(look(json, around("https://login.example/token")), []);
  });

  test("a long value is found by a piece of it", () => {
    const long = Array.from({ length: 60 }, (_, index) => (index * 7919 + 104_729).toString(36)).join("-");
    assert.deepEqual(look(long, around(long.slice(50, 190))), ["private-value"]);
  });

  test("a value that is written with escapes is found where they are decoded", () => {
    assert.deepEqual(look("aX%41kQ-9\\u0042-77zz", around(each("aX%41kQ-9\\u0042-77zz", unit))), [
      "private-value",
    ]);
  });
});

suite("values that can't be looked for", () => {
  test("are listed with the reason, not silently passed over", () => {
    const texts = {
      A: "true",
      B: "localhost",
      C: "production",
      D: "http://localhost:3000",
      E: "2026-11-22",
      F: "aaaaaaaaaaaaaaaa",
      G: "",
    };
    const values = Object.entries(texts).map(([name, text]) => ({ name, value: new Secret(text) }));
    const gate = createLeakGate({ unpack, values });
    assert.deepEqual(
      gate.notSearched.map(({ name }) => name),
      Object.keys(texts),
    );
    assert.deepEqual(
      gate.inspect({ path: "a", bytes: encoder.encode("true localhost production 2026-11-22") }),
      [],
    );
  });
});

suite("what can't be searched is no pass", () => {
  test("a bomb is stopped, quickly", () => {
    const bomb = gzipSync(gzipSync(Buffer.alloc(200_000_000)));
    assert.deepEqual(rulesOf(inspect(bomb, {}, "a.gz")), ["unsearchable"]);
  });

  test("what is packed deeper than is looked into is told", () => {
    let bytes: Uint8Array = encoder.encode(value);
    for (let depth = 0; depth < 7; depth++) bytes = gzipSync(bytes);
    assert.deepEqual(rulesOf(inspect(bytes)), ["unsearchable"]);
    assert.deepEqual(rulesOf(inspect(bytes, { maxDepth: 8 })), ["private-value"]);
  });

  test("an encrypted or broken archive is told, and by which member", () => {
    const locked = makeZip([{ name: "a.txt", bytes: deflateRawSync("x"), flags: 1 }]);
    assert.match(inspect(locked)[0]?.message ?? "", /its member a\.txt is encrypted/);
    assert.deepEqual(rulesOf(inspect(locked.subarray(0, 40))), ["unsearchable"]);
    assert.deepEqual(
      rulesOf(inspect(new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 0xff, 0xff]))),
      ["unsearchable"],
    );
  });

  test("any bytes are read to the end without an error (property)", () => {
    const magic = fc.constantFrom(
      "\x1f\x8b\x08",
      "PK\x03\x04",
      "\x89PNG\r\n\x1a\n",
      "%PDF-1.7\nstream\nx\x9c",
      "x\x9c",
      "\x28\xb5\x2f\xfd",
      "",
    );
    fc.assert(
      fc.property(magic, fc.uint8Array({ maxLength: 300 }), (head, tail) => {
        const bytes = Buffer.concat([Buffer.from(head, "latin1"), tail]);
        for (const hit of inspect(bytes))
          assert.ok(hit.rule === "unsearchable" || hit.level === "note", hit.rule);
      }),
    );
  });

  test("escapes of escapes of escapes take bounded time", () => {
    const spentMs = cpuMs(() =>
      inspect("%25".repeat(400_000) + "\\\\".repeat(400_000) + "&amp;".repeat(200_000)),
    );
    assert.ok(spentMs < 20_000, `${spentMs} ms`);
  });
});

suite("an honest file passes", () => {
  for (const [what, content] of Object.entries({
    "a page": "<!doctype html><p title='100%25 &amp; more'>A &lt;b&gt; \\u0041 %41 &#65;</p>",
    "a hash and a data: picture": `<script integrity="sha256-${base64("0".repeat(32))}"></script><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">`,
    "a packed page": gzipSync("<p>Hello.</p>"),
    "an archive": makeZip([{ name: "a.txt", bytes: encoder.encode("Hello.") }]),
    "a picture's first bytes": new Uint8Array([
      0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48,
    ]),
    nothing: "",
  }))
    test(what, () => assert.deepEqual(inspect(content), []));
});
