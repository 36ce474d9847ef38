import assert from "node:assert/strict";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { makeProject } from "../../../test/support/function-project.ts";
import { bundleFunction } from "./bundle-function.ts";
import type { FunctionBundle } from "./bundle-function.ts";

const contact = `import { defineFunction } from "curtainwall/functions";
import type contract from "../curtainwall.config.ts";
import { shout } from "../lib/shout.ts";
export default defineFunction<typeof contract, "POST /api/contact">(({ body }) => ({ said: shout(body.text) }));
`;
const project = {
  "functions/contact.ts": contact,
  "lib/shout.ts": "export const shout = (text: string): string => text.toUpperCase();\n",
  "curtainwall.config.ts": 'throw new Error("the contract is not loaded");\n',
};

type Files = Readonly<Record<string, string>>;
const bundle = (root: string, runner: "workerd" | "node" = "workerd"): Promise<FunctionBundle> =>
  bundleFunction({ root, name: "contact", runner, secrets: [] });
const bundleOf = (t: TestContext, files: Files): Promise<FunctionBundle> => bundle(makeProject(t, files));

suite("a function's bundle", () => {
  test("holds the function, what it imports and our wrapper, and of contract and Zod nothing", async (t) => {
    const { code, sources } = await bundleOf(t, project);
    const text = Buffer.from(code).toString("utf8");
    assert.match(text, /toUpperCase/);
    assert.doesNotMatch(text, /the contract is not loaded|ZodObject/);
    assert.deepEqual(sources, ["functions/contact.ts", "lib/shout.ts"]);
    assert.ok(code.length < 8192, `${code.length} bytes`);
  });

  test("is the same bytes from the same sources, in another folder too, and other bytes from others", async (t) => {
    const first = makeProject(t, project);
    const second = join(makeProject(t, {}), "elsewhere", "deeper");
    cpSync(first, second, { recursive: true, filter: (path) => !path.endsWith("node_modules") });
    symlinkSync(join(first, "node_modules"), join(second, "node_modules"));
    const digests = await Promise.all([bundle(first), bundle(second), bundle(first)]);
    assert.equal(new Set(digests.map(({ sha256 }) => sha256)).size, 1);
    const changed = { ...project, "lib/shout.ts": "export const shout = (text: string): string => text;\n" };
    assert.notEqual((await bundleOf(t, changed)).sha256, digests[0]?.sha256);
  });

  test("names no path of this machine", async (t) => {
    const root = makeProject(t, project);
    const { code } = await bundle(root);
    assert.ok(!Buffer.from(code).includes(root));
    assert.ok(!Buffer.from(code).includes(process.cwd()));
  });

  test("leaves to Node what Node has built in, under its whole name, also where CommonJS asks for it", async (t) => {
    const files = {
      ...project,
      "lib/shout.ts": 'import old from "./old.cjs";\nexport const shout = old.shout;\n',
      "lib/old.cjs": 'exports.shout = (text) => require("util").format("%s!", text);\n',
    };
    const { code } = await bundleOf(t, files);
    assert.match(Buffer.from(code).toString("utf8"), /"node:util"/);
  });

  const refused: [what: string, files: Files, code: string, message: RegExp][] = [
    ["no file", { "functions/other.ts": contact }, "FUNCTIONS_FILE_MISSING", /functions\/contact\.ts/],
    [
      "a mistake",
      { "functions/contact.ts": "export default (\n  1 +;" },
      "FUNCTIONS_SOURCE_INVALID",
      /functions\/contact\.ts:2:\d+: /,
    ],
    [
      "no default export",
      { "functions/contact.ts": "export const a = 1;" },
      "FUNCTIONS_SOURCE_INVALID",
      /by default/,
    ],
    [
      "eval",
      { "functions/contact.ts": 'export default eval("1")' },
      "FUNCTIONS_SOURCE_INVALID",
      /contact\.ts:1:16/,
    ],
    [
      "a package that is not there",
      { "functions/contact.ts": 'import a from "no-such-package";\nexport default a;' },
      "FUNCTIONS_SOURCE_INVALID",
      /contact\.ts:1:15: .*no-such-package/,
    ],
    [
      "a native add-on",
      { "functions/contact.ts": 'import a from "../a.node";\nexport default a;', "a.node": "\x7fELF" },
      "FUNCTIONS_SOURCE_INVALID",
      /\.node/,
    ],
    [
      "the contract",
      { ...project, "functions/contact.ts": 'import a from "../curtainwall.config.ts";\nexport default a;' },
      "FUNCTIONS_IMPORT_REFUSED",
      /the contract/,
    ],
    [
      "the contract by way of another file",
      {
        ...project,
        "lib/shout.ts": 'import a from "../curtainwall.config.ts";\nexport const shout = (): unknown => a;\n',
      },
      "FUNCTIONS_IMPORT_REFUSED",
      /lib\/shout\.ts imports the contract/,
    ],
    [
      "an environment file",
      { "functions/contact.ts": 'import a from "../.env.json";\nexport default a;', ".env.json": "{}" },
      "FUNCTIONS_IMPORT_REFUSED",
      /private/,
    ],
    [
      "a file outside the project",
      { "functions/contact.ts": 'import a from "/etc/os-release";\nexport default a;' },
      "FUNCTIONS_IMPORT_REFUSED",
      /outside/,
    ],
    [
      "what a path made of parts finds among private files",
      {
        "functions/contact.ts": 'export default async (name) => import("../.curtainwall/" + name + ".json");',
        ".curtainwall/key.json": "{}",
      },
      "FUNCTIONS_IMPORT_REFUSED",
      /made of parts takes in \.curtainwall\/key\.json, which is private/,
    ],
    [
      "what a file on the network holds",
      { "functions/contact.ts": 'import a from "https://cdn.example/a.js";\nexport default a;' },
      "FUNCTIONS_IMPORT_REFUSED",
      /contact\.ts imports "https:\/\/cdn\.example\/a\.js", which would be fetched/,
    ],
    [
      "what is of one platform",
      { "functions/contact.ts": 'import { connect } from "cloudflare:sockets";\nexport default connect;' },
      "FUNCTIONS_IMPORT_REFUSED",
      /cloudflare:sockets/,
    ],
    [
      "the rest of this package",
      {
        "functions/contact.ts": 'import { startStack } from "curtainwall/stack";\nexport default startStack;',
      },
      "FUNCTIONS_IMPORT_REFUSED",
      /curtainwall\/stack/,
    ],
  ];
  for (const [what, files, code, message] of refused)
    test(`is not made of ${what}, and the error says where`, async (t) => {
      await assert.rejects(bundleOf(t, files), { code, message });
    });

  test("does not follow a link out of the project", async (t) => {
    const outside = makeProject(t, { "x.ts": "export const shout = 1;\n" });
    const root = makeProject(t, {
      "functions/contact.ts": 'import { shout } from "../lib/x.ts";\nexport default shout;',
      "lib/a.ts": "",
    });
    symlinkSync(join(outside, "x.ts"), join(root, "lib/x.ts"));
    await assert.rejects(bundle(root), { code: "FUNCTIONS_IMPORT_REFUSED" });
  });

  const other = { "other/node_modules/theirs/index.js": 'export default "theirs";' };
  for (const [how, code] of [
    ["a path", 'import a from "../../other/node_modules/theirs/index.js";\nexport default a;'],
    [
      "a path made of parts",
      'export default async (name) => import("../../other/node_modules/theirs/" + name + ".js");',
    ],
  ] as const)
    test(`does not take another project's packages by ${how}`, async (t) => {
      const root = makeProject(t, { "project/functions/contact.ts": code, ...other });
      await assert.rejects(bundle(join(root, "project")), {
        code: "FUNCTIONS_IMPORT_REFUSED",
        message: /\.\.\/other\/node_modules\/theirs\/index\.js, which lies outside/,
      });
    });

  test("takes packages from above the project, from a store, and from the same repository by their names", async (t) => {
    const manifest = (name: string): string => JSON.stringify({ name, type: "module", main: "index.js" });
    const root = makeProject(t, {
      "sites/one/functions/contact.ts":
        'import a from "@acme/words"; import b from "stored"; import c from "above";\nexport default [a, b, c];',
      "packages/words/package.json": manifest("@acme/words"),
      "packages/words/index.js": 'export { default } from "./deep/word.js";',
      "packages/words/deep/word.js": 'export default "from the repository";',
      "sites/node_modules/above/package.json": manifest("above"),
      "sites/node_modules/above/index.js": 'export default "from above";',
      "store/x/node_modules/stored/package.json": manifest("stored"),
      "store/x/node_modules/stored/index.js": 'export { default } from "needed";',
      "store/x/node_modules/needed/package.json": manifest("needed"),
      "store/x/node_modules/needed/index.js": 'export default "from a store";',
    });
    const own = join(root, "sites/one/node_modules");
    mkdirSync(join(own, "@acme"), { recursive: true });
    symlinkSync(join(root, "packages/words"), join(own, "@acme/words"));
    symlinkSync(join(root, "store/x/node_modules/stored"), join(own, "stored"));
    const text = Buffer.from((await bundle(join(root, "sites/one"))).code).toString("utf8");
    assert.match(text, /from the repository/);
    assert.match(text, /from a store/);
    assert.match(text, /from above/);
  });

  test("takes no private file of a package of the same repository", async (t) => {
    const root = makeProject(t, {
      "site/functions/contact.ts": 'import a from "words";\nexport default a;',
      "words/package.json": '{ "name": "words", "type": "module", "main": "index.js" }',
      "words/index.js": 'export { default } from "./.env.json";',
      "words/.env.json": '{ "KEY": "x" }',
    });
    mkdirSync(join(root, "site/node_modules"));
    symlinkSync(join(root, "words"), join(root, "site/node_modules/words"));
    await assert.rejects(bundle(join(root, "site")), {
      code: "FUNCTIONS_IMPORT_REFUSED",
      message: /words\/\.env\.json, which is private/,
    });
  });

  test("does not look outside the project for what a path made of parts may mean, as text neither", async (t) => {
    const root = makeProject(t, {
      "project/functions/contact.ts":
        'export default async (name) => import(`../../notes/${name}.txt`, { with: { type: "text" } });',
      "notes/a.txt": "what nobody asked for",
    });
    await assert.rejects(bundle(join(root, "project")), {
      code: "FUNCTIONS_IMPORT_REFUSED",
      message: /\.\.\/notes\/a\.txt, which lies outside/,
    });
  });

  test("has what a path made of parts finds among the project's own files", async (t) => {
    const { code, sources } = await bundleOf(t, {
      "functions/contact.ts": 'export default async (name) => import("../words/" + name + ".json");',
      "words/de.json": '{ "hello": "Servus" }',
    });
    assert.match(Buffer.from(code).toString(), /Servus/);
    assert.deepEqual(sources, ["functions/contact.ts", "words/de.json"]);
  });

  test("is made of a project that is reached by a link as of the project itself", async (t) => {
    const root = makeProject(t, project);
    const link = join(makeProject(t, {}), "link");
    symlinkSync(root, link);
    assert.equal((await bundle(link)).sha256, (await bundle(root)).sha256);
  });

  test("may use eval where Node runs it", async (t) => {
    const root = makeProject(t, { "functions/contact.ts": 'export default eval("1")' });
    assert.ok((await bundle(root, "node")).code.length > 0);
  });

  test("that is too large is told with what takes most", async (t) => {
    const root = makeProject(t, {
      ...project,
      "lib/shout.ts": `export const shout = (): string => "${"x".repeat(5000)}";`,
    });
    await assert.rejects(
      bundleFunction({ root, name: "contact", runner: "workerd", secrets: [], maxBytes: 6000 }),
      {
        code: "FUNCTIONS_TOO_LARGE",
        message: /lib\/shout\.ts \(50\d\d bytes\)/,
      },
    );
  });

  test("names packages that it holds twice", async (t) => {
    const files = {
      "functions/contact.ts": 'import a from "./a/x.js"; import b from "./b/x.js";\nexport default [a, b];',
      ...Object.fromEntries(
        ["a", "b"].flatMap((folder) => [
          [`functions/${folder}/x.js`, 'export { default } from "twice";'],
          [`functions/${folder}/node_modules/twice/index.js`, `export default "${folder}";`],
          [
            `functions/${folder}/node_modules/twice/package.json`,
            '{ "name": "twice", "main": "index.js", "type": "module" }',
          ],
        ]),
      ),
    };
    const { duplicates } = await bundleOf(t, files);
    assert.deepEqual(duplicates, [
      ["twice", ["functions/a/node_modules/twice", "functions/b/node_modules/twice"]],
    ]);
  });
});
