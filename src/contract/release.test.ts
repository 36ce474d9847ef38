import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CurtainwallError, isCurtainwallError } from "../shared/index.ts";
import { decodeRelease, encodeRelease } from "./release.ts";
import type { Encoding, Release, ReleaseInput, ReleaseManifest } from "./release.ts";

const bytes = fc.uint8Array({ maxLength: 200 });
const headers = fc.array(
  fc.tuple(fc.stringMatching(/^[a-z][a-z-]{0,12}$/), fc.stringMatching(/^[ -~\u0080-\u00ff]{0,20}$/)),
  { maxLength: 4 },
);
const file: fc.Arbitrary<ReleaseInput> = fc.record({
  path: fc.string({ maxLength: 12 }).map((rest) => `/${rest}`),
  headers,
  bytes: fc.record({ identity: bytes, br: bytes, gzip: bytes }, { requiredKeys: ["identity"] }),
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
        for (const encoding of ["identity", "br", "gzip"] as const)
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

test("a release with any one byte changed is refused, or has another name", async () => {
  const pack = await encodeRelease(site, { notFound: "/404.html" });
  const { digest } = await decodeRelease(pack);
  for (let index = 0; index < pack.length; index++) {
    for (const flip of [0x01, 0x20, 0x80, 0xff]) {
      const damaged = pack.slice();
      damaged[index] = (damaged[index] ?? 0) ^ flip;
      const outcome = await decodeRelease(damaged).catch((error: unknown) => error);
      assert.ok(
        isReleaseError(outcome) || (outcome as Release).digest !== digest,
        `byte ${index} ^ ${flip} passed unseen`,
      );
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
  pack[pack.length - 1] = (pack.at(-1) ?? 0) ^ 1;
  await assert.rejects(decodeRelease(pack), (error) => {
    assert.ok(isCurtainwallError(error, "RELEASE_DIGEST_MISMATCH"));
    assert.match(error.message, /\/404\.html \(identity\)/);
    assert.match(error.hint ?? "", /npx curtainwall build/);
    return true;
  });
});

test("a release that goes on after its last file is refused: those bytes are nobody's", async () => {
  const pack = await encodeRelease(site);
  await assert.rejects(decodeRelease(Uint8Array.from([...pack, 0])), isReleaseError);
});

test("a release in memory that threads share is read like any other", async () => {
  const pack = await encodeRelease(site);
  const shared = new Uint8Array(new SharedArrayBuffer(pack.length));
  shared.set(pack);
  const release = await decodeRelease(shared);
  assert.equal(release.digest, (await decodeRelease(pack)).digest);
  assert.ok(release.body.buffer instanceof SharedArrayBuffer, "the bytes are not copied");
});

const variant = (changes: object = {}): object => ({
  encoding: "identity",
  offset: 0,
  length: 1,
  sha256: "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
  ...changes,
});
const entry = (changes: object = {}): object => ({
  path: "/a",
  headers: [],
  variants: [variant()],
  ...changes,
});

/** A pack whose body is "a", with this manifest. */
function packOf(manifest: unknown): Uint8Array {
  const json = text(JSON.stringify(manifest));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, json.length);
  return Uint8Array.from([...text("curtainwall-release 1\n"), ...length, ...json, ...text("a")]);
}

test("a manifest written by hand to the format is accepted", async () => {
  const release = await decodeRelease(packOf({ format: 1, files: [entry()] }));
  assert.equal((release.manifest satisfies ReleaseManifest).files[0]?.path, "/a");
});

const malformed: [what: string, manifest: unknown][] = [
  ["nothing", null],
  ["a list", []],
  ["another format", { format: 2, files: [entry()] }],
  ["no files", { format: 1 }],
  ["a file that is nothing", { format: 1, files: [null] }],
  ["a path that is no text", { format: 1, files: [entry({ path: 1 })] }],
  ["a relative path", { format: 1, files: [entry({ path: "a" })] }],
  ["a path twice", { format: 1, files: [entry(), entry()] }],
  ["no variants", { format: 1, files: [entry({ variants: [] })] }],
  ["a variant that is nothing", { format: 1, files: [entry({ variants: [variant(), null] })] }],
  ["no identity variant", { format: 1, files: [entry({ variants: [variant({ encoding: "br" })] })] }],
  ["an encoding twice", { format: 1, files: [entry({ variants: [variant(), variant()] })] }],
  [
    "an unknown encoding",
    { format: 1, files: [entry({ variants: [variant(), variant({ encoding: "zstd" })] })] },
  ],
  ["a negative offset", { format: 1, files: [entry({ variants: [variant({ offset: -1 })] })] }],
  ["a broken length", { format: 1, files: [entry({ variants: [variant({ length: 0.5 })] })] }],
  ["bytes beyond the end", { format: 1, files: [entry({ variants: [variant({ length: 2 })] })] }],
  ["an upper-case header", { format: 1, files: [entry({ headers: [["Vary", "x"]] })] }],
  ["a header without a name", { format: 1, files: [entry({ headers: [["", "x"]] })] }],
  ["a header whose name ends a line", { format: 1, files: [entry({ headers: [["a\r\nb", "x"]] })] }],
  [
    "a header whose value ends a line",
    { format: 1, files: [entry({ headers: [["vary", "x\r\nset-cookie: y"]] })] },
  ],
  ["a header without a value", { format: 1, files: [entry({ headers: [["vary"]] })] }],
  ["a header beyond latin-1", { format: 1, files: [entry({ headers: [["vary", "→"]] })] }],
  ["a 404 page that it does not hold", { format: 1, files: [entry()], notFound: "/404.html" }],
];

for (const [what, manifest] of malformed) {
  test(`a manifest with ${what} is refused`, async () => {
    await assert.rejects(
      decodeRelease(packOf(manifest)),
      (error) => isCurtainwallError(error, "RELEASE_FORMAT_INVALID") && error.message.length < 200,
    );
  });
}

function isReleaseError(value: unknown): boolean {
  return value instanceof CurtainwallError && value.code.startsWith("RELEASE_");
}
