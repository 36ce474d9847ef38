import { z } from "zod";
import type { SchemaNode } from "./permission.ts";

interface CheckDef {
  readonly check?: string;
  readonly type?: string;
  readonly coerce?: unknown;
  readonly [name: string]: unknown;
}

/** A check as a schema has it: what it is made of, and what it does. */
interface Check {
  readonly _zod: { readonly def: CheckDef; readonly check?: unknown };
}

type Bounds = Pick<SchemaNode, "min" | "above" | "max" | "below">;

/** What a schema checks beside its type: bounds, formats, patterns, functions. */
export function readChecks(schemaDef: object): Partial<SchemaNode> {
  const def = schemaDef as CheckDef & { readonly checks?: readonly Check[] };
  if (def.check === undefined && def.checks === undefined) return def.coerce === true ? { coerce: true } : {};
  const checks: Check[] = [...(def.check === undefined ? [] : [{ _zod: { def } }]), ...(def.checks ?? [])];
  let bounds: Bounds = {};
  const also = new Set<string>();
  for (const check of checks) {
    const found = isConditional(check._zod.def) ? undefined : boundsOf(check._zod.def);
    if (found === undefined) also.add(describe(check));
    else bounds = isEmpty(bounds) ? found : tightest(bounds, found);
  }
  return {
    ...(def.coerce === true ? { coerce: true } : {}),
    ...bounds,
    ...(also.size === 0 ? {} : { also: [...also].sort() }),
    // What comes before a change looks at another value than what comes after it.
    ...(checks.some(({ _zod }) => _zod.def.check === "overwrite") ? { changes: checks.map(describe) } : {}),
  };
}

const isEmpty = (bounds: Bounds): boolean => {
  for (const _ in bounds) return false;
  return true;
};

function boundsOf(check: CheckDef): Bounds | undefined {
  const value = (name: string): number | string => scalar(check[name]);
  switch (check.check) {
    case "min_length":
    case "min_size":
      return { min: value("minimum") };
    case "max_length":
    case "max_size":
      return { max: value("maximum") };
    case "length_equals":
      return { min: value("length"), max: value("length") };
    case "greater_than":
      return check["inclusive"] === true ? { min: value("value") } : { above: value("value") };
    case "less_than":
      return check["inclusive"] === true ? { max: value("value") } : { below: value("value") };
    default:
      return undefined;
  }
}

/** JSON has no large numbers and no dates; a date's text has the order of time. */
function scalar(value: unknown): number | string {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (typeof value === "bigint") return Number(value);
  return value instanceof Date ? value.toISOString() : String(value);
}

function tightest(left: Bounds, right: Bounds): Bounds {
  const pick = (
    name: keyof Bounds,
    isTighter: (a: number | string, b: number | string) => boolean,
  ): Bounds => {
    const [one, other] = [left[name], right[name]];
    if (one === undefined && other === undefined) return {};
    if (one === undefined || other === undefined) return { [name]: one ?? other };
    return { [name]: isTighter(one, other) ? one : other };
  };
  const higher = (a: number | string, b: number | string): boolean => a >= b;
  const lower = (a: number | string, b: number | string): boolean => a <= b;
  return { ...pick("min", higher), ...pick("above", higher), ...pick("max", lower), ...pick("below", lower) };
}

function describe(check: Check): string {
  const { def } = check._zod;
  const text = describeAlways(def, check._zod.check);
  return isConditional(def) ? `${text} when ${textOf(def["when"])}` : text;
}

function describeAlways(def: CheckDef, run: unknown): string {
  switch (def.check) {
    case "string_format":
      return formatOf(def);
    case "number_format":
      return String(def["format"]);
    case "custom":
      return describeCustom(def["fn"] ?? run);
    case "overwrite":
      return zodChanges.has(textOf(def["tx"])) ? "overwrite" : `overwrite ${textOf(def["tx"])}`;
    default:
      return [def.check, ...options(def)].join(" ");
  }
}

/** Zod puts a function of its own around that of `superRefine`, so that nobody can read it. */
function describeCustom(run: unknown): string {
  const text = textOf(run);
  return run === undefined || zodWrappers.has(text) ? "a function" : `function ${text}`;
}

/** Checks of lengths look only at what has one, by themselves; whoever sets another condition may never have them look. */
const isConditional = ({ when }: CheckDef): boolean => when !== undefined && !zodConditions.has(textOf(when));

const checksOf = (schema: z.ZodType): readonly Check[] =>
  (schema._zod.def as unknown as { checks?: readonly Check[] }).checks ?? [];
const samples = [
  z.string().min(1).max(2).length(1).trim().toLowerCase().toUpperCase().normalize(),
  z.array(z.string()).min(1).max(2).length(1),
  z.set(z.string()).min(1).max(2).size(1),
  z.any().superRefine(() => undefined),
].flatMap(checksOf);
const zodTexts = (read: (check: Check) => unknown): ReadonlySet<string> =>
  new Set(samples.map(read).flatMap((code) => (code === undefined ? [] : [textOf(code)])));
const zodConditions = zodTexts(({ _zod }) => _zod.def["when"]);
const zodChanges = zodTexts(({ _zod }) => _zod.def["tx"]);
const zodWrappers = zodTexts(({ _zod }) => (_zod.def.check === "custom" ? _zod.check : undefined));

const own = new Set(["check", "type", "format", "abort", "error", "when", "pattern", "checks", "fn", "tx"]);

/** A check's own options, in words: `offset=true`, `prefix="a"`. */
const options = (check: CheckDef): string[] =>
  Object.entries(check)
    .filter(([name, value]) => !own.has(name) && value !== undefined && value !== null && value !== false)
    .map(([name, value]) => `${name}=${value instanceof RegExp ? String(value) : JSON.stringify(value)}`)
    .sort();

/** A format's name stands for the pattern that Zod has for it, which may get better; a pattern of one's own is told. */
function formatOf(check: CheckDef): string {
  const pattern = check["pattern"];
  const name = String(check["format"]);
  if (name === "regex") return `pattern ${String(pattern)}`;
  const words = [name, ...options(check)];
  if (pattern === undefined && check["fn"] !== undefined)
    return `${words.join(" ")} function ${textOf(check["fn"])}`;
  return pattern instanceof RegExp && !isZods(name, pattern)
    ? `${words.join(" ")} pattern ${String(pattern)}`
    : words.join(" ");
}

const zods = new Set(
  Object.values(z.regexes as Record<string, unknown>)
    .filter((entry) => entry instanceof RegExp)
    .map(String),
);
/** Made of options, which are told, or of a text, which is too. */
const made = new Set(["datetime", "date", "time", "uuid", "mac", "includes", "starts_with", "ends_with"]);
const isZods = (format: string, pattern: RegExp): boolean =>
  made.has(format) ||
  // Zod has five for it, of which some take more.
  (format === "email" ? String(pattern) === String(z.regexes.email) : zods.has(String(pattern)));

/**
 * A function's text, so that its layout does not count. Where a line ends does: a comment ends there, and sometimes a statement. So do blanks on a
 * line that may have them in a text, and all of it where a text goes over lines.
 */
export function textOf(code: unknown): string {
  // Its own, whatever it says of itself.
  const text = typeof code === "function" ? Function.prototype.toString.call(code) : String(code);
  if (text.includes("`")) return text;
  return text
    .split(/\r?\n|[\r\u2028\u2029]/)
    .map((line) => (/["'/]/.test(line) ? line.trim() : line.trim().replaceAll(/\s+/g, " ")))
    .filter((line) => line !== "")
    .join("\n");
}
