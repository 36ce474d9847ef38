import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { command } from "../../../test/support/command.ts";
import { makeProject } from "../../../test/support/project.ts";
import { loadContract } from "../../stack/index.ts";
import { buildAny } from "./build.ts";
import { recallBuild, recordFiles } from "./build-record.ts";
import type { BuildResult } from "./build-result.ts";
import { observeBuild } from "./observe-build.ts";

const template = (word: string): string =>
  `import { Content, asset } from "curtainwall/template";
import data from "../words.json";
export const page = ({ entry }) => <html lang="en"><head><title>${word}</title></head><body><Content of={entry} /><img src={asset("a.svg")} alt={data.word} /></body></html>;
`;
const contract = (more = ""): string => `import { defineStack } from "curtainwall";
import { z } from "zod";
import { title } from "./shapes.ts";
${more}
export default defineStack({
  origin: "https://localhost",
  site: { content: "content", templates: "templates", assets: "public", collections: { pages: z.object({ title }) } },
});
`;

const project = await makeProject({
  config: contract(),
  files: {
    "shapes.ts": `import { z } from "zod";\nexport const title = z.string();\n`,
    "words.json": `{ "word": "rye" }`,
    "content/pages/index.md": "---\ntitle: Home\n---\nBread.\n",
    "templates/pages.tsx": template("rye"),
    "public/a.svg": `<svg xmlns="http://www.w3.org/2000/svg"/>`,
  },
});
after(() => project.remove());
const { root } = project;
const files = recordFiles(root);
const options = { drafts: false, json: false, verbose: false };
const recall = (now = Date.now()): BuildResult | undefined => recallBuild(files, now);

const built = await buildAny(root, options);
assert.ok(built !== undefined);

/** Notes the project as it is now, as if it had just been built. */
async function remember(): Promise<void> {
  const observer = observeBuild(root);
  observer.keep(await loadContract(root), built as BuildResult);
  assert.ok(recall(), "an honest record is believed");
}

test("after a build nothing has changed, and what it made is told again", () => {
  assert.deepEqual(recall(), { ...built, isNew: false });
});

test("the command then says the same, and is done without reading the site", () => {
  const run = (): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [...command, "build", root], {
      encoding: "utf8",
    });
  const [first, second] = [run(), run()];
  assert.equal(second.status, 0, second.stderr);
  assert.equal(second.stdout, first.stdout);
  assert.match(second.stderr, /is the site's already/);
});

const changes: Record<string, () => void> = {
  content: () => writeFileSync(join(root, "content/pages/index.md"), "---\ntitle: Home\n---\nBreads\n"),
  "content that is new": () => writeFileSync(join(root, "content/pages/new.md"), "---\ntitle: New\n---\n"),
  "content that is gone": () => rmSync(join(root, "content/pages/new.md")),
  "a template": () => writeFileSync(join(root, "templates/pages.tsx"), template("oat")),
  "a file that templates import": () => writeFileSync(join(root, "words.json"), `{ "word": "oat" }`),
  "an asset": () => writeFileSync(join(root, "public/a.svg"), `<svg xmlns="http://www.w3.org/2000/svg" />`),
  "the contract": () => writeFileSync(join(root, "curtainwall.config.ts"), contract("// other")),
  "what the contract imports": () =>
    writeFileSync(
      join(root, "shapes.ts"),
      `import { z } from "zod";\nexport const title = z.string().min(1);\n`,
    ),
  "another contract's name": () => writeFileSync(join(root, "curtainwall.config.mts"), contract()),
  "a signed program": () => writeFileSync(join(root, "curtainwall.program.json"), "{}"),
  "a missing release": () => rmSync(built.file),
  "a release key": () => writeFileSync(files.keyFile, readFileSync(files.keyFile, "utf8") + "\n"),
};

for (const [what, change] of Object.entries(changes)) {
  test(`a build notices ${what}`, async () => {
    await remember();
    change();
    assert.equal(recall(), undefined);
    if (what === "another contract's name") rmSync(join(root, "curtainwall.config.mts"));
    if (what === "a signed program") rmSync(join(root, "curtainwall.program.json"));
  });
}

test("an edit that leaves size and times as they were is noticed while the file is young", async () => {
  const file = join(root, "content/pages/index.md");
  await remember();
  const { atime, mtime } = statSync(file);
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace("B", "G"));
  utimesSync(file, atime, mtime);
  assert.equal(recall(), undefined);
});

test("a build notices another variable, another folder to run in, and a time at which it must look again", async () => {
  await remember();
  process.env.CURTAINWALL_TEST_WORD = "rye";
  assert.equal(recall(), undefined);
  delete process.env.CURTAINWALL_TEST_WORD;
  assert.ok(recall());
  const here = process.cwd();
  process.chdir("/");
  assert.equal(recall(), undefined);
  process.chdir(here);
  assert.ok(recall());
  assert.equal(recall(Date.now() + 400 * 86_400_000), undefined);
});

test("a record tells no variable, and is not believed once a letter of it is changed", async () => {
  process.env.CURTAINWALL_TEST_TOKEN = "not-a-real-token-only-words";
  await remember();
  const file = join(files.cache, "build.record");
  const text = readFileSync(file, "utf8");
  assert.ok(!text.includes("only-words"));
  for (let at = 0; at < text.length; at += Math.ceil(text.length / 40)) {
    const letter = text.charAt(at) === "1" ? "2" : "1";
    writeFileSync(file, text.slice(0, at) + letter + text.slice(at + 1));
    assert.equal(recall(), undefined);
  }
  writeFileSync(file, text);
  assert.ok(recall());
  delete process.env.CURTAINWALL_TEST_TOKEN;
});

test("nothing is remembered of a contract that reads a clock or a file, or imports what is not known", async () => {
  for (const more of [
    "const now = Date.now();",
    `import { readFileSync } from "node:fs";`,
    `import undici from "undici";`,
  ]) {
    await remember();
    const file = join(root, "curtainwall.config.ts");
    writeFileSync(file, contract(more));
    const observer = observeBuild(root);
    observer.keep(await loadContract(root), built);
    assert.equal(recall(), undefined, more);
    writeFileSync(file, contract("const word = process.env.WORD;"));
  }
});
