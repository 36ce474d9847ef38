import { LineCounter, isAlias, isMap, isNode, isScalar, parseDocument, visit } from "yaml";
import type { Document } from "yaml";
import { z } from "zod";
import type { Schema } from "../../contract/index.ts";
import { takeOwnFields } from "./own-fields.ts";
import type { OwnFields } from "./own-fields.ts";

/** What {@link readYaml} is given. */
export interface ReadYamlInput {
  readonly file: string;
  /** Begins on the file's second line. */
  readonly yaml: string;
  readonly schema: Schema;
  /** The file has no front matter at all. */
  readonly isMissing: boolean;
  /** Makes the error for a line of the file. */
  readonly invalid: (file: string, line: number, message: string) => Error;
}

/** Reads front matter with YAML's own parser, and checks it by its schema. Every complaint names a line. */
export function readYaml({ file, yaml, schema, isMissing, invalid }: ReadYamlInput): {
  data: unknown;
  own: OwnFields;
} {
  const lines = new LineCounter();
  const document = parseDocument(yaml, {
    schema: "core",
    version: "1.2",
    lineCounter: lines,
    prettyErrors: false,
  });
  const at = (offset: number | undefined): number => lines.linePos(offset ?? 0).line + 1;
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw invalid(file, at(problem.pos[0]), problem.message);
  refuseAliases(document, (offset) => invalid(file, at(offset), "anchors and aliases are not accepted here"));
  if (document.contents !== null && !isMap(document.contents))
    throw invalid(file, 2, "the front matter must be fields, like  title: About us");

  const { own, rest, wrong } = takeOwnFields((document.toJS() ?? {}) as Record<string, unknown>, schema);
  if (own === undefined) {
    const line = at(offsetOf(document, [wrong.name]));
    throw invalid(file, line, `${wrong.name}: ${wrong.message}`);
  }
  const result = z.core.safeParse(schema, rest);
  if (result.success) return { data: result.data, own };
  const problems = result.error.issues.map((issue) => {
    const path = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0] ?? ""] : issue.path;
    const line = isMissing ? 1 : at(offsetOf(document, path));
    return {
      line,
      text: `${path.length === 0 ? "front matter" : path.map(String).join(".")}: ${issue.message}`,
    };
  });
  const [first, ...others] = problems;
  throw invalid(
    file,
    first?.line ?? 1,
    (isMissing ? "the file has no front matter (lines between --- and ---, at its top). " : "") +
      [first?.text, ...others.map((other) => `\n  ${file}:${other.line}: ${other.text}`)].join(""),
  );
}

function refuseAliases(document: Document, refuse: (offset: number | undefined) => Error): void {
  visit(document, (_key, node) => {
    if (isAlias(node) || (isNode(node) && "anchor" in node && node.anchor !== undefined))
      throw refuse(node.range?.[0]);
  });
}

/** Where a field stands: its key if it has one, else the nearest thing around it that is there. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const name = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => isScalar(key) && key.value === name);
      if (pair !== undefined && isScalar(pair.key)) return pair.key.range?.[0];
    }
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node)) return node.range?.[0];
  }
  return undefined;
}
