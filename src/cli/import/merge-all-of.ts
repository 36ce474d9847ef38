import type { References } from "./references.ts";
import { isMembers, listAt, member, membersAt, textAt } from "./values.ts";
import type { Members } from "./values.ts";

const maxLevels = 16;
/** What speaks of a schema and does not change what it accepts. */
const words = new Set([
  "title",
  "description",
  "example",
  "examples",
  "default",
  "deprecated",
  "externalDocs",
  "xml",
]);

/** What is read where the schema stands, and changes nothing of what it refers to. */
const aside = new Set([...words, "nullable", "readOnly", "writeOnly"]);

const saysNothing = (name: string): boolean => aside.has(name) || name.startsWith("x-");

/**
 * Where a schema refers to that says nothing else itself. An `allOf` of a reference and some words is how OpenAPI 3.0 lets a reference have
 * words of its own.
 */
export function referenceIn(schema: Members): string | undefined {
  const own = Object.keys(schema).filter((name) => !saysNothing(name));
  if (own.length !== 1) return undefined;
  if (own[0] === "$ref") return textAt(schema, "$ref");
  const parts = own[0] === "allOf" ? listAt(schema, "allOf") : [];
  const saying = parts.filter((part) => !isMembers(part) || !Object.keys(part).every(saysNothing));
  const [only] = saying;
  return saying.length === 1 &&
    isMembers(only) &&
    Object.keys(only).every((name) => name === "$ref" || saysNothing(name))
    ? textAt(only, "$ref")
    : undefined;
}

/**
 * One schema that says what all parts of an `allOf`, and the schema around them, say. Of what contradicts itself, the part that comes last counts.
 *
 * @param budget counts what is merged, since parts may share their parts over and over
 */
export function mergeAllOf(schema: Members, references: References, budget: { left: number }): Members {
  const merged: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  const properties = new Map<string, unknown>();
  const required = new Set<string>();
  const choices: unknown[] = [];
  const open = new Set<unknown>();

  const take = (part: unknown, level: number): void => {
    if (!isMembers(part) || open.has(part) || level > maxLevels || (budget.left -= 1) < 0) return;
    open.add(part);
    const ref = textAt(part, "$ref");
    if (ref !== undefined) {
      const target = references.follow(ref);
      if ("fault" in target) merged["$ref"] = ref;
      else take(target.found, level + 1);
    }
    for (const inner of listAt(part, "allOf")) take(inner, level + 1);
    for (const [name, value] of Object.entries(membersAt(part, "properties"))) {
      budget.left -= 1;
      const known = properties.get(name);
      properties.set(name, known === undefined || known === value ? value : { allOf: [known, value] });
    }
    for (const name of listAt(part, "required")) if (typeof name === "string") required.add(name);
    for (const name of ["oneOf", "anyOf"]) {
      const options = listAt(part, name);
      if (options.length > 0) choices.push({ [name]: options });
    }
    for (const [name, value] of Object.entries(part)) if (!structural.has(name)) merged[name] = value;
    open.delete(part);
  };
  take(schema, 0);

  if (properties.size > 0) merged["properties"] = fromEntries(properties);
  if (required.size > 0) merged["required"] = [...required];
  const [choice, ...others] = choices;
  if (isMembers(choice)) Object.assign(merged, choice);
  // Two choices at once would be each of the one with each of the other.
  if (others.length > 0) merged["x-curtainwall-choices"] = true;
  return merged;
}

const structural = new Set(["$ref", "allOf", "properties", "required", "oneOf", "anyOf", ...words]);

function fromEntries(entries: ReadonlyMap<string, unknown>): Members {
  const made = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of entries) made[name] = value;
  return made;
}

/** A schema's own members with those of one of its options: what a choice beside `properties` means. */
export function mergeOption(
  schema: Members,
  option: unknown,
  references: References,
  budget: { left: number },
): Members {
  const rest = Object.fromEntries(
    Object.entries(schema).filter(([name]) => name !== "oneOf" && name !== "anyOf"),
  );
  return mergeAllOf({ allOf: [rest, option] }, references, budget);
}

/** Whether a schema says what kind of value it wants. */
export const hasShape = (schema: Members): boolean =>
  [
    "type",
    "properties",
    "items",
    "enum",
    "const",
    "$ref",
    "allOf",
    "oneOf",
    "anyOf",
    "additionalProperties",
    "format",
  ].some((name) => member(schema, name) !== undefined);
