import assert from "node:assert/strict";
import { hash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { brotliCompressSync } from "node:zlib";
import { z } from "zod";
import { encodeRelease } from "../../contract/index.ts";
import type { Variables } from "../../contract/index.ts";
import { fingerprintsOf } from "../../harden/fingerprints.ts";
import { Secret } from "../../shared/index.ts";
import { stackFolders } from "../folders.ts";
import { assertReleaseKeepsSecrets, createContractGate, inspectRelease } from "./leak-gate.ts";
import type { ContractGateOptions } from "./leak-gate.ts";
import { openVerdicts } from "./leak-verdicts.ts";

const secret = "Zt7-not-a-real-token-Qm3";
const later = "2999-01-01";

function makeRoot(context: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), "cw-verdicts-"));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  const { releaseKeyFile } = stackFolders(root);
  mkdirSync(dirname(releaseKeyFile), { recursive: true });
  writeFileSync(releaseKeyFile, "no key, only bytes that others don't have");
  return root;
}

type Leaks = NonNullable<ContractGateOptions["contract"]>["leaks"];

const gateFor = (
  root: string,
  variables: Variables = { KEY: secret },
  leaks: Partial<Leaks> = {},
): ContractGateOptions => ({
  contract: {
    environment: { public: new Map(), private: new Map([["KEY", z.string()]]) },
    leaks: { allow: [], publicSourceMaps: [], canaries: [], ...leaks },
  },
  root,
  variables,
});

const packOf = (pages: Readonly<Record<string, string>>): Promise<Uint8Array> =>
  encodeRelease(
    Object.entries(pages).map(([path, text]) => ({
      path,
      headers: [["content-type", "text/html"]],
      bytes: { identity: Buffer.from(text) },
    })),
  );

/** Rules of what is found, by a gate that remembers. */
async function rulesFor(
  options: ContractGateOptions,
  pages: Readonly<Record<string, string>>,
): Promise<string[]> {
  const verdicts = openVerdicts(options);
  const { hits } = await inspectRelease(await packOf(pages), createContractGate(options), verdicts);
  verdicts?.save();
  return hits.filter(({ level }) => level === "hit").map(({ rule, path }) => `${path} ${rule}`);
}

const honest = {
  "/": "<p>Bread.</p>",
  "/about/": "<p>Zt7 bakers, and the word of the day: rye-bread-1234</p>",
};
const fileOf = (root: string): string => join(stackFolders(root).cache, "leaks.verdicts");
const clean = (text: string): readonly [{ path: string; bytes: Uint8Array }, string] => [
  { path: "index.html", bytes: Buffer.from(text) },
  hash("sha256", text),
];

suite("what was found clean once", () => {
  test("is not searched again, which a file shows whose bytes are others' in truth", async (context) => {
    const root = makeRoot(context);
    assert.deepEqual(await rulesFor(gateFor(root), honest), []);
    const [, sha256] = clean(honest["/"]);
    const planted = { path: "index.html", bytes: Buffer.from(secret) };
    assert.equal(openVerdicts(gateFor(root))?.isClean(planted, sha256), true);
    assert.equal(openVerdicts(gateFor(root))?.isClean({ ...planted, path: "other.html" }, sha256), false);
  });

  test("is searched when it changed", async (context) => {
    const root = makeRoot(context);
    await rulesFor(gateFor(root), honest);
    const edited = { ...honest, "/": `<p>${secret}</p>` };
    assert.deepEqual(await rulesFor(gateFor(root), edited), ["index.html private-value"]);
    assert.deepEqual(await rulesFor(gateFor(root), edited), ["index.html private-value"]);
    assert.deepEqual(await rulesFor(gateFor(root), honest), []);
  });

  test("is searched for a value that is new", async (context) => {
    const root = makeRoot(context);
    await rulesFor(gateFor(root), honest);
    const variables = { KEY: "rye-bread-1234" };
    assert.deepEqual(await rulesFor(gateFor(root, variables), honest), ["about/index.html private-value"]);
    const undeclared = { KEY: secret, SHOP_TOKEN: "rye-bread-1234" };
    assert.deepEqual(await rulesFor(gateFor(root, undeclared), honest), [
      "about/index.html environment-value",
    ]);
  });

  test("is searched for a value that the vault has, of which nothing but fingerprints is here", async (context) => {
    const root = makeRoot(context);
    const kept = "Zt7-no-token-either-Wm4Rb8fQ2nXc";
    const fingerprints = (value: string, version: string): ContractGateOptions["fingerprints"] =>
      fingerprintsOf([{ name: "DELIVERY_KEY", version, value: new Secret(value) }], {
        salt: randomBytes(16),
        sha256: (bytes) => hash("sha256", bytes, "buffer"),
      });
    const pages = { ...honest, "/": `<p data-key="${Buffer.from(kept).toString("base64")}">Bread.</p>` };
    const before = { ...gateFor(root), fingerprints: fingerprints(`${kept}-older`, "1") };
    assert.deepEqual(await rulesFor(before, pages), []);
    const after = { ...gateFor(root), fingerprints: fingerprints(kept, "2") };
    assert.deepEqual(await rulesFor(after, pages), ["index.html vault-value"]);
    const { path, sha256 } = { path: "index.html", sha256: hash("sha256", honest["/"]) };
    const planted = { path, bytes: Buffer.from(kept) };
    await rulesFor(after, honest);
    const again = { ...after, fingerprints: fingerprints(kept, "2") };
    assert.equal(openVerdicts(again)?.isClean(planted, sha256), true, "other salts, the same versions");
  });

  test("is searched in another folder, whose name must not be told", async (context) => {
    const root = makeRoot(context);
    const pages = { "/": `<p>${join(tmpdir(), "elsewhere", "site", "pages")}</p>` };
    assert.deepEqual(await rulesFor(gateFor(root), pages), []);
    const moved = join(tmpdir(), "elsewhere", "site");
    const verdicts = openVerdicts(gateFor(root));
    verdicts?.save();
    const other = { ...gateFor(root), root: moved };
    mkdirSync(dirname(stackFolders(moved).releaseKeyFile), { recursive: true });
    context.after(() => rmSync(dirname(moved), { recursive: true, force: true }));
    writeFileSync(stackFolders(moved).releaseKeyFile, readFileSync(stackFolders(root).releaseKeyFile));
    mkdirSync(dirname(fileOf(moved)), { recursive: true });
    writeFileSync(fileOf(moved), readFileSync(fileOf(root)));
    assert.deepEqual(await rulesFor(other, pages), ["index.html build-path"]);
  });

  test("is searched by a gate whose code is another", async (context) => {
    const root = makeRoot(context);
    await rulesFor(gateFor(root), honest);
    const [, sha256] = clean(honest["/"]);
    const planted = { path: "index.html", bytes: Buffer.from(secret) };
    assert.equal(openVerdicts(gateFor(root))?.isClean(planted, sha256), true);
    assert.equal(openVerdicts(gateFor(root), ["another version"])?.isClean(planted, sha256), false);
  });

  test("does not include what an exception admits, which ends", async (context) => {
    const root = makeRoot(context);
    const pages = { "/": `<p>${secret}</p>` };
    const allow: Leaks["allow"] = [
      { rule: "private-value", path: "index.html", reason: "a test", expires: later },
    ];
    assert.deepEqual(await rulesFor(gateFor(root, { KEY: secret }, { allow }), pages), []);
    assert.deepEqual(await rulesFor(gateFor(root), pages), ["index.html private-value"]);
  });

  test("is not believed when a letter of the file is another, with another key, or cut short", async (context) => {
    const root = makeRoot(context);
    await rulesFor(gateFor(root), honest);
    const kept = readFileSync(fileOf(root));
    const [, sha256] = clean(honest["/"]);
    const planted = { path: "index.html", bytes: Buffer.from(secret) };
    const isBelieved = (): boolean | undefined => openVerdicts(gateFor(root))?.isClean(planted, sha256);
    assert.equal(isBelieved(), true);
    for (const at of [0, 64, 70, 140, kept.length - 1]) {
      writeFileSync(fileOf(root), kept.with(at, kept[at] === 0x30 ? 0x31 : 0x30));
      assert.equal(isBelieved(), false, String(at));
    }
    for (const damaged of [kept.subarray(0, -65), Buffer.alloc(0), Buffer.from("\n\n")]) {
      writeFileSync(fileOf(root), damaged);
      assert.equal(isBelieved(), false);
    }
    writeFileSync(fileOf(root), kept);
    writeFileSync(stackFolders(root).releaseKeyFile, "another key");
    assert.equal(isBelieved(), false);
    rmSync(stackFolders(root).releaseKeyFile);
    assert.equal(openVerdicts(gateFor(root)), undefined);
  });

  test("is searched in the form that visitors get: one that holds something else ends the build, each time", async (context) => {
    const root = makeRoot(context);
    const plain = Buffer.from(`<p>${"Bread. ".repeat(60)}</p>`);
    const pack = (br: Uint8Array): Promise<Uint8Array> =>
      encodeRelease([
        { path: "/", headers: [["content-type", "text/html"]], bytes: { identity: plain, br } },
      ]);
    const honestPack = await pack(brotliCompressSync(plain));
    const gate = (): ReturnType<typeof createContractGate> => createContractGate(gateFor(root));
    await assertReleaseKeepsSecrets(honestPack, gate(), openVerdicts(gateFor(root)));
    for (const form of [brotliCompressSync(Buffer.from(`<p>${secret}</p>`)), Buffer.from("no brotli")]) {
      const forged = await pack(form);
      for (const verdicts of [undefined, openVerdicts(gateFor(root)), openVerdicts(gateFor(root))])
        await assert.rejects(assertReleaseKeepsSecrets(forged, gate(), verdicts), {
          code: "STACK_BUILD_FAILED",
          message: /compressed form br/,
        });
    }
    await assertReleaseKeepsSecrets(honestPack, gate(), openVerdicts(gateFor(root)));
  });

  test("tells nothing of a value", async (context) => {
    const root = makeRoot(context);
    await rulesFor(gateFor(root), honest);
    const text = readFileSync(fileOf(root), "latin1");
    for (const encoding of ["utf8", "hex", "base64"] as const)
      assert.ok(!text.includes(Buffer.from(secret).toString(encoding)));
    assert.ok(!text.includes(hash("sha256", secret)));
  });
});
