import type { z } from "zod";
import type { Schema } from "../../contract/index.ts";
import { isEmail, isEmailPattern } from "./email-form.ts";

/** Tells for sure that a value of JSON is as declared, no member more; false: perhaps it isn't, so Zod is to be asked. */
export type ExactCheck = (value: unknown) => boolean;

type Def = z.core.$ZodTypes["_zod"]["def"];
type CheckDef = z.core.$ZodChecks["_zod"]["def"];

/** Deeper schemas are Zod's alone; so is one that contains itself. */
const maxDepth = 16;

/** Formats of texts that are a pattern and nothing else. Others are also parsed, as URLs are. */
const patternFormats = new Set(["date", "datetime", "duration", "email", "guid", "regex", "time", "uuid"]);

/**
 * Compiles the part of a schema's work that nearly every request and answer needs: to see that all is as declared. Zod
 * copies what it checks and, without code from strings, asks every check by way of two objects; this looks and copies
 * nothing, which takes a fifth of the time. What it does not know it leaves to Zod, and so is every value that it can't
 * vouch for: what is wrong, and with which words, only Zod says.
 *
 * @returns undefined when the schema changes values, or has checks that only Zod knows
 */
export function createExactCheck(schema: Schema): ExactCheck | undefined {
  return compile(schema, 0, false);
}

/** @param inUnion Zod may prefer an option that drops members to one that has them all, so there only closed objects will do */
function compile(schema: Schema, depth: number, inUnion: boolean): ExactCheck | undefined {
  if (depth > maxDepth) return undefined;
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if ("coerce" in def && def.coerce) return undefined;
  const inside = (inner: Schema): ExactCheck | undefined => compile(inner, depth + 1, inUnion);
  switch (def.type) {
    case "string":
      return compileText(def);
    case "number":
      return compileNumber(def);
    case "boolean":
      return hasChecks(def) ? undefined : (value) => typeof value === "boolean";
    case "null":
      return hasChecks(def) ? undefined : (value) => value === null;
    case "enum":
      return hasChecks(def) ? undefined : oneOf((schema as z.core.$ZodEnum)._zod.values);
    case "literal":
      return hasChecks(def) ? undefined : oneOf(new Set(def.values));
    case "array":
      return compileArray(def, inside);
    case "object":
      return hasChecks(def) || (inUnion && !isClosed(def)) ? undefined : compileObject(def.shape, inside);
    case "nullable": {
      const check = hasChecks(def) ? undefined : inside(def.innerType);
      return check && ((value) => value === null || check(value));
    }
    case "union": {
      if (hasChecks(def) || def.inclusive === false) return undefined;
      const checks = all(def.options.map((option) => compile(option, depth + 1, true)));
      return checks && ((value) => checks.some((check) => check(value)));
    }
    // What may be absent is its object's business; alone it would accept `undefined`, which JSON has not.
    default:
      return undefined;
  }
}

const isClosed = ({ catchall }: z.core.$ZodObjectDef): boolean =>
  catchall !== undefined && (catchall as z.core.$ZodTypes)._zod.def.type === "never";

const hasChecks = (def: Def): boolean => def.checks !== undefined && def.checks.length > 0;

const oneOf =
  (values: ReadonlySet<unknown>): ExactCheck =>
  (value) =>
    values.has(value);

/** All of a list, or undefined if one is missing. */
function all<T>(list: readonly (T | undefined)[]): readonly T[] | undefined {
  return list.includes(undefined) ? undefined : (list as T[]);
}

/** The definitions of what a schema checks besides the type: a format's own comes first. */
function checksOf(def: Def): readonly CheckDef[] {
  const own = "check" in def ? [def as unknown as CheckDef] : [];
  return [...own, ...(def.checks ?? []).map((check) => (check as z.core.$ZodChecks)._zod.def)];
}

/** Bounds of a length, as checks narrow them; undefined for a check that is about something else. */
function narrowLength(bounds: { min: number; max: number }, check: CheckDef): boolean {
  switch (check.check) {
    case "min_length":
      bounds.min = Math.max(bounds.min, check.minimum);
      return true;
    case "max_length":
      bounds.max = Math.min(bounds.max, check.maximum);
      return true;
    case "length_equals":
      bounds.min = Math.max(bounds.min, check.length);
      bounds.max = Math.min(bounds.max, check.length);
      return true;
    default:
      return false;
  }
}

function compileText(def: Def): ExactCheck | undefined {
  const bounds = { min: 0, max: Number.POSITIVE_INFINITY };
  const patterns: RegExp[] = [];
  for (const check of checksOf(def)) {
    if (narrowLength(bounds, check)) continue;
    if (check.check !== "string_format" || !patternFormats.has(check.format)) return undefined;
    // A pattern that remembers where it stopped gives another answer each time.
    if (check.pattern === undefined || check.pattern.global || check.pattern.sticky) return undefined;
    patterns.push(check.pattern);
  }
  const { min, max } = bounds;
  const [pattern] = patterns;
  if (patterns.length > 1) return undefined;
  if (pattern === undefined)
    return (value) => typeof value === "string" && value.length >= min && value.length <= max;
  return isEmailPattern(pattern)
    ? (value) => typeof value === "string" && value.length >= min && value.length <= max && isEmail(value)
    : (value) =>
        typeof value === "string" && value.length >= min && value.length <= max && pattern.test(value);
}

function compileNumber(def: Def): ExactCheck | undefined {
  let min = Number.NEGATIVE_INFINITY;
  let max = Number.POSITIVE_INFINITY;
  let isWhole = false;
  for (const check of checksOf(def)) {
    if (check.check === "number_format" && check.format === "safeint") isWhole = true;
    else if (check.check === "greater_than" && check.inclusive && typeof check.value === "number")
      min = Math.max(min, check.value);
    else if (check.check === "less_than" && check.inclusive && typeof check.value === "number")
      max = Math.min(max, check.value);
    else if (check.check === "greater_than" && check.value === 0) min = Math.max(min, Number.MIN_VALUE);
    else return undefined;
  }
  return isWhole
    ? (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
    : (value) => Number.isFinite(value) && (value as number) >= min && (value as number) <= max;
}

function compileArray(
  def: z.core.$ZodArrayDef,
  inside: (inner: Schema) => ExactCheck | undefined,
): ExactCheck | undefined {
  const bounds = { min: 0, max: Number.POSITIVE_INFINITY };
  if (!checksOf(def as Def).every((check) => narrowLength(bounds, check))) return undefined;
  const { min, max } = bounds;
  const checkElement = inside(def.element);
  return (
    checkElement &&
    ((value) =>
      Array.isArray(value) && value.length >= min && value.length <= max && value.every(checkElement))
  );
}

interface Member {
  readonly name: string;
  readonly check: ExactCheck;
  readonly isOptional: boolean;
}

function compileObject(
  shape: Readonly<Record<string, Schema>>,
  inside: (inner: Schema) => ExactCheck | undefined,
): ExactCheck | undefined {
  // Zod leaves it out of what it returns.
  if (Object.hasOwn(shape, "__proto__")) return undefined;
  const members = all(
    Object.entries(shape).map(([name, schema]): Member | undefined => {
      const { def } = (schema as z.core.$ZodTypes)._zod;
      const isOptional = def.type === "optional";
      const check = inside(isOptional ? def.innerType : schema);
      return check && !hasChecks(isOptional ? def : ({} as Def)) ? { name, check, isOptional } : undefined;
    }),
  );
  if (members === undefined) return undefined;
  // What every object inherits is there for Zod though nobody wrote it.
  const isInherited = members.some(({ name }) => name in Object.prototype);
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
    if (isInherited) return isExactInAnyOrder(members, value);
    let next = 0;
    for (const name in value) {
      while (members[next]?.name !== name && members[next]?.isOptional) next++;
      const member = members[next++];
      if (member?.name !== name) return isExactInAnyOrder(members, value);
      if (!member.check((value as Record<string, unknown>)[name])) return false;
    }
    for (; next < members.length; next++) if (!members[next]?.isOptional) return false;
    return true;
  };
}

/** Names are written in the order of the schema by most; each look-up by name costs a hundred instructions where going through them costs ten. */
function isExactInAnyOrder(members: readonly Member[], value: object): boolean {
  let declared = 0;
  for (const { name, check, isOptional } of members) {
    const member = (value as Record<string, unknown>)[name];
    if (member === undefined && isOptional) continue;
    if (!check(member)) return false;
    declared++;
  }
  // A member that only the prototype has was counted above and is not seen here: that is not as declared either.
  let present = 0;
  for (const _ in value) present++;
  return present === declared;
}
