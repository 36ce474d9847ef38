import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { assertTextsKept } from "../tools/bundle-texts.ts";
import { ownModules } from "../tools/bundle-plugins.ts";

const folder = mkdtempSync(join(tmpdir(), "curtainwall-texts-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Bundles a module as the package's are, and gives what it exports. */
async function bundled(name: string, code: string): Promise<Record<string, unknown>> {
  const entry = join(folder, `${name}.ts`);
  const outfile = join(folder, "run", `${name}.mjs`);
  writeFileSync(entry, code);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    logLevel: "silent",
    plugins: [ownModules(folder)],
  });
  return (await import(pathToFileURL(outfile).href)) as Record<string, unknown>;
}

suite("texts in what is bundled", () => {
  test("stay as they were written, while the code beside them knows the plain module's address", async () => {
    const made = await bundled(
      "mend",
      `export const code = \`new URL("public/", import.meta.url).pathname\`;
export const quoted = 'import.meta.dirname';
export const mixed: string = \`import.meta.url is \${import.meta.url}\`;
`,
    );
    const own = pathToFileURL(join(folder, "mend.js")).href;
    assert.equal(made.code, `new URL("public/", import.meta.url).pathname`);
    assert.equal(made.quoted, "import.meta.dirname");
    assert.equal(made.mixed, `import.meta.url is ${own}`);
  });

  test("end the build when they were changed, by whatever pattern", async () => {
    // Lines of a text that begin as imports do are what the other patterns look for.
    const code = `export const code = \`\nimport { request } from "undici";\n\`;\n`;
    await assert.rejects(bundled("caught", code), /the bundle changes a text of .*caught\.ts: .*undici/);
  });

  test("are held to their order and number; what a module imports is none", () => {
    const before = `import a from "a";\nconst b = ["b", \`c\${"d"}e\`];`;
    assertTextsKept("x.ts", { before, after: before.replace(`"a"`, `"other"`) });
    assertTextsKept("x.ts", { before, after: `${before} const more = "f";` });
    for (const [from, to] of [
      [`"b"`, `"B"`],
      [`"d"`, `"b"`],
      ["}e", "}"],
    ] as const)
      assert.throws(
        () => assertTextsKept("x.ts", { before, after: before.replace(from, to) }),
        /the bundle changes a text of x\.ts/,
      );
  });
});
