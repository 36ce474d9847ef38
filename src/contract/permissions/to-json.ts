import type { z } from "zod";
import type { JsonValue } from "../source.ts";
import { textOf } from "./schema-checks.ts";
import { schemaPermissions } from "./schema-node.ts";

/** Any value of a contract as JSON: members sorted, functions by their text, schemas by what they let pass. */
export function toJson(value: unknown): JsonValue {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (value instanceof URL || value instanceof RegExp) return String(value);
  if (value instanceof Uint8Array) return [...value];
  if (value instanceof Set || Array.isArray(value)) return [...(value as Iterable<unknown>)].map(toJson);
  if (value instanceof Map) return [...value].map(toJson);
  if (typeof value === "function") return textOf(value);
  if (typeof value === "bigint") return `${value}n`;
  // What is left has no text of its own that says anything.
  if (typeof value !== "object") return typeof value;
  if ("_zod" in value)
    return schemaPermissions(value as z.core.$ZodType, "", "input").map(({ at, permits }) => [
      at,
      JSON.stringify(permits),
    ]);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, member]) => [name, toJson(member)]),
  );
}
