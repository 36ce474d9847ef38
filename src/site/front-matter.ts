import { LineCounter, isAlias, isMap, isNode, isScalar, parseDocument, visit } from "yaml";
import type { Document } from "yaml";
import { z } from "zod";
import type { Schema } from "../contract/index.ts";
import { siteError } from "./errors.ts";

/** A content file, split. */
export interface FrontMatter {
  /** What its schema made of the front matter. */
  readonly data: unknown;
  readonly body: string;
  /** Line of the file at which the body begins, from 1. */
  readonly bodyLine: number;
}

/** The longest front matter that is read, in characters. */
const maxLength = 65_536;

/**
 * Reads the YAML between `---` lines at the top of a content file and checks it by its collection's schema.
 *
 * @throws {CurtainwallError} `SITE_FRONT_MATTER_INVALID`, with file, line and field.
 */
export function parseFrontMatter(file: string, text: string, schema: Schema): FrontMatter {
  const source = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const { yaml, body, bodyLine } = split(file, source);
  const isMissing = bodyLine === 1;
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

  const result = z.core.safeParse(schema, document.toJS() ?? {});
  if (result.success) return { data: result.data, body, bodyLine };
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

function invalid(file: string, line: number, message: string): Error {
  return siteError("SITE_FRONT_MATTER_INVALID", message, {
    place: { file, line },
    hint: "The contract's site.collections says which fields this folder's files have",
  });
}

function split(file: string, source: string): { yaml: string; body: string; bodyLine: number } {
  const opening = /^---[ \t]*\r?\n/.exec(source);
  if (opening === null) {
    const line = lineOfUnopened(source);
    if (line !== undefined)
      throw invalid(file, line, "front matter begins with a line of its own, ---, the first of the file");
    return { yaml: "", body: source, bodyLine: 1 };
  }
  const rest = source.slice(opening[0].length);
  const closing = /^---[ \t]*(?:\r?\n|$)/m.exec(rest);
  if (closing === null) throw invalid(file, 1, "the front matter that begins here has no closing ---");
  if (closing.index > maxLength)
    throw invalid(file, 1, `the front matter is longer than ${maxLength} characters`);
  const yaml = rest.slice(0, closing.index);
  const linesBefore = source.slice(0, opening[0].length + closing.index).split("\n").length;
  return { yaml, body: rest.slice(closing.index + closing[0].length), bodyLine: linesBefore + 1 };
}

/** Where front matter seems to be meant that no `---` on the first line opens: fields up to a `---`, or a `---` further down. */
function lineOfUnopened(source: string): number | undefined {
  const lines = source.slice(0, maxLength).split(/\r?\n/);
  const first = lines.findIndex((line) => line.trim() !== "");
  if (first < 0) return undefined;
  const isField = (line: string | undefined): boolean => /^[A-Za-z_][\w-]*:(?:\s|$)/.test(line ?? "");
  const rest = lines.slice(first + 1);
  const closing = rest.findIndex((line) => /^---[ \t]*$/.test(line));
  const between = rest.slice(0, Math.max(0, closing)).filter((line) => line.trim() !== "");
  const inFields = closing >= 0 && between.every((line) => isField(line) || /^[\s#-]/.test(line));
  const isUnopened = inFields && isField(lines[first]);
  const isLate = inFields && between.length > 0 && /^\s*-{3,}\s*$/.test(lines[first] ?? "");
  return isUnopened || isLate ? first + 1 : undefined;
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
