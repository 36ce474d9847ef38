import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { hardenSite } from "./harden-site.ts";
import { readSiteManifest } from "./site-manifest.ts";

test("what a server reads that has not reloaded yet stays through one change, and no address of the new site leads to it", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "cw-harden-site-"));
  t.after(() => rmSync(root, { recursive: true }));
  const [folder, out] = [join(root, "dist"), join(root, "out")];
  mkdirSync(folder);
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>Tides</title>");
  const blobOf = (text: string): string => join(out, "blobs", hash("sha256", text));
  const publish = async (text: string): Promise<string> => {
    writeFileSync(join(folder, "tides.txt"), text);
    await hardenSite({ folder, out, host: "nginx", origin: "https://tides.example" });
    return readFileSync(join(out, "nginx/http.conf"), "utf8");
  };

  assert.match(await publish("first"), new RegExp(hash("sha256", "first")));
  for (const _ of ["the change itself", "and a run that changes nothing"]) {
    assert.doesNotMatch(await publish("second"), new RegExp(hash("sha256", "first")));
    assert.equal(readFileSync(blobOf("first"), "utf8"), "first");
    assert.equal(readFileSync(blobOf("second"), "utf8"), "second");
  }
  await publish("third");
  assert.ok(existsSync(blobOf("second")));
  assert.ok(!existsSync(blobOf("first")), "nothing is kept for ever");

  const site = readSiteManifest(join(out, "curtainwall-site.json")) ?? assert.fail("no manifest");
  assert.deepEqual(
    site.manifest.files.map(({ path }) => path),
    ["/", "/index.html", "/tides.txt"],
  );
});
