import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { suite, test } from "node:test";
import fc from "fast-check";
import { unpack } from "../node/unpack.ts";
import { tarHeader } from "./fixtures/make-tar.ts";
import { makeZip } from "./fixtures/make-zip.ts";
import { createLeakGate } from "./gate.ts";
import type { LeakException, LeakHit } from "./types.ts";
import { unopenedAt } from "./unopened.ts";

function inspect(bytes: Uint8Array, path = "a.bin", allow: readonly LeakException[] = []): LeakHit[] {
  const gate = createLeakGate({ unpack, allow, now: () => new Date("2026-06-01") });
  return gate.inspect({ path, bytes });
}

/** The same line, as `xz`, `bzip2`, `lz4` and `lzma` packed it; of others that no tool here packs, how their descriptions say they begin. */
const packed: Readonly<Record<string, Buffer>> = {
  xz: Buffer.from(
    "/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAidG9rZW46IG5vYm9keS1zZWVzLXRoaXMtdmFsdWUtMDAwMQoAAMrVWaIYtMC2AAE7I2ErU74ftvN9AQAAAAAEWVo=",
    "base64",
  ),
  bzip2: Buffer.from(
    "QlpoOTFBWSZTWQ71H1MAAA/ZgAAQQAJgEDZtjyAgACIg0aAMT1CgaaGRkxDpcMSWgochV7h6qa4ZD9wnEh8XckU4UJAO9R9T",
    "base64",
  ),
  LZ4: Buffer.from("BCJNGGRApyMAAIB0b2tlbjogbm9ib2R5LXNlZXMtdGhpcy12YWx1ZS0wMDAxCgAAAABzCHLP", "base64"),
  LZMA: Buffer.from(
    "XQAAgAD//////////wA6G8mpPyVAQi2BtMAH0vP5YjDN0x5fNcqeT99iGFRHr+LLtkpSj///VwQAAA==",
    "base64",
  ),
  "7z": Buffer.concat([Buffer.from("377abcaf271c0004", "hex"), Buffer.alloc(24)]),
  RAR: Buffer.concat([Buffer.from("Rar!\x1a\x07\x01\0", "latin1"), Buffer.alloc(24)]),
  lzip: Buffer.concat([Buffer.from("LZIP\x01\x0c", "latin1"), Buffer.alloc(24)]),
  lzop: Buffer.concat([Buffer.from("\x89LZO\0\r\n\x1a\n", "latin1"), Buffer.alloc(24)]),
  "compress (.Z)": Buffer.concat([Buffer.from("1f9d90", "hex"), Buffer.alloc(24)]),
  "a cabinet": Buffer.concat([Buffer.from("MSCF"), Buffer.alloc(32)]),
  Snappy: Buffer.from("\xff\x06\0\0sNaPpY\x01\x05", "latin1"),
};
const anywhere = ["xz", "bzip2", "7z", "RAR", "lzip", "lzop"];

suite("what is packed in ways that the gate does not open", () => {
  for (const [name, bytes] of Object.entries(packed)) {
    test(`${name} is a hit, under any name, since nobody looked into it`, () => {
      for (const path of ["a.bin", "picture.png", "downloads/manual"]) {
        const [hit, ...others] = inspect(bytes, path);
        assert.deepEqual([hit?.level, hit?.rule, others.length], ["hit", "unsearchable", 0]);
        assert.ok(hit?.message.includes(name) === true, `${hit?.message}`);
      }
    });
    test(`${name} in gzip, tar and ZIP is one too`, () => {
      for (const outer of [
        gzipSync(bytes),
        Buffer.concat([tarHeader("in", bytes.length), bytes, Buffer.alloc(1536 - bytes.length)]),
        makeZip([{ name: "in", bytes }]),
      ])
        assert.ok(
          inspect(outer).some(({ rule, message }) => rule === "unsearchable" && message.includes(name)),
        );
    });
  }

  test("in base64, in a page or a script, too", () => {
    for (const name of anywhere) {
      const text = `<a href="data:application/octet-stream;base64,${packed[name]?.toString("base64")}">all</a>`;
      assert.deepEqual(
        inspect(Buffer.from(text), "a.html").map(({ rule }) => rule),
        ["unsearchable"],
        name,
      );
    }
  });

  for (const name of anywhere) {
    test(`${name} is found behind other bytes, where its own program finds it`, () => {
      const hidden = Buffer.concat([Buffer.from("GIF89a and a picture"), packed[name] ?? Buffer.alloc(0)]);
      assert.deepEqual(
        inspect(hidden).map(({ rule }) => rule),
        ["unsearchable"],
      );
    });
  }

  test("an exception with a reason and a day lets it pass, in its files only, and not for ever", () => {
    const exception = {
      rule: "unsearchable",
      path: "downloads/*.xz",
      reason: "the manual, packed by hand",
      expires: "2026-12-31",
    };
    const bytes = packed.xz ?? Buffer.alloc(0);
    assert.deepEqual(inspect(bytes, "downloads/manual.xz", [exception]), []);
    assert.equal(inspect(bytes, "other/manual.xz", [exception]).length, 1);
    assert.equal(inspect(bytes, "downloads/manual.xz", [{ ...exception, expires: "2026-05-31" }]).length, 1);
  });

  test("texts about them, and bytes that only begin alike, are nothing", () => {
    for (const text of [
      "Rar! and Rar!\\x1a\\x07 begin archives, BZh9 and BZh91AY&S too; LZIP does, and MSCF.",
      "7zXZ, sNaPpY, LZIP\nand LZIPs",
      "]\0\0 is no LZMA",
      "BZh91AY",
    ])
      assert.deepEqual(inspect(Buffer.from(text)), []);
  });

  test("random bytes are not taken for one", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 40, maxLength: 400 }), (bytes) => {
        for (let at = 1; at < bytes.length; at++) assert.equal(unopenedAt(bytes, at), undefined);
      }),
    );
  });
});
