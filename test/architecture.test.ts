import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, normalize, sep } from "node:path";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "@babel/parser";

const source = fileURLToPath(new URL("../src", import.meta.url));

const manifest = JSON.parse(readFileSync(join(source, "../package.json"), "utf8")) as {
  exports: Record<string, string | Record<string, string>>;
};
/** The source files that package.json exports. */
const exported = new Set(
  Object.values(manifest.exports).map((target) =>
    typeof target === "string" ? target : target["curtainwall-source"],
  ),
);

/** DESIGN §4: what each layer may import, besides itself. A room that is not named here is an ordinary one. */
const layers: Record<string, { imports: "everything" | readonly string[]; node: boolean }> = {
  shared: { imports: [], node: false },
  contract: { imports: ["shared"], node: false },
  html: { imports: ["shared"], node: false },
  // Both make pages, and their policies in one way: docs/decisions/054-one-policy-builder.md.
  site: { imports: ["shared", "contract", "html", "harden"], node: false },
  stack: { imports: "everything", node: true },
  console: { imports: "everything", node: true },
  cli: { imports: "everything", node: true },
};
const room = { imports: ["shared", "contract", "html"], node: false };
/** Nothing imports the command line. */
const imported = (name: string): boolean => name !== "cli";

type Statement = ReturnType<typeof parse>["program"]["body"][number];

interface SourceFile {
  /** Relative to `src/`, with `/`. */
  path: string;
  room: string;
  isTest: boolean;
  statements: Statement[];
  /** Specifiers of static and dynamic imports, and of re-exports. */
  imports: string[];
}

/** Everything that names a module: imports and re-exports, `import()` of values and of types. */
const naming = new Set([
  "ImportDeclaration",
  "ExportNamedDeclaration",
  "ExportAllDeclaration",
  "ImportExpression",
  "TSImportType",
]);

const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .map((path) => path.split(sep).join("/"))
  .filter((path) => /\.tsx?$/.test(path) && !path.includes("/fixtures/"))
  .map(readSource);

function readSource(path: string): SourceFile {
  const text = readFileSync(join(source, path), "utf8");
  const { program } = parse(text, {
    sourceType: "module",
    plugins: path.endsWith(".tsx") ? ["typescript", "jsx"] : ["typescript"],
  });
  return {
    path,
    room: path.split("/")[0] ?? "",
    isTest: /\.test\.tsx?$/.test(path),
    statements: program.body,
    imports: importsIn(program),
  };
}

function importsIn(root: unknown): string[] {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) for (const member of node) visit(member);
    if (typeof node !== "object" || node === null || !("type" in node)) return;
    const specifier = specifierOf(node);
    if (specifier !== undefined) found.push(specifier);
    for (const [name, member] of Object.entries(node)) if (name !== "loc") visit(member);
  };
  visit(root);
  return found;
}

function specifierOf(node: {
  type: unknown;
  source?: { type: unknown; value?: unknown } | null;
}): string | undefined {
  if (!naming.has(String(node.type)) || node.source?.type !== "StringLiteral") return undefined;
  return String(node.source.value);
}

/** What breaks the import law in a file: one line each. */
function offences(file: SourceFile): string[] {
  const law = layers[file.room] ?? room;
  const mayUseNode = law.node || file.isTest || nodePart.test(file.path);
  return file.imports.flatMap((specifier) => {
    if (isBuiltin(specifier)) {
      if (!specifier.startsWith("node:")) return [`${file.path} imports ${specifier} without node:`];
      return mayUseNode ? [] : [`${file.path} imports ${specifier}; only node.ts and node/ may`];
    }
    if (!specifier.startsWith(".")) return [];
    const target = normalize(join(dirname(file.path), specifier))
      .split(sep)
      .join("/");
    const targetRoom = target.split("/")[0] ?? "";
    if (!/\.tsx?$/.test(specifier)) return [`${file.path} imports ${specifier} without its ending`];
    if (file.isTest && target.startsWith("../test/")) return [];
    if (targetRoom === "..") return [`${file.path} imports ${specifier}, which lies outside src/`];
    if (targetRoom === file.room) {
      const leavesPortable = nodePart.test(target) && !mayUseNode && !isEntry(file.path);
      return leavesPortable ? [`${file.path} imports ${specifier}, so it is not portable either`] : [];
    }
    const allowed = law.imports === "everything" ? imported(targetRoom) : law.imports.includes(targetRoom);
    if (!allowed) return [`${file.path} imports ${specifier}; ${file.room} may not import ${targetRoom}`];
    return isEntry(target)
      ? []
      : [`${file.path} imports ${specifier}; a room is entered by its index.ts or node.ts`];
  });
}

/** The files of a room that run on Node only. Its entries may name them, so that the package can export them. */
const nodePart = /^[^/]+\/(node\.ts$|node\/)/;
const isIndex = (path: string): boolean => /^[^/]+\/index\.ts$/.test(path);

/** Parts that a process of its own needs, and nothing else of the room: the ledger's no Zod, the vault's no parsers of pages, `secret`'s no sockets. */
const parts = new Set(["contract/events.ts", "egress/judge-value.ts", "harden/fingerprints.ts"]);

/** A room is entered by its index, by its file for Node, or by what the package exports. */
const isEntry = (path: string): boolean =>
  /^[^/]+\/(index|node)\.ts$/.test(path) || exported.has(`./src/${path}`) || parts.has(path);

function isNamedReexport(statement: Statement): boolean {
  return (
    statement.type === "ExportNamedDeclaration" && statement.source !== null && statement.source !== undefined
  );
}

const production = files.filter((file) => !file.isTest);

suite("the architecture", () => {
  test("the law knows its own layers", () => {
    const rooms = new Set(files.map((file) => file.room));
    for (const name of ["shared", "contract"]) assert.ok(rooms.has(name), name);
  });

  test("rooms import only what DESIGN §4 allows them, and node: only where it allows that", () => {
    assert.deepEqual(production.flatMap(offences), []);
  });

  test("tests of a room keep to the same law, but may use node: and test/", () => {
    assert.deepEqual(files.filter((file) => file.isTest).flatMap(offences), []);
  });

  test("nothing in src is exported by default", () => {
    const defaults = production.filter((file) =>
      file.statements.some(
        (statement) =>
          statement.type === "ExportDefaultDeclaration" ||
          (statement.type === "ExportNamedDeclaration" &&
            statement.specifiers.some(
              (specifier) =>
                specifier.exported.type === "Identifier" && specifier.exported.name === "default",
            )),
      ),
    );
    assert.deepEqual(
      defaults.map((file) => file.path),
      [],
    );
  });

  test("a room's index.ts is named re-exports and nothing else", () => {
    const indexes = production.filter(({ path }) => isIndex(path));
    assert.ok(indexes.length >= 2);
    for (const { path, statements } of indexes)
      for (const statement of statements)
        assert.ok(isNamedReexport(statement), `${path} has a ${statement.type}`);
  });

  test("the law bites: each kind of offence is found", () => {
    const offence = (path: string, text: string): string[] => {
      const { program } = parse(text, { sourceType: "module", plugins: ["typescript"] });
      const isTest = path.endsWith(".test.ts");
      return offences({
        path,
        room: path.split("/")[0] ?? "",
        isTest,
        statements: [],
        imports: importsIn(program),
      });
    };
    const forbidden: [path: string, text: string][] = [
      ["shared/a.ts", 'import { x } from "../contract/index.ts";'],
      ["contract/a.ts", 'import type { x } from "../gateway/index.ts";'],
      ["gateway/a.ts", 'import { x } from "../edge/index.ts";'],
      ["gateway/a.ts", 'export { x } from "../edge/index.ts";'],
      ["gateway/a.ts", 'const x = await import("../edge/index.ts");'],
      ["gateway/a.ts", 'type X = import("../edge/index.ts").X;'],
      ["gateway/a.test.ts", 'import { x } from "../edge/index.ts";'],
      ["gateway/a.ts", 'import { x } from "../stack/index.ts";'],
      ["gateway/a.ts", 'import { x } from "../contract/parse.ts";'],
      ["gateway/a.ts", 'import { x } from "../../test/requires.ts";'],
      ["gateway/a.ts", 'import { x } from "./b";'],
      ["gateway/a.ts", 'import { readFile } from "node:fs";'],
      ["gateway/a.ts", 'import { x } from "./node.ts";'],
      ["gateway/a.ts", 'import type { X } from "./node/b.ts";'],
      ["gateway/nodes.ts", 'import { readFile } from "node:fs";'],
      ["gateway/node.ts", 'import { readFile } from "fs";'],
      ["stack/a.ts", 'import { x } from "../cli/main.ts";'],
      ["harden/a.ts", 'import { x } from "../site/index.ts";'],
    ];
    for (const [path, text] of forbidden) assert.equal(offence(path, text).length, 1, `${path}: ${text}`);
    const allowed: [path: string, text: string][] = [
      ["contract/a.ts", 'import { x } from "../shared/index.ts";'],
      ["gateway/a.ts", 'import { x } from "../contract/index.ts"; import { z } from "zod";'],
      ["ledger/a.ts", 'import { eventCatalogue } from "../contract/events.ts";'],
      ["gateway/node.ts", 'import { readFile } from "node:fs";'],
      ["gateway/node/a.ts", 'import { readFile } from "node:fs"; import { x } from "../b.ts";'],
      ["gateway/a.test.ts", 'import { test } from "node:test";'],
      ["gateway/a.test.ts", 'import { requires } from "../../test/requires.ts";'],
      ["stack/a.ts", 'import { x } from "../edge/index.ts"; import "node:fs";'],
      ["site/a.ts", 'import { x } from "../harden/index.ts";'],
      ["cli/a.ts", 'import { x } from "../stack/index.ts"; import { y } from "../audit/node.ts";'],
    ];
    for (const [path, text] of allowed) assert.deepEqual(offence(path, text), []);
  });
});
