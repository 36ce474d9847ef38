import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { hardenFolder } from "../src/harden/node.ts";
import { emitHost } from "../src/hosts/index.ts";
import { compressSite } from "../src/stack/releases/compress-site.ts";
import { requires } from "./requires.ts";
import {
  ask,
  certificate,
  hostname,
  startCaddy,
  startNginx,
  temporaryFolder,
} from "./support/host-servers.ts";
import type { Door } from "./support/host-servers.ts";

const page = `<!doctype html><title>boats</title>${"<p>a boat on the canal</p>".repeat(400)}`;
const site: Readonly<Record<string, string | Uint8Array>> = {
  "index.html": page,
  "copy.html": page,
  "small.html": "<p>x",
  "photo.png": new Uint8Array(3_000),
};

/** Hardens and compresses a site, and lays it out as a server wants it. */
async function layOut(context: TestContext, name: "nginx" | "caddy"): Promise<string> {
  const folder = temporaryFolder(context);
  const source = join(folder, "in");
  mkdirSync(source);
  for (const [file, content] of Object.entries(site)) writeFileSync(join(source, file), content);
  const pair = { chainFile: join(folder, "chain.pem"), keyFile: join(folder, "key.pem") };
  writeFileSync(pair.chainFile, certificate.cert);
  writeFileSync(pair.keyFile, certificate.key);
  const blobs = join(folder, "blobs");
  const { files } = await hardenFolder({ folder: source, blobs });
  const encodings = await compressSite(files, blobs, join(folder, "cache"));
  const emission = emitHost(
    name,
    {
      origin: `https://${hostname}`,
      files: files.map((file) => ({ ...file, encodings: encodings.get(file.sha256) ?? [] })),
    },
    {
      nginx: { folder, certificate: pair, listen: [`unix:${folder}/s ssl http2`] },
      caddy: { folder, certificate: pair, listen: [`unix/${folder}/s`] },
    },
  );
  for (const { path, text } of emission.files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  assert.ok(
    emission.placements.every(({ file }) => readdirSync(blobs).includes(file.slice("blobs/".length))),
  );
  return folder;
}

const expanders = { br: brotliDecompressSync, gzip: gunzipSync, zstd: zstdDecompressSync } as const;

for (const [name, start] of [
  ["nginx", startNginx],
  ["caddy", startCaddy],
] as const) {
  const program = requires(name);
  suite(`${name} sends a hardened site compressed`, { skip: program.skip, timeout: 120_000 }, () => {
    test("to who takes it, where it is smaller, and the same page to all", async (context) => {
      const folder = await layOut(context, name);
      const door: Door = await start(context, program.path, folder);
      for (const [encoding, expand] of Object.entries(expanders)) {
        const answer = await ask(door, { path: "/", headers: { "accept-encoding": encoding } });
        assert.equal(answer.status, 200);
        assert.equal(headerOf(answer, "content-encoding"), encoding);
        assert.ok(answer.body.length < page.length / 10);
        assert.equal(expand(answer.body).toString(), page);
      }
      const plain = await ask(door, { path: "/" });
      assert.equal(headerOf(plain, "content-encoding"), "");
      assert.equal(plain.body.toString(), page);
      for (const path of ["/small.html", "/photo.png"]) {
        const answer = await ask(door, { path, headers: { "accept-encoding": "br, gzip, zstd" } });
        assert.equal(headerOf(answer, "content-encoding"), "", path);
      }
    });
  });
}

const headerOf = (answer: { headers: readonly (readonly [string, string])[] }, name: string): string =>
  answer.headers.find(([key]) => key.toLowerCase() === name)?.[1] ?? "";

test("what a cache holds is sent only if it expands to the very page", async (context) => {
  const folder = temporaryFolder(context);
  const source = join(folder, "in");
  mkdirSync(source);
  writeFileSync(join(source, "index.html"), page);
  const cache = join(folder, "cache");
  const compress = async (blobs: string): Promise<number> => {
    const { files } = await hardenFolder({ folder: source, blobs: join(folder, blobs) });
    const [found] = [...(await compressSite(files, join(folder, blobs), cache)).values()];
    return found?.length ?? 0;
  };
  assert.equal(await compress("first"), 3);
  assert.equal(await compress("second"), 3);
  // Whoever writes to the cache knows how it guards against accidents: another page's forms, whole.
  const [kept] = filesIn(cache);
  assert.ok(kept !== undefined);
  writeFileSync(join(source, "index.html"), page.replaceAll("boat", "goat"));
  assert.equal(await compress("third"), 3);
  const [other] = filesIn(cache);
  assert.ok(other !== undefined);
  const forms = readFileSync(other);
  writeFileSync(join(source, "index.html"), page);
  assert.equal(await compress("fourth"), 3);
  writeFileSync(filesIn(cache)[0] ?? "", forms);
  assert.equal(await compress("fifth"), 0);
});

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
