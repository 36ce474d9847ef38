import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { createCompressor } from "./compressor.ts";
import type { CompressedForms } from "./compressor.ts";

const text = (start: string): Uint8Array => Buffer.from(`${start} ${"words and more words. ".repeat(40)}`);

function folderFor(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-compressor-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const compress = (folder: string, bytes: Uint8Array): Promise<CompressedForms> =>
  createCompressor(folder).compress(bytes, hash("sha256", bytes));

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

suite("compressing", () => {
  test("each form expands to the bytes, and is the same when it comes from the folder", async (context) => {
    const folder = folderFor(context);
    const bytes = text("one");
    const made = await compress(folder, bytes);
    assert.deepEqual(Object.keys(made), ["br", "gzip", "zstd"]);
    assert.deepEqual(brotliDecompressSync(made.br ?? ""), bytes);
    assert.deepEqual(gunzipSync(made.gzip ?? ""), bytes);
    assert.deepEqual(zstdDecompressSync(made.zstd ?? ""), bytes);
    const [place = ""] = filesIn(folder);
    const before = readFileSync(place);
    assert.deepEqual(await compress(folder, bytes), made);
    assert.deepEqual(readFileSync(place), before);
  });

  test("no form is made of few bytes, and none is given that is not smaller", async (context) => {
    const folder = folderFor(context);
    assert.deepEqual(await compress(folder, Buffer.from("few")), {});
    assert.deepEqual(await compress(folder, crypto.getRandomValues(new Uint8Array(4096))), {});
  });

  test("what was kept and is damaged anywhere is made again", async (context) => {
    const folder = folderFor(context);
    const bytes = text("two");
    const made = await compress(folder, bytes);
    const [place = ""] = filesIn(folder);
    const kept = readFileSync(place);
    for (const at of [0, 33, 60, kept.length - 1]) {
      writeFileSync(place, kept.with(at, (kept[at] ?? 0) ^ 1));
      assert.deepEqual(await compress(folder, bytes), made);
      assert.deepEqual(readFileSync(place), kept);
    }
    writeFileSync(place, kept.subarray(0, 50));
    assert.deepEqual(await compress(folder, bytes), made);
  });

  test("a folder that can't be written costs time, and nothing else", async (context) => {
    const folder = folderFor(context);
    writeFileSync(join(folder, "file"), "");
    assert.deepEqual(Object.keys(await compress(join(folder, "file"), text("three"))), [
      "br",
      "gzip",
      "zstd",
    ]);
  });

  test("what was not asked for is forgotten, with all that other encoders left", async (context) => {
    const folder = folderFor(context);
    for (const start of ["old", "new"]) await compress(folder, text(start));
    mkdirSync(join(folder, "packed-0123456789abcdef", "aa"), { recursive: true });
    writeFileSync(join(folder, "compressed-a.memory"), "");
    writeFileSync(join(folder, "pages.memory"), "");
    const compressor = createCompressor(folder);
    const bytes = text("new");
    await compressor.compress(bytes, hash("sha256", bytes));
    compressor.forgetRest();
    assert.deepEqual(
      filesIn(folder).map((place) => place.split("/").at(-1)),
      ["pages.memory", hash("sha256", bytes)],
    );
    assert.equal(readdirSync(folder).length, 2);
  });
});
