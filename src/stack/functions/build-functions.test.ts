import assert from "node:assert/strict";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { makeProject } from "../../../test/support/function-project.ts";
import { stackFolders } from "../folders.ts";
import { loadContract } from "../contract/load-contract.ts";
import type { LoadedContract } from "../contract/load-contract.ts";
import { publishRelease } from "../releases/publish-release.ts";
import { buildApiAlone } from "../builder/api-alone.ts";
import { acceptedBundles, functionDigests } from "./accepted-bundles.ts";
import { buildFunctions } from "./build-functions.ts";
import { openBundleStore } from "./bundle-store.ts";
import { reviewFunctions } from "./review-functions.ts";

const contract = `import { defineStack, everyone, fn } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost:9443",
  functions: { contact: { memoryMb: 128 }, clock: { every: "1h" } },
  routes: {
    "GET /api/contact": { access: everyone, limit: "60/min per client", response: z.object({ said: z.string() }), to: fn("contact") },
  },
});
`;
const contact = `import { defineFunction } from "curtainwall/functions";
import type contract from "../curtainwall.config.ts";
export default defineFunction<typeof contract, "GET /api/contact">(() => ({ said: "hello" }));
`;
const clock = `import { onSchedule } from "curtainwall/functions";
export default onSchedule(() => {});
`;

async function project(
  t: TestContext,
  files: Readonly<Record<string, string>> = {},
): Promise<LoadedContract> {
  const root = makeProject(t, {
    "package.json": '{ "type": "module" }',
    "curtainwall.config.ts": contract,
    "functions/contact.ts": contact,
    "functions/clock.ts": clock,
    ...files,
  });
  return loadContract(root);
}

const publish = async (loaded: LoadedContract): Promise<unknown> =>
  publishRelease(loaded, (await buildApiAlone()).release);

suite("building functions", () => {
  test("bundles and starts each, and the program that is signed names their code", async (t) => {
    const loaded = await project(t);
    const built = await buildFunctions(loaded);
    assert.deepEqual(
      built.map(({ name, isNew }) => [name, isNew]),
      [
        ["contact", true],
        ["clock", true],
      ],
    );
    assert.equal((await acceptedBundles(loaded)).size, 0, "what was built is not accepted yet");
    await publish(loaded);
    const accepted = await acceptedBundles(loaded);
    assert.deepEqual(
      [...accepted].map(([name, { sha256 }]) => [name, sha256]),
      built.map(({ name, sha256 }) => [name, sha256]),
    );
    assert.match(accepted.get("contact")?.map ?? "", /functions\/contact\.ts/);
    assert.deepEqual(
      (await buildFunctions(loaded)).map(({ isNew }) => isNew),
      [false, false],
    );
  });

  test("code that was changed on disk after it was signed is not given out", async (t) => {
    const loaded = await project(t);
    await buildFunctions(loaded);
    await publish(loaded);
    const { file } = (await acceptedBundles(loaded)).get("contact") ?? { file: "" };
    appendFileSync(file, "\nexfiltrate();");
    await assert.rejects(acceptedBundles(loaded), { code: "FUNCTIONS_BUNDLE_CHANGED", message: /contact/ });
  });

  test("code that was built and not published changes nothing of what is accepted, whoever wrote it there", async (t) => {
    const loaded = await project(t);
    await buildFunctions(loaded);
    await publish(loaded);
    const before = await acceptedBundles(loaded);
    writeFileSync(join(loaded.root, "functions/contact.ts"), contact.replace("hello", "other"));
    const review = (await reviewFunctions(loaded)).map(({ name, state }) => [name, state]);
    assert.deepEqual(review, [
      ["contact", "changed"],
      ["clock", "signed"],
    ]);
    await buildFunctions(loaded);
    assert.deepEqual(await acceptedBundles(loaded), before);
    await publish(loaded);
    assert.notDeepEqual(await acceptedBundles(loaded), before);
  });

  test("a function never runs another's code, though that was signed too", () => {
    const digest = "a".repeat(64);
    const digests = functionDigests({ functions: [`contact ${digest}`, "clock nonsense", "clock"] });
    assert.deepEqual([...digests], [["contact", digest]]);
  });

  const hostile: [what: string, source: string, message: RegExp][] = [
    [
      "throws while it is loaded",
      "const nothing: any = null;\nnothing.at();\nexport default nothing;",
      /functions\/clock\.ts:2:/,
    ],
    ["waits for ever while it is loaded", "await new Promise(() => {});\nexport default 1;", /unsettled/],
    [
      "asks the network while it is loaded",
      'await fetch("https://example.com");\nexport default 1;',
      /functions\/clock\.ts:1:/,
    ],
    [
      "allocates without end",
      "const all = [];\nfor (;;) all.push(new Uint8Array(1e7).fill(1));\nexport default all;",
      /MiB|memory|ended/i,
    ],
    ["exports what is no function", "export default 1;", /exports no function/],
  ];
  for (const [what, source, message] of hostile)
    test(`ends when a function ${what}, and nothing is kept of it`, async (t) => {
      const loaded = await project(t);
      await buildFunctions(loaded);
      const before = openBundleStore(stackFolders(loaded.root)).built();
      writeFileSync(join(loaded.root, "functions/clock.ts"), source);
      await assert.rejects(buildFunctions(loaded), { code: "FUNCTIONS_BOOT_FAILED", message });
      assert.deepEqual(openBundleStore(stackFolders(loaded.root)).built(), before);
    });

  test("a function that loops while it is loaded is ended, with a process that nothing is left of", async (t) => {
    const loaded = await project(t, { "functions/clock.ts": "for (;;) {}\nexport default 1;" });
    const { smokeBoot } = await import("./smoke-boot.ts");
    const { engineFor } = await import("./engine-for.ts");
    const store = openBundleStore(stackFolders(loaded.root));
    const { bundleFunction } = await import("../../functions/node.ts");
    const bundle = await bundleFunction({ root: loaded.root, name: "clock", runner: "workerd", secrets: [] });
    store.put(bundle);
    const engine = engineFor(
      "workerd",
      new Map([["clock", { file: store.file(bundle.sha256), sha256: bundle.sha256 }]]),
    );
    const booting = smokeBoot({
      name: "clock",
      engine,
      map: bundle.map,
      memoryMb: 128,
      root: loaded.root,
      timeoutMs: 500,
    });
    await assert.rejects(booting, { code: "FUNCTIONS_BOOT_FAILED", message: /did not answer within 0\.5 s/ });
    assert.ok(!existsSync(`${store.file(bundle.sha256)}.map`), "it counts as never started");
  });

  test("a file that the contract does not declare is no function, and one that it shares with others may lie there", async (t) => {
    const shared = await project(t, {
      "functions/_shared.ts": "export const a = 1;",
      "functions/contact.test.ts": "",
    });
    assert.equal((await buildFunctions(shared)).length, 2);
    const loaded = await project(t, { "functions/orders.ts": contact });
    await assert.rejects(buildFunctions(loaded), {
      code: "FUNCTIONS_FILE_UNDECLARED",
      message: /functions\/orders/,
    });
  });

  test("a function for Node is started in Node, and may use eval", async (t) => {
    const loaded = await project(t, {
      "curtainwall.config.ts": contract.replace('every: "1h"', 'every: "1h", runner: "node"'),
      "functions/clock.ts": clock.replace("() => {}", 'new Function("return () => {}")()'),
    });
    assert.equal((await buildFunctions(loaded)).length, 2);
    assert.match(readFileSync(join(loaded.root, "functions/clock.ts"), "utf8"), /new Function/);
  });
});
