import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { Secret } from "../../shared/index.ts";
import { unpack } from "../node/unpack.ts";
import { makeTar, tarHeader } from "./fixtures/make-tar.ts";
import { makeZip } from "./fixtures/make-zip.ts";
import { createLeakGate } from "./gate.ts";
import type { LeakHit, Unpack } from "./types.ts";

/** No real secret: a text that a generator of passwords might have made. */
const value = "q7Wm2zKd9RtYv4Lx8BnC";
const long = Buffer.from(`${"A comment about the picture and so on. ".repeat(3)}${value}`);

function inspect(content: string | Uint8Array, path = "a.bin", unpacker: Unpack = unpack): LeakHit[] {
  const gate = createLeakGate({ unpack: unpacker, values: [{ name: "KEY", value: new Secret(value) }] });
  return gate.inspect({ path, bytes: Buffer.from(content) });
}
const rulesOf = (hits: readonly LeakHit[]): string[] => [...new Set(hits.map(({ rule }) => rule))].sort();

const each = (write: (character: string) => string): string => Array.from(value, write).join("");
const digitsOf = (character: string): string => character.charCodeAt(0).toString(16);
const lines = (text: string, width: number, end = "\n"): string =>
  text.replaceAll(new RegExp(`.{${width}}`, "g"), `$&${end}`);
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
/** Filler that doesn't compress to nothing. */
const text = Buffer.from(`nothing here but the value, and ${value} and more`);

function png(kind: string, data: Uint8Array): Buffer {
  const chunk = (name: string, body: Uint8Array): Buffer => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(body.length);
    return Buffer.concat([head, Buffer.from(name), body, Buffer.alloc(4)]);
  };
  const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  return Buffer.concat([
    signature,
    chunk("IHDR", Buffer.alloc(13)),
    chunk(kind, data),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}
const keyed = (keyword: string, packed: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`${keyword}\0\0`), packed]);
const smallWindow = deflateSync(long, { windowBits: 9 });
const zip = makeZip([{ name: "a.txt", bytes: deflateRawSync(long), method: 8 }]);
const utf32 = Buffer.concat(
  Array.from(value, (character) => Buffer.from([character.charCodeAt(0), 0, 0, 0])),
);

/** What an attacker found to pass. */
const evasions: Record<string, string | Uint8Array> = {
  "a page with `ustar` at byte 257": `${"<!-- ".padEnd(257, ".")}ustar--><p>${value}</p>`.padEnd(900, " "),
  "a script with `ustar` and a zero at byte 257": `${"//".padEnd(257, ".")}ustar\0\nkey="${value}"`.padEnd(
    900,
    " ",
  ),
  "a link's target in a tar": Buffer.concat([
    tarHeader("link", 0, { kind: "2", link: `/x/${value}` }),
    Buffer.alloc(1024),
  ]),
  "a member's name in a tar": makeTar(`${value}.txt`, ""),
  "data behind a tar's end": Buffer.concat([makeTar("a.txt", "x"), Buffer.from(value)]),
  "zlib with a small window": smallWindow,
  "a PNG's text with a small window": png("zTXt", keyed("Comment", smallWindow)),
  "a PNG's text whose keyword begins like zlib": png("zTXt", keyed("x^Comment", deflateSync(long))),
  "a PNG's colour profile": png("iCCP", keyed("profile", deflateSync(long))),
  "a PNG's international text": png(
    "iTXt",
    Buffer.concat([Buffer.from("Comment\0\x01\0en\0x^\0"), deflateSync(long)]),
  ),
  "a PDF's stream with a small window": Buffer.concat([
    Buffer.from("%PDF-1.4\n1 0 obj <</Filter/FlateDecode>> stream\n"),
    smallWindow,
  ]),
  "a ZIP behind a picture": Buffer.concat([Buffer.from("GIF89a"), Buffer.alloc(20), zip]),
  "a gzip behind zeros": Buffer.concat([gzipSync("hello"), Buffer.alloc(16), gzipSync(long)]),
  "a zstd behind zeros": Buffer.concat([zstdCompressSync("hello"), Buffer.alloc(16), zstdCompressSync(long)]),
  "base64 in lines of 40": lines(base64(text), 40),
  "base64 in lines of 20": lines(base64(text), 20),
  "base64 in lines of 20 that are indented": lines(base64(text), 20, "\r\n    "),
  "a gzip in base64 in lines of 40, with escaped ends": `const a = "${lines(base64(gzipSync(text)), 40, "\\n")}";`,
  "braced escapes with leading zeros": each((one) => `\\u{0000000${digitsOf(one)}}`),
  "braced escapes with very many zeros": each((one) => `\\u{${"0".repeat(400)}${digitsOf(one)}}`),
  "lines that go on after a backslash": `x = "${each((one) => `${one}\\\n`)}"`,
  "lines that go on after a backslash, as Windows ends them": `x = "${each((one) => `${one}\\\r\n`)}"`,
  "UTF-32": utf32,
  "text after something in UTF-16": Buffer.concat([
    Buffer.from("\ufeffa short beginning", "utf16le"),
    Buffer.from(each((one) => `\\x${digitsOf(one)}`)),
  ]),
};

suite("ways past the gate that an attacker found are closed", () => {
  for (const [how, content] of Object.entries(evasions))
    test(how, () => assert.ok(rulesOf(inspect(content)).includes("private-value")));

  test("a value in a file's name, which is told masked", () => {
    const hits = inspect("nothing", `docs/${value}.txt`);
    assert.deepEqual(rulesOf(hits), ["private-value"]);
    assert.equal(hits[0]?.message, "its name holds the value of KEY");
    assert.ok(!JSON.stringify(hits).includes(value));
    assert.deepEqual(
      rulesOf(inspect("nothing", `docs/${encodeURIComponent(each((one) => `%${digitsOf(one)}`))}`)),
      [],
    );
    assert.deepEqual(
      rulesOf(
        inspect(
          "nothing",
          each((one) => `%${digitsOf(one)}`),
        ),
      ),
      ["private-value"],
    );
  });
});

suite("a tar archive that another program may read otherwise is no pass", () => {
  const good = makeTar("a.txt", "x");
  const end = Buffer.alloc(1024);
  const withByte = (at: number, byte: number): Buffer => {
    const bytes = Buffer.from(good);
    bytes[at] = byte;
    return bytes;
  };
  for (const [what, bytes] of Object.entries({
    "a garbled header": withByte(0, 0x62),
    "a size in base 256": Buffer.concat([tarHeader("a", 0, { size: "\x80\0\0\0\0\0\0\0\0\0\0\x01" }), end]),
    "a rare kind": Buffer.concat([tarHeader("a", 0, { kind: "S" }), end]),
    "a link with data": Buffer.concat([tarHeader("a", 512, { kind: "2" }), Buffer.alloc(512), end]),
    "a member that is cut short": good.subarray(0, 512),
    "a second archive behind garbage": Buffer.concat([good, Buffer.alloc(512, "x"), good]),
    "too many members": Buffer.concat([...Array.from({ length: 20_001 }, () => tarHeader("a", 0)), end]),
  }))
    test(what, () => assert.ok(rulesOf(inspect(bytes)).includes("unsearchable")));

  test("honest ones pass: folders, links, long names, two behind one another, and text about them", () => {
    const name = `${"folder/".repeat(20)}a.txt`;
    const longName = Buffer.alloc(512);
    longName.write(name);
    const folder = tarHeader("folder/", 0, { kind: "5" });
    const extended = Buffer.concat([tarHeader("././@LongLink", name.length + 1, { kind: "L" }), longName]);
    assert.deepEqual(inspect(Buffer.concat([folder, extended, good, good])), []);
    assert.deepEqual(inspect(`${"x".repeat(257)}ustar is what POSIX calls it`.padEnd(900, ".")), []);
  });

  test("a leak in a member is told once, by its name", () => {
    const hits = inspect(makeTar("a.txt", `key=${value}`));
    assert.deepEqual(
      hits.map(({ member }) => member),
      ["a.txt"],
    );
  });

  test("a file with a long name is judged by it", () => {
    const longName = Buffer.alloc(512);
    longName.write(`${"x/".repeat(60)}.env`);
    const bytes = Buffer.concat([tarHeader("././@LongLink", 125, { kind: "L" }), longName, good]);
    assert.deepEqual(rulesOf(inspect(bytes)), ["private-file"]);
  });
});

suite("unpacking is bounded, whatever a file makes of it", () => {
  /** What one file made the gate unpack: attempts, and bytes that they may have written. */
  function work(bytes: Uint8Array): { hits: LeakHit[]; attempts: number; written: number } {
    let attempts = 0;
    let written = 0;
    const hits = inspect(bytes, "a.bin", (packing, packed, maxBytes) => {
      const unpacked = unpack(packing, packed, maxBytes);
      attempts++;
      written += typeof unpacked === "string" ? Math.max(0, maxBytes) : unpacked.length;
      return unpacked;
    });
    return { hits, attempts, written };
  }
  const bomb = deflateRawSync(Buffer.alloc(80_000_000));

  test("19,000 members that are one bomb cost as much as one", () => {
    const members = Array.from({ length: 19_000 }, (_, index) => ({
      name: `a${index}`,
      bytes: bomb,
      method: 8,
    }));
    const { hits, attempts, written } = work(makeZip(members, { sharesBytes: true }));
    assert.deepEqual(rulesOf(hits), ["unsearchable"]);
    assert.equal(hits.length, 1);
    assert.ok(attempts <= 3 && written < 140_000_000, `${attempts} ${written}`);
  });

  test("300 streams of a PDF that lie over one another too", () => {
    const parts = Array.from({ length: 300 }, () => Buffer.from("stream\n"));
    // Each stream begins with a stored block that holds the next one's beginning.
    const nested = parts.reduceRight<Buffer>(
      (rest, head) =>
        Buffer.concat([
          head,
          Buffer.from([0x78, 0x01]),
          storedBlock(7 + 2),
          head,
          Buffer.from([0x78, 0x01]),
          rest,
        ]),
      bomb,
    );
    const { hits, attempts, written } = work(Buffer.concat([Buffer.from("%PDF-1.7\n"), nested]));
    assert.deepEqual(rulesOf(hits), ["unsearchable"]);
    assert.ok(attempts < 1300 && written < 160_000_000, `${attempts} ${written}`);
  });

  test("100,000 beginnings of gzip that are none", () => {
    const { hits, attempts } = work(Buffer.from("\x1f\x8b\x08\0".repeat(100_000), "latin1"));
    assert.deepEqual(rulesOf(hits), ["unsearchable"]);
    assert.ok(attempts < 20_000, String(attempts));
  });

  test("200 end records of ZIP archives", () => {
    const ends = Array.from({ length: 200 }, () => zip.subarray(-22));
    assert.ok(rulesOf(inspect(Buffer.concat([zip, ...ends]))).includes("unsearchable"));
  });

  test("an honest archive of 10,000 small files passes", () => {
    const members = Array.from({ length: 10_000 }, (_, index) => ({
      name: `a${index}`,
      bytes: Buffer.from("x"),
    }));
    assert.deepEqual(inspect(makeZip(members)), []);
  });
});

/** The header of a deflate block that holds bytes as they are. */
function storedBlock(length: number): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt16LE(length, 1);
  header.writeUInt16LE(0xffff - length, 3);
  return header;
}
