import { z } from "zod";
import { numeral } from "./code.ts";
import { readPattern } from "./pattern.ts";
import type { Conversion, Converted, Use } from "./schema.ts";
import { countAt, member, numberAt, textAt } from "./values.ts";
import type { Members } from "./values.ts";

interface Format {
  readonly code: string;
  /** No text of this format is long. */
  readonly isShort?: true;
  /** The longest that makes sense. */
  readonly most?: number;
  /** The pattern that goes without saying. */
  readonly pattern?: string | undefined;
}

const patternOf = (schema: z.ZodType): string | undefined => z.toJSONSchema(schema).pattern;

/** Formats that Zod checks too. */
const formats: ReadonlyMap<string, Format> = new Map<string, Format>([
  [
    "date-time",
    {
      code: "z.iso.datetime({ offset: true })",
      isShort: true,
      pattern: patternOf(z.iso.datetime({ offset: true })),
    },
  ],
  ["date", { code: "z.iso.date()", isShort: true, pattern: patternOf(z.iso.date()) }],
  ["email", { code: "z.email()", most: 254, pattern: patternOf(z.email()) }],
  ["uuid", { code: "z.uuid()", isShort: true, pattern: patternOf(z.uuid()) }],
  ["uri", { code: "z.url()", most: 2048 }],
  ["url", { code: "z.url()", most: 2048 }],
  ["ipv4", { code: "z.ipv4()", isShort: true, pattern: patternOf(z.ipv4()) }],
  ["ipv6", { code: "z.ipv6()", isShort: true, pattern: patternOf(z.ipv6()) }],
  ["byte", { code: "z.base64()", pattern: patternOf(z.base64()) }],
]);

/** The bound that texts get which have none; the file declares it under this name. */
export const defaultMaxText = 1000;

/** A schema of texts. */
export function textCode(schema: Members, use: Use, { needs, budget, patterns }: Conversion): Converted {
  const format = formatOf(schema);
  const [least, most] = [countAt(schema, "minLength"), countAt(schema, "maxLength")];
  const notes: string[] = [];
  let code = format?.code ?? "z.string()";
  if (format?.isShort !== true) {
    if (least !== undefined && least > 0) code += `.min(${least})`;
    if (most !== undefined) code += `.max(${most})`;
    else if (use !== "output") code += boundOf(format, least ?? 0, () => needs.add("maxText"));
  }
  const pattern = textAt(schema, "pattern");
  if (pattern !== undefined && pattern !== format?.pattern) {
    const read = patterns.get(pattern) ?? readPattern(pattern);
    // How long it takes is found out in milliseconds, of which there must not be too many either.
    if (!patterns.has(pattern)) budget.left -= 100;
    patterns.set(pattern, read);
    if ("code" in read) code += `.regex(${read.code})`;
    else notes.push(`its pattern is left out: it ${read.fault}`);
  }
  return { code, notes };
}

/** Without an offset there is a pattern that says so. */
const plainTime: Format = { code: "z.iso.datetime()", isShort: true, pattern: patternOf(z.iso.datetime()) };

function formatOf(schema: Members): Format | undefined {
  const name = textAt(schema, "format") ?? "";
  const isPlainTime = name === "date-time" && textAt(schema, "pattern") === plainTime.pattern;
  return isPlainTime ? plainTime : formats.get(name);
}

function boundOf(format: Format | undefined, least: number, needMaxText: () => void): string {
  if (format?.most !== undefined) return `.max(${Math.max(format.most, least)})`;
  if (least > defaultMaxText) return `.max(${least * 2})`;
  needMaxText();
  return ".max(maxText)";
}

/** A schema of numbers. Beyond what a double holds a bound says nothing. */
export function numberCode(type: "integer" | "number", schema: Members, use: Use): Converted {
  const isSmall = textAt(schema, "format") === "int32" && type === "integer";
  let code =
    use === "text"
      ? "z.coerce.number()"
      : type === "number"
        ? "z.number()"
        : isSmall
          ? "z.int32()"
          : "z.int()";
  if (use === "text" && type === "integer") code += ".int()";
  const bounds = boundsOf(schema);
  for (const [name, bound] of bounds)
    if (type === "number" || Number.isSafeInteger(bound)) code += `.${name}(${numeral(bound)})`;
  const step = numberAt(schema, "multipleOf");
  if (step !== undefined && step > 0 && !(type === "integer" && step === 1))
    code += `.multipleOf(${numeral(step)})`;
  return { code, notes: [] };
}

/** In OpenAPI 3.0 `exclusiveMinimum` says of `minimum` that it does not pass itself; in 3.1 it is one. */
function boundsOf(schema: Members): [string, number][] {
  const bounds: [string, number][] = [];
  const [min, max] = [numberAt(schema, "minimum"), numberAt(schema, "maximum")];
  const [above, below] = [numberAt(schema, "exclusiveMinimum"), numberAt(schema, "exclusiveMaximum")];
  if (min !== undefined) bounds.push([member(schema, "exclusiveMinimum") === true ? "gt" : "min", min]);
  if (above !== undefined) bounds.push(["gt", above]);
  if (max !== undefined) bounds.push([member(schema, "exclusiveMaximum") === true ? "lt" : "max", max]);
  if (below !== undefined) bounds.push(["lt", below]);
  return bounds;
}
