import { z } from "zod";
import type { Schema } from "../../contract/index.ts";
import { siteError } from "../errors.ts";
import { takeOwnFields } from "./own-fields.ts";
import type { OwnFields } from "./own-fields.ts";
import { readSimpleYaml } from "./simple-yaml.ts";

/** A content file, split. */
export interface FrontMatter {
  /** What its schema made of the front matter. */
  readonly data: unknown;
  readonly own: OwnFields;
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
export async function parseFrontMatter(file: string, text: string, schema: Schema): Promise<FrontMatter> {
  const { yaml, body, bodyLine } = splitFrontMatter(file, text);
  const fields = readSimpleYaml(yaml);
  if (fields !== undefined) {
    const { own, rest } = takeOwnFields(fields, schema);
    const result = own === undefined ? undefined : z.core.safeParse(schema, rest);
    if (own !== undefined && result?.success === true) return { data: result.data, own, body, bodyLine };
  }
  // YAML's own parser knows the line of everything.
  const { readYaml } = await import("./read-yaml.ts");
  return { ...readYaml({ file, yaml, schema, isMissing: bodyLine === 1, invalid }), body, bodyLine };
}

function invalid(file: string, line: number, message: string): Error {
  return siteError("SITE_FRONT_MATTER_INVALID", message, {
    place: { file, line },
    hint: "The contract's site.collections says which fields this folder's files have",
  });
}

function splitFrontMatter(file: string, text: string): { yaml: string; body: string; bodyLine: number } {
  const source = text.startsWith("\uFEFF") ? text.slice(1) : text;
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
