import assert from "node:assert/strict";
import { createHash, hash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { fingerprintsOf } from "../src/harden/fingerprints.ts";
import { createLeakGate } from "../src/harden/index.ts";
import { unpack } from "../src/harden/node.ts";
import { Secret } from "../src/shared/index.ts";
import { runCheck } from "../src/audit/check.ts";
import { createCommands } from "../src/audit/commands.ts";
import type { AuditContext } from "../src/audit/context.ts";
import type { OutputSearch } from "../src/audit/probes/probe.ts";
import type { AuditCheck } from "../src/audit/report.ts";
import { api4, fe6 } from "../src/audit/rules/output.ts";

const value = "t-Zt7/qLp+02vKx_9dWm4Rb";

/** Put together here, so that no scanner of repositories takes it for one. */
const gitlabToken = ["glpat", createHash("sha256").update("a body").digest("hex").slice(0, 20)].join("-");

/** Only the vault has this one. */
const kept = "q-Wm4Rb8fQ2nXc-Zt7_not-real";
const sha256 = (bytes: Uint8Array): Uint8Array => hash("sha256", bytes, "buffer");
const prints = fingerprintsOf([{ name: "DELIVERY_KEY", version: "1", value: new Secret(kept) }], {
  salt: randomBytes(16),
  sha256,
});
const contract = { secrets: new Map([["DELIVERY_KEY", {}]]), leaks: { canaries: [] } };

/** The real gate over these files. */
function searchOf(files: Readonly<Record<string, string | Uint8Array>>): OutputSearch {
  const gate = createLeakGate({
    unpack,
    fingerprints: { of: prints, sha256 },
    values: [{ name: "CMS_TOKEN", value: new Secret(value) }],
    publicNames: ["VITE_SHOP"],
  });
  const all = Object.entries(files).map(([path, data]) => ({
    path,
    bytes: typeof data === "string" ? new TextEncoder().encode(data) : data,
  }));
  const findings = all.flatMap((file) =>
    gate.inspect(file).map(({ rule, path, message }) => ({ rule, path, text: message })),
  );
  const secrets = { declared: ["DELIVERY_KEY"], searched: ["DELIVERY_KEY"], unsearched: [] };
  return { files: all.length, values: ["CMS_TOKEN"], secrets, isHeldToPublicNames: true, findings };
}

async function look(search: OutputSearch | undefined): Promise<Map<string, AuditCheck>> {
  const context = {
    release: {},
    contract,
    searchOutput: search === undefined ? undefined : () => Promise.resolve(search),
    commands: createCommands({ folder: ".", address: undefined, environment: [], start: undefined }),
  } as unknown as AuditContext;
  const checks = [...api4.checks, ...fe6.checks].filter(({ kind }) => kind === "built");
  return new Map(
    await Promise.all(
      checks.map(async (check) => [check.name, await runCheck(check, "FE-6", context)] as const),
    ),
  );
}

const states = (checks: Map<string, AuditCheck>): Record<string, string> =>
  Object.fromEntries([...checks].map(([name, { state }]) => [name, state]));

test("an output without secrets passes every check, and each says in how many files it looked", async () => {
  const checks = await look(searchOf({ "index.html": "<p>Bread</p>", "site.js": "console.log(1)" }));
  assert.deepEqual(new Set(Object.values(states(checks))), new Set(["passed"]));
  assert.match(JSON.stringify(checks.get("source maps")?.evidence), /in 2 files/);
});

test("each kind of leak fails its own check and no other, and the value is not told", async () => {
  const hidden = Buffer.from(`key=${value}`).toString("base64");
  const kinds: [file: string, text: string, check: string][] = [
    ["a.js", `const k = "${hidden}"`, "values that the contract keeps private, in every encoding"],
    [
      "e.js",
      `const k = "${Buffer.from(kept).toString("hex")}"`,
      "vault values and canaries in all output, in every encoding",
    ],
    ["b.js", `const k = "${gitlabToken}"`, "provider patterns"],
    ["c.js.map", '{"version":3,"sources":["a.ts"],"mappings":"AAAA","sourcesContent":["1"]}', "source maps"],
    ["d.js", "const a = import.meta.env.VITE_OTHER", "public-env prefixes"],
    ["config/.env", "SHOP=bakery", "all else that a build is refused for"],
  ];
  for (const [file, text, name] of kinds) {
    const checks = await look(searchOf({ "index.html": "<p>Bread</p>", [file]: text }));
    const failed = [...checks].flatMap(([check, { state }]) => (state === "failed" ? [check] : []));
    assert.deepEqual(failed, [name]);
    for (const text_ of [value, kept]) assert.ok(!JSON.stringify([...checks]).includes(text_.slice(0, 8)));
    assert.match(JSON.stringify(checks.get(name)?.evidence), new RegExp(file));
  }
});

test("what nobody searched is missing, and what there is nothing to look for does not apply: neither is a pass", async () => {
  assert.deepEqual(new Set(Object.values(states(await look(undefined)))), new Set(["missing"]));
  const bare = { ...searchOf({ "index.html": "x" }), values: [], isHeldToPublicNames: false };
  const checks = states(await look(bare));
  assert.equal(checks["values that the contract keeps private, in every encoding"], "not applicable");
  assert.equal(checks["public-env prefixes"], "not applicable");
  assert.equal(checks["provider patterns"], "passed");
  assert.deepEqual(
    new Set(Object.values(states(await look({ ...bare, files: 0 })))),
    new Set(["missing", "not applicable"]),
  );
});

test("a secret whose vault can't be asked is missing, and says so; one without a value needs no search", async () => {
  const name = "vault values and canaries in all output, in every encoding";
  const search = searchOf({ "index.html": "<p>Bread</p>" });
  const unsearched = [{ name: "DELIVERY_KEY", reason: "its vault is not on this machine" }];
  const missing = (await look({ ...search, secrets: { ...search.secrets, searched: [], unsearched } })).get(
    name,
  );
  assert.equal(missing?.state, "missing");
  assert.match(missing.reason ?? "", /DELIVERY_KEY was not looked for: its vault is not/);
  const unset = (await look({ ...search, secrets: { ...search.secrets, searched: [] } })).get(name);
  assert.equal(unset?.state, "not applicable");
});
