import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "@babel/parser";
import { compile } from "./compile.ts";
import { planHelp } from "../src/cli/audit/plan-help.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

const find = (pattern: string): string[] =>
  globSync(pattern, { cwd: root })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => !/(^|\/)(node_modules|dist|\.curtainwall|fixtures)\//.test(path))
    .sort();

/** Documents for readers of the repository. A site's content is not among them: its links are the site's. */
const documents = find("**/*.md").filter(
  (path) => !/^(?:examples\/[^/]+\/content|test\/generators)\//.test(path),
);
const sources = find("src/**/*.{ts,tsx}").filter((path) => !path.includes(".test."));

const fence = /^(`{3,})(\w*)[^\n]*\n([\s\S]*?)^\1`*[ \t]*$/gm;

interface CodeBlock {
  path: string;
  /** Line of its first line in the file. */
  line: number;
  text: string;
}

function blocksIn(path: string, text: string): CodeBlock[] {
  return [...text.matchAll(fence)]
    .filter(([, , language]) => language === "ts")
    .map((match) => {
      const line = text.slice(0, match.index).split("\n").length + 1;
      return { path, line, text: match[3] ?? "" };
    });
}

/** A source file with its docstrings' stars taken away, line by line, so that the numbers stay. */
const docstringsOf = (text: string): string => text.replaceAll(/^ *\* ?/gm, "");

/** The codes that a room declares: the texts of the union in its `errors.ts`. */
const declaredCodes = new Map(
  find("src/*/errors.ts").map((path) => [
    path.split("/")[1] ?? "",
    [...read(path).matchAll(/"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"/g)].map(([, code]) => code ?? ""),
  ]),
);

/** The codes that a file makes errors with. */
function usedCodes(path: string): string[] {
  const plugins: ("typescript" | "jsx")[] = path.endsWith(".tsx") ? ["typescript", "jsx"] : ["typescript"];
  const { tokens } = parse(read(path), { sourceType: "module", plugins, tokens: true });
  const list = (tokens ?? []) as { value?: unknown; type: { label?: string } }[];
  return list.flatMap(({ value, type }, index) =>
    type.label === "string" &&
    list[index - 2]?.value === "CurtainwallError" &&
    list[index - 3]?.value === "new"
      ? [String(value)]
      : [],
  );
}

/** Anchors of a document, as GitHub makes them from headings. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.replaceAll(fence, "").matchAll(/^#{1,6} +(.+?) *$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}\p{Pc} -]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** Relative links of a document that lead nowhere. */
function brokenLinks(path: string): string[] {
  const prose = read(path)
    .replaceAll(fence, "")
    .replaceAll(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g)]
    .map(([, link = ""]) => link)
    .filter((link) => !/^[a-z]+:/i.test(link))
    .filter((link) => !leadsSomewhere(path, link));
}

function leadsSomewhere(path: string, link: string): boolean {
  const [file = "", anchor] = link.split("#");
  const target = file === "" ? path : relative(root, join(root, dirname(path), decodeURI(file)));
  if (target.startsWith("..") || !existsSync(join(root, target))) return false;
  return anchor === undefined || !target.endsWith(".md") || anchorsOf(read(target)).includes(anchor);
}

suite("the documents", () => {
  test("each error code of each room is explained in docs/errors.md, once, and no other is", () => {
    const explained = anchorsOf(read("docs/errors.md")).filter((anchor) => anchor.includes("_"));
    const declared = [...declaredCodes.values()].flat();
    assert.ok(declared.length > 10);
    assert.equal(new Set(declared).size, declared.length, "a code is declared twice");
    assert.deepEqual(explained.sort(), declared.map((code) => code.toLowerCase()).sort());
  });

  test("an explanation says what happened, why, and what to do", () => {
    for (const section of read("docs/errors.md").split(/^### /m).slice(1)) {
      for (const part of ["**What happened.**", "**Why.**", "**What to do.**"])
        assert.ok(section.includes(part), `${section.split("\n")[0]} lacks ${part}`);
    }
  });

  test("each decision is listed in the index", () => {
    const index = read("docs/decisions/README.md");
    const pages = find("docs/decisions/[0-9]*.md").map((path) => path.split("/").at(-1) ?? "");
    assert.deepEqual(
      pages.filter((page) => !index.includes(`(${page})`)),
      [],
    );
  });

  test("each error that the code makes has a code that a room declares", () => {
    const declared = new Set([...declaredCodes.values()].flat());
    const used = sources.flatMap((path) => usedCodes(path).map((code) => ({ path, code })));
    assert.ok(used.length > 20);
    assert.deepEqual(
      used.filter(({ code }) => !declared.has(code)),
      [],
    );
  });

  test("code in the documents, and in the docstrings' examples, type-checks", () => {
    const blocks = [
      ...documents.flatMap((path) => blocksIn(path, read(path))),
      ...sources.flatMap((path) => blocksIn(path, docstringsOf(read(path)))),
      { path: "src/cli/audit/plan-help.ts", line: 4, text: planHelp.slice(2, -2).join("\n") },
    ];
    const files = new Map(blocks.map((block, index) => [`block-${index}.ts`, block]));
    const texts = [...files].map(([name, { text }]) => [name, `${text}\nexport {};\n`]);
    const errors = compile(Object.fromEntries(texts) as Record<string, string>).flatMap((error) => {
      const block = files.get(error.file);
      return block === undefined ? [] : [`${block.path}:${block.line + error.line - 1}: ${error.message}`];
    });
    assert.ok(blocks.length > 0);
    assert.deepEqual(errors, []);
  });

  for (const path of documents) {
    test(`no relative link in ${path} is broken`, () => assert.deepEqual(brokenLinks(path), []));
  }
});
