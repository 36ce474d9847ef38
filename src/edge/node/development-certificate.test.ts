import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { isCurtainwallError, toBase64 } from "../../shared/index.ts";
import { developmentCertificate } from "./development-certificate.ts";
import { issueLeaf } from "./issue-certificate.ts";

const run = promisify(execFile);
const dayMs = 86_400_000;
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "curtainwall-ca-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

test("A certificate is made once and kept, with its keys for the owner alone", async (t) => {
  const folder = join(await makeFolder(t), "made", "on-demand");
  const first = await developmentCertificate({ folder });
  assert.deepEqual(await developmentCertificate({ folder }), first);
  const leaf = new X509Certificate(first.cert);
  assert.equal(leaf.checkHost("localhost"), "localhost");
  for (const address of ["127.0.0.1", "::1"]) assert.equal(leaf.checkIP(address), address);
  assert.equal(leaf.ca, false);
  assert.ok(leaf.verify(new X509Certificate(first.ca).publicKey));
  assert.equal(await readFile(first.caFile, "utf8"), first.ca);
  const spki = leaf.publicKey.export({ type: "spki", format: "der" });
  assert.equal(
    first.spkiSha256Base64,
    toBase64(new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(spki)))),
  );
  const files = await readdir(folder);
  assert.ok(!files.some((file) => file.endsWith(".tmp")));
  for (const file of files.filter((name) => name.endsWith(".pem"))) {
    assert.equal((await stat(join(folder, file))).mode & 0o777, 0o600, file);
  }
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
});

test("Other hosts get another certificate of the same authority; hosts beyond loopback get an authority of their own", async (t) => {
  const folder = await makeFolder(t);
  const loopback = await developmentCertificate({ folder });
  const named = await developmentCertificate({ folder, hosts: ["shop.localhost", "127.0.0.1"] });
  assert.equal(named.ca, loopback.ca);
  assert.notEqual(named.cert, loopback.cert);
  const site = await developmentCertificate({ folder, hosts: ["site.test", "192.0.2.7", "2001:db8::1"] });
  assert.notEqual(site.ca, loopback.ca);
  assert.equal(new X509Certificate(site.cert).checkHost("site.test"), "site.test");
  assert.deepEqual(await developmentCertificate({ folder }), loopback);
});

test("A certificate is made anew 30 days before it ends, an authority before its certificates would outlive it", async (t) => {
  const folder = await makeFolder(t);
  const first = await developmentCertificate({ folder });
  const at = (days: number) => developmentCertificate({ folder, now: () => Date.now() + days * dayMs });
  assert.equal((await at(59)).cert, first.cert);
  const later = await at(61);
  assert.notEqual(later.cert, first.cert);
  assert.equal(later.ca, first.ca);
  const muchLater = await at(3600);
  assert.notEqual(muchLater.ca, first.ca);
  assert.equal(await readFile(muchLater.caFile, "utf8"), muchLater.ca);
});

test("A file that was damaged is replaced", async (t) => {
  const folder = await makeFolder(t);
  const first = await developmentCertificate({ folder });
  const files = await readdir(folder);
  for (const file of files.filter((name) => name.startsWith("leaf")))
    await writeFile(join(folder, file), "damaged");
  const second = await developmentCertificate({ folder });
  assert.notEqual(second.cert, first.cert);
  assert.equal(second.ca, first.ca);
  await writeFile(join(folder, "authority.pem"), first.cert.slice(0, 100));
  const third = await developmentCertificate({ folder });
  assert.ok(new X509Certificate(third.cert).verify(new X509Certificate(third.ca).publicKey));
});

test("Processes that start at once agree on one authority", async (t) => {
  const folder = await makeFolder(t);
  const url = new URL("./development-certificate.ts", import.meta.url).href;
  const source = `const { developmentCertificate } = await import(${JSON.stringify(url)});
    const { ca, cert } = await developmentCertificate({ folder: ${JSON.stringify(folder)} });
    console.log(JSON.stringify({ ca, cert }));`;
  const args = ["--conditions=curtainwall-source", "--input-type=module", "--eval", source];
  const results = await Promise.all(Array.from({ length: 4 }, () => run(process.execPath, args)));
  const pairs = results.map(({ stdout }) => JSON.parse(stdout) as { ca: string; cert: string });
  assert.equal(new Set(pairs.map(({ ca }) => ca)).size, 1);
  for (const { ca, cert } of pairs)
    assert.ok(new X509Certificate(cert).verify(new X509Certificate(ca).publicKey));
});

test(
  "OpenSSL accepts the chain, and refuses the authority for any other site",
  { skip: !hasOpenssl && "no openssl" },
  async (t) => {
    const folder = await makeFolder(t);
    const { cert, ca } = await developmentCertificate({
      folder,
      hosts: ["localhost", "a.localhost", "127.0.0.1", "::1", "site.test"],
    });
    const files = { ca: join(folder, "x-ca"), leaf: join(folder, "x-leaf"), evil: join(folder, "x-evil") };
    await writeFile(files.ca, ca);
    await writeFile(files.leaf, cert);
    const verify = (file: string) =>
      run("openssl", ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", files.ca, file]);
    assert.match((await verify(files.leaf)).stdout, /: OK/);
    const authorityFile = (await readdir(folder)).find((name) => name.startsWith("authority"));
    const text = await readFile(join(folder, authorityFile ?? ""), "utf8");
    const at = text.indexOf("-----BEGIN CERTIFICATE");
    const authority = { key: text.slice(0, at), cert: text.slice(at) };
    for (const host of ["bank.example", "192.0.2.1", "2001:db8::1", "evil-site.test"]) {
      const evil = await issueLeaf({ authority, hosts: [host], now: Date.now(), days: 1 });
      await writeFile(files.evil, evil.cert);
      await assert.rejects(verify(files.evil), /permitted subtree violation/, host);
    }
  },
);

test("A host that is none is refused", async (t) => {
  const folder = await makeFolder(t);
  for (const host of ["", "a b", "a:443", "[::1]", "-a", "a..b", "*.localhost"]) {
    await assert.rejects(developmentCertificate({ folder, hosts: [host] }), (error) =>
      isCurtainwallError(error, "EDGE_OPTION_INVALID"),
    );
  }
});
