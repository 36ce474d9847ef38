import { z } from "zod";
import type { SchemaNode } from "./permission.ts";

interface CheckDef {
  readonly check?: string;
  readonly type?: string;
  readonly coerce?: unknown;
  readonly [name: string]: unknown;
}

type Bounds = Pick<SchemaNode, "min" | "above" | "max" | "below">;

/** What a schema checks beside its type: bounds, formats, patterns, functions. */
export function readChecks(schemaDef: object): Partial<SchemaNode> {
  const def = schemaDef as CheckDef & { readonly checks?: readonly { _zod: { def: CheckDef } }[] };
  if (def.check === undefined && def.checks === undefined) return def.coerce === true ? { coerce: true } : {};
  const checks = [
    ...(def.check === undefined ? [] : [def]),
    ...(def.checks ?? []).map((check) => check._zod.def),
  ];
  let bounds: Bounds = {};
  const also = new Set<string>();
  for (const check of checks) {
    const found = boundsOf(check);
    if (found === undefined) also.add(describe(check));
    else bounds = isEmpty(bounds) ? found : tightest(bounds, found);
  }
  return {
    ...(def.coerce === true ? { coerce: true } : {}),
    ...bounds,
    ...(also.size === 0 ? {} : { also: [...also].sort() }),
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

function describe(check: CheckDef): string {
  switch (check.check) {
    case "string_format":
      return formatOf(check);
    case "number_format":
      return String(check["format"]);
    case "custom":
      return check["fn"] === undefined ? "a function" : `function ${textOf(check["fn"])}`;
    case "overwrite":
      return "overwrite";
    default:
      return [check.check, ...options(check)].join(" ");
  }
}

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
const isZods = (format: string, pattern: RegExp): boolean => made.has(format) || zods.has(String(pattern));

/** A function's text, so that its layout does not count. */
export const textOf = (code: unknown): string => String(code).replaceAll(/\s+/g, " ");
