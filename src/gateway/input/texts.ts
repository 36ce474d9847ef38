import { z } from "zod";
import type { Schema } from "../../contract/index.ts";
import { listFields } from "../../contract/index.ts";
import { parseQuery } from "../../shared/index.ts";
import { refuseInput, refuseIssues } from "../answers/refusal.ts";
import type { Refusal } from "../answers/refusal.ts";

/** Checked values by name, as the texts that travel. */
export type Texts = Record<string, string | readonly string[]>;

/** A checked value as the text that travels. What a schema made an object of travels as it came. */
export function textOf(value: unknown, given: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint")
    return String(value);
  return value instanceof Date ? value.toISOString() : given;
}

/** Checked values as the texts that travel; what a schema made of nothing stays away. */
export function textsOf(
  checked: object,
  given: Readonly<Record<string, string | readonly string[] | undefined>>,
): Texts {
  const texts: Texts = {};
  for (const [name, value] of Object.entries(checked)) {
    if (value === undefined || value === null) continue;
    const came = given[name] ?? "";
    texts[name] = Array.isArray(value)
      ? value.map((entry, index) => textOf(entry, typeof came === "string" ? came : (came[index] ?? "")))
      : textOf(value, typeof came === "string" ? came : (came[0] ?? ""));
  }
  return texts;
}

/** Parses a query or a form and holds it to a schema. */
export type PairsCheck = (
  text: string,
) => { texts: Texts; data: object; refusal: undefined } | { refusal: Refusal };

/**
 * Compiles {@link PairsCheck}.
 *
 * @param place what a fault is said to be in: `query`, or nothing for a body
 */
export function compilePairs(schema: Schema, place: string): PairsCheck {
  const lists = listFields(schema);
  return (text) => {
    const given = parseQuery(text, lists);
    if (given === undefined) return { refusal: refuseInput(place, "It can't be read, or names a key twice") };
    const checked = z.core.safeParse(schema, { ...given });
    return checked.success
      ? {
          texts: textsOf(checked.data as object, given),
          data: checked.data as object,
          refusal: undefined,
        }
      : { refusal: refuseIssues(place, checked.error.issues) };
  };
}
