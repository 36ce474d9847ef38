import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CurtainwallError, isCurtainwallError } from "../../shared/index.ts";
import { decodeRelease, detachManifest, readReleaseIndex } from "./decode.ts";
import type { ReleaseSource } from "./decode.ts";
import { createReleaseWriter, encodeRelease } from "./encode.ts";
import { checkedTrailerLength, trailerLength } from "./format.ts";
import type { Encoding, Release, ReleaseInput, ReleaseManifest } from "./format.ts";

const bytes = fc.uint8Array({ maxLength: 200 });
const headers = fc.array(
  fc.tuple(fc.stringMatching(/^[a-z][a-z-]{0,12}$/), fc.stringMatching(/^[ -~\u0080-\u00ff]{0,20}$/)),
  { maxLength: 4 },
);
const file: fc.Arbitrary<ReleaseInput> = fc.record({
  path: fc.string({ maxLength: 12 }).map((rest) => `/${rest}`),
  headers,
  bytes: fc.record({ identity: bytes, br: bytes, gzip: bytes, zstd: bytes }, { requiredKeys: ["identity"] }),
});
const files = fc.uniqueArray(file, { maxLength: 5, selector: (input) => input.path });

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const site: ReleaseInput[] = [
  {
    path: "/",
    headers: [["content-type", "text/html; charset=utf-8"]],
    bytes: { identity: text("<h1>Bread</h1>"), br: text("br-bread"), gzip: text("gzip-bread") },
  },
  { path: "/404.html", headers: [["content-type", "text/html"]], bytes: { identity: text("Not here") } },
  { path: "/empty.txt", headers: [], bytes: { identity: text("") } },
];

function bytesOf(release: Release, path: string, encoding: Encoding): Uint8Array | undefined {
  const found = release.manifest.files.find((entry) => entry.path === path);
  const variant = found?.variants.find((entry) => entry.encoding === encoding);
  return variant && release.body.slice(variant.offset, variant.offset + variant.length);
}

test("what is packed comes out again: every path, header and byte, in the order of the paths", async () => {
  await fc.assert(
    fc.asyncProperty(files, async (inputs) => {
      const release = await decodeRelease(await encodeRelease(inputs));
      const paths = inputs.map((input) => input.path).sort((left, right) => (left < right ? -1 : 1));
      assert.deepEqual(
        release.manifest.files.map((entry) => entry.path),
        paths,
      );
      for (const input of inputs) {
        const entry = release.manifest.files.find((candidate) => candidate.path === input.path);
        assert.deepEqual(entry?.headers, input.headers);
        for (const encoding of ["identity", "br", "gzip", "zstd"] as const)
          assert.deepEqual(bytesOf(release, input.path, encoding), input.bytes[encoding]);
      }
    }),
    { numRuns: 60 },
  );
});

test("the same files give the same release, byte for byte, in whatever order they come", async () => {
  await fc.assert(
    fc.asyncProperty(
      files.chain((inputs) =>
        fc.tuple(
          fc.constant(inputs),
          fc.shuffledSubarray(inputs, { minLength: inputs.length, maxLength: inputs.length }),
        ),
      ),
      async ([inputs, shuffled]) => {
        assert.deepEqual(await encodeRelease(shuffled), await encodeRelease(inputs));
      },
    ),
    { numRuns: 40 },
  );
});

test("equal bytes are stored once", async () => {
  const copies = ["/a", "/b", "/c"].map((path) => ({
    path,
    headers: [],
    bytes: { identity: text("the same") },
  }));
  assert.equal((await decodeRelease(await encodeRelease(copies))).body.length, "the same".length);
});

test("a release cut short anywhere is refused", async () => {
  const pack = await encodeRelease(site, { notFound: "/404.html" });
  for (let length = 0; length < pack.length; length++)
    await assert.rejects(decodeRelease(pack.subarray(0, length)), isReleaseError, `cut to ${length}`);
});

test("a release with any one byte changed is refused, wherever that byte is", async () => {
  const pack = await encodeRelease(site, { notFound: "/404.html", signatures: '{"signed":"by somebody"}' });
  for (let index = 0; index < pack.length; index++) {
    for (const flip of [0x01, 0x20, 0x80, 0xff]) {
      const damaged = pack.slice();
      damaged[index] = (damaged[index] ?? 0) ^ flip;
      await assert.rejects(decodeRelease(damaged), isReleaseError, `byte ${index} ^ ${flip} passed unseen`);
    }
  }
});

test("whatever bytes it is given, the reader answers with a release or with its own error", async () => {
  const pack = await encodeRelease(site);
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(pack.length),
      fc.nat(40),
      async (noise, start, cut) => {
        const mixed = Uint8Array.from([
          ...pack.subarray(0, start),
          ...noise,
          ...pack.subarray(Math.min(start + cut, pack.length)),
        ]);
        await decodeRelease(mixed).catch((error: unknown) => assert.ok(isReleaseError(error), String(error)));
      },
    ),
    { numRuns: 200 },
  );
});

test("bytes of a file that were exchanged after the build are named in the error", async () => {
  const pack = await encodeRelease(site);
  const at = new TextDecoder("latin1").decode(pack).indexOf("Not here");
  pack[at] = (pack[at] ?? 0) ^ 1;
  await assert.rejects(decodeRelease(pack), (error) => {
    assert.ok(isCurtainwallError(error, "RELEASE_DIGEST_MISMATCH"));
    assert.match(error.message, /\/404\.html \(identity\)/);
    assert.match(error.hint ?? "", /npx curtainwall build/);
    return true;
  });
});

test("a release that goes on after its end is refused", async () => {
  const pack = await encodeRelease(site);
  await assert.rejects(decodeRelease(Uint8Array.from([...pack, 0])), isReleaseError);
});

test("a writer hands a file's bytes on at once and keeps none; what it wrote is what packing in memory gives", async () => {
  const sorted = [...site].sort((left, right) => (left.path < right.path ? -1 : 1));
  const chunks: Uint8Array[] = [];
  const writer = createReleaseWriter((part) => void chunks.push(part));
  for (const input of sorted) {
    await writer.add(input);
    assert.ok(chunks.includes(input.bytes.identity as Uint8Array), input.path);
  }
  const { bytes: length, files: count } = await writer.finish();
  const pack = Buffer.concat(chunks);
  assert.equal(length, pack.length);
  assert.equal(count, site.length);
  assert.deepEqual(new Uint8Array(pack), await encodeRelease(site));
});

test("headers that thousands of pages share stand once in the pack, and are one array when it is read", async () => {
  const shared = site[0]?.headers ?? [];
  const pages = Array.from({ length: 500 }, (_, index) => ({
    path: `/${index}/`,
    headers: [["content-security-policy", "x".repeat(1000)] as const, ...shared],
    bytes: { identity: text("page") },
  }));
  const pack = await encodeRelease(pages);
  assert.ok(pack.length < 30_000, `${pack.length} bytes`);
  const { manifest } = await decodeRelease(pack);
  assert.equal(manifest.files[0]?.headers, manifest.files[499]?.headers);
});

test("redirects and encoders come out again; one that leads astray is refused", async () => {
  const redirects = [
    { path: "/old", to: "/new/?a=1", status: 308 as const },
    { path: "/shop", to: "https://shop.example/", status: 302 as const },
  ];
  const encoders = { br: "brotli 1.2.0, quality 11" };
  const { manifest } = await decodeRelease(await encodeRelease(site, { redirects, encoders }));
  assert.deepEqual(manifest.redirects, redirects);
  assert.deepEqual(manifest.encoders, encoders);
  const astray = [
    "//evil.example",
    "/\\evil.example",
    "http://a.example/",
    "https://",
    "javascript:alert(1)",
    "/a\r\nb: c",
  ];
  for (const to of astray) {
    const pack = await encodeRelease(site, { redirects: [{ path: "/old", to, status: 308 }] });
    await assert.rejects(decodeRelease(pack), isReleaseError, to);
  }
});

test("a release in memory that threads share is read like any other", async () => {
  const pack = await encodeRelease(site);
  const shared = new Uint8Array(new SharedArrayBuffer(pack.length));
  shared.set(pack);
  const release = await decodeRelease(shared);
  assert.equal(release.digest, (await decodeRelease(pack)).digest);
  assert.ok(release.body.buffer instanceof SharedArrayBuffer, "the bytes are not copied");
});

const sourceOf = (bytes: Uint8Array): ReleaseSource => ({
  size: bytes.length,
  read: (offset, length) => bytes.slice(offset, offset + length),
});

test("a manifest without its files says the same under the same name, takes other signatures, and is no release", async () => {
  const pack = await encodeRelease(site, { notFound: "/404.html", signatures: "old" });
  const { manifest, digest } = await decodeRelease(pack);
  assert.deepEqual(await readReleaseIndex(sourceOf(pack)), { manifest, digest, signatures: "old" });
  const detached = await detachManifest(sourceOf(pack), "new");
  assert.deepEqual(await readReleaseIndex(sourceOf(detached)), { manifest, digest, signatures: "new" });
  await assert.rejects(decodeRelease(detached), isReleaseError);
  for (let index = 0; index < detached.length; index++) {
    const damaged = detached.slice();
    damaged[index] = (damaged[index] ?? 0) ^ 1;
    await assert.rejects(readReleaseIndex(sourceOf(damaged)), isReleaseError, `byte ${index} passed unseen`);
    await assert.rejects(
      readReleaseIndex(sourceOf(detached.slice(0, index))),
      isReleaseError,
      `cut to ${index}`,
    );
  }
});

const digestOfA = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
const written = (changes: object = {}): object => ({
  format: 2,
  encoders: {},
  blobs: [[digestOfA, 1]],
  lines: [["vary", "x"]],
  headers: [[0]],
  files: [["/a", 0, { identity: 0 }]],
  redirects: [],
  ...changes,
});

/** A pack whose body is "a", with this manifest, and sound in every other way. */
async function packOf(manifest: unknown): Promise<Uint8Array> {
  const json = text(JSON.stringify(manifest) ?? "");
  const hash = async (data: Uint8Array): Promise<Uint8Array> =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", data as Uint8Array<ArrayBuffer>));
  const trailer = new Uint8Array(trailerLength);
  const view = new DataView(trailer.buffer);
  view.setBigUint64(0, 1n);
  view.setUint32(8, json.length);
  trailer.set(await hash(json), 16);
  trailer.set(await hash(trailer.slice(0, checkedTrailerLength)), checkedTrailerLength);
  trailer.set(text("\ncw-end 2\n"), checkedTrailerLength + 32);
  return Uint8Array.from([...text("curtainwall-release 2\na"), ...json, ...trailer]);
}

test("a manifest written by hand to the format is accepted", async () => {
  const release = await decodeRelease(await packOf(written()));
  assert.equal((release.manifest satisfies ReleaseManifest).files[0]?.path, "/a");
});

const file_ = (...entry: unknown[]): object => written({ files: [entry] });
const malformed: [what: string, manifest: unknown][] = [
  ["nothing", null],
  ["a list", []],
  ["another format", written({ format: 1 })],
  ["no files", written({ files: undefined })],
  ["a file that is nothing", written({ files: [null] })],
  ["a path that is no text", file_(1, 0, { identity: 0 })],
  ["a relative path", file_("a", 0, { identity: 0 })],
  ["a path of half a character", file_("/\ud800", 0, { identity: 0 })],
  [
    "a path twice",
    written({
      files: [
        ["/a", 0, { identity: 0 }],
        ["/a", 0, { identity: 0 }],
      ],
    }),
  ],
  ["no variants", file_("/a", 0, {})],
  ["variants that are nothing", file_("/a", 0, null)],
  ["no identity variant", file_("/a", 0, { br: 0 })],
  ["an unknown encoding", file_("/a", 0, { identity: 0, compress: 0 })],
  ["a blob that is not there", file_("/a", 0, { identity: 1 })],
  ["a blob by a text", file_("/a", 0, { identity: "length" })],
  ["headers that are not there", file_("/a", 1, { identity: 0 })],
  ["headers by a text", file_("/a", "length", { identity: 0 })],
  ["a negative length", written({ blobs: [[digestOfA, -1]] })],
  ["a broken length", written({ blobs: [[digestOfA, 0.5]] })],
  ["bytes beyond the end", written({ blobs: [[digestOfA, 2]] })],
  ["fewer bytes than there are", written({ blobs: [], files: [] })],
  ["a digest that is none", written({ blobs: [["x", 1]] })],
  ["an upper-case header", written({ lines: [["Vary", "x"]] })],
  ["a header without a name", written({ lines: [["", "x"]] })],
  ["a header whose name ends a line", written({ lines: [["a\r\nb", "x"]] })],
  ["a header whose value ends a line", written({ lines: [["vary", "x\r\nset-cookie: y"]] })],
  ["a header without a value", written({ lines: [["vary"]] })],
  ["a header beyond latin-1", written({ lines: [["vary", "→"]] })],
  ["a header that is not there", written({ headers: [[1]] })],
  ["a 404 page that it does not hold", written({ notFound: "/404.html" })],
  ["a redirect from a file's path", written({ redirects: [["/a", "/b", 308]] })],
  ["a redirect of another status", written({ redirects: [["/b", "/a", 200]] })],
];

for (const [what, manifest] of malformed) {
  test(`a manifest with ${what} is refused`, async () => {
    await assert.rejects(
      packOf(manifest).then(decodeRelease),
      (error) => isCurtainwallError(error, "RELEASE_FORMAT_INVALID") && error.message.length < 200,
    );
  });
}

test("bytes that no file names are checked too", async () => {
  const pack = await packOf(written({ files: [] }));
  assert.equal((await decodeRelease(pack)).manifest.files.length, 0);
  pack["curtainwall-release 2\n".length] = 98;
  await assert.rejects(decodeRelease(pack), { code: "RELEASE_DIGEST_MISMATCH" });
});

function isReleaseError(value: unknown): boolean {
  return value instanceof CurtainwallError && value.code.startsWith("RELEASE_");
}
