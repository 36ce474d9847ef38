import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import { parse } from "@babel/parser";

type Statement = ReturnType<typeof parse>["program"]["body"][number];
type Declaration = Extract<Statement, { type: "ExportNamedDeclaration" }>["declaration"];
type Target = string | Partial<Record<"curtainwall-source" | "types" | "default", string>>;

const root = new URL("../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");
const manifest = JSON.parse(read("package.json")) as { name: string; exports: Record<string, Target> };
const subpaths = Object.entries(manifest.exports).flatMap(([subpath, target]) =>
  typeof target === "string" ? [] : [{ name: subpath.replace(/^\./, manifest.name), target }],
);

/** What a file exports: `type X` for what vanishes at run time. */
function exportsOf(file: string): string[] {
  const { program } = parse(read(file), { sourceType: "module", plugins: ["typescript"] });
  return program.body.flatMap((statement) => namesIn(statement, file));
}

function namesIn(statement: Statement, file: string): string[] {
  if (statement.type === "ExportAllDeclaration") throw new Error(`${file} exports a whole module unseen`);
  if (statement.type !== "ExportNamedDeclaration") return [];
  const { declaration, specifiers, exportKind } = statement;
  const listed = specifiers.map((specifier) => {
    const name =
      specifier.exported.type === "Identifier" ? specifier.exported.name : specifier.exported.value;
    const isType = exportKind === "type" || ("exportKind" in specifier && specifier.exportKind === "type");
    return isType ? `type ${name}` : name;
  });
  return [...listed, ...declaredNames(declaration)];
}

function declaredNames(declaration: Declaration): string[] {
  switch (declaration?.type) {
    case "FunctionDeclaration":
    case "ClassDeclaration":
      return declaration.id ? [declaration.id.name] : [];
    case "TSInterfaceDeclaration":
    case "TSTypeAliasDeclaration":
      return [`type ${declaration.id.name}`];
    case "VariableDeclaration":
      return declaration.declarations.flatMap(({ id }) => (id.type === "Identifier" ? [id.name] : []));
    default:
      return [];
  }
}

suite("the package's exports", () => {
  test("each subpath has its source, its types and its code, in the order that resolvers need", () => {
    for (const { name, target } of subpaths) {
      const {
        "curtainwall-source": source = "",
        types = "",
        default: code = "",
      } = target as Record<string, string>;
      assert.deepEqual(Object.keys(target), ["curtainwall-source", "types", "default"], name);
      const stem = source.replace(/^\.\/src\//, "").replace(/\.ts$/, "");
      assert.equal(types, `./dist/${stem}.d.ts`, name);
      assert.equal(code, `./dist/${stem}.js`, name);
    }
  });

  test("the public names are those of exports.txt; a change there is a change of the API", () => {
    const list = subpaths
      .flatMap(({ name, target }) =>
        exportsOf((target as Record<string, string>)["curtainwall-source"] ?? "").map(
          (entry) => `${name} ${entry}`,
        ),
      )
      .sort()
      .join("\n");
    if (process.env.CURTAINWALL_UPDATE === "1") writeFileSync(new URL("test/exports.txt", root), `${list}\n`);
    assert.equal(
      `${list}\n`,
      read("test/exports.txt"),
      "If that is meant: CURTAINWALL_UPDATE=1 node --test test/exports.test.ts, and add a file to .changeset/",
    );
  });

  for (const { name, target } of subpaths) {
    test(`${name} loads, and holds at run time exactly the values that it declares`, async () => {
      const source = (target as Record<string, string>)["curtainwall-source"] ?? "";
      const loaded = (await import(new URL(source, root).href)) as object;
      const declared = exportsOf(source).filter((entry) => !entry.startsWith("type "));
      assert.deepEqual(Object.keys(loaded).sort(), declared.sort());
      // Under `npm test` both are what was built of it.
      assert.equal(import.meta.resolve(name), import.meta.resolve(new URL(source, root).href));
    });
  }
});
