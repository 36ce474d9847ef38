import { z } from "zod";
import type { Schema } from "../../contract/index.ts";
import { entriesOf, isObject, label, maxLevels, replace } from "./json-place.ts";
import type { Json, Path } from "./json-place.ts";
import { absentMembers, schemaWithin, valueFor } from "./schema-value.ts";

/** More of them are left out, and told. */
const mostFields = 24;

/** A field that a schema has and a sample has not, with something that the schema takes there; undefined where nothing is known. */
export interface AbsentField {
  readonly path: Path;
  /** The sample with that field. */
  readonly body: Json;
  readonly value: Json;
}

/** The fields that a sample leaves out, each put into it by itself: what is not looked at where it is left out is not looked at where it stands. */
export function absentFields(schema: Schema, body: Json): AbsentField[] {
  return [...findAbsent(schema, body)].slice(0, mostFields).map(({ path, member }) => {
    const value = valueFor(member);
    const filled = replace(body, path, value);
    const fits = value !== undefined && z.safeParse(schema, filled).success;
    return fits ? { path, body: filled, value } : { path, body, value: undefined };
  });
}

/** Names what {@link absentFields} leaves out. */
export const untriedFields = (schema: Schema, body: Json): string[] =>
  [...findAbsent(schema, body)].slice(mostFields).map(({ path }) => label(path));

interface Absent {
  readonly path: Path;
  readonly member: Schema;
}

function* findAbsent(schema: Schema, value: Json, path: Path = []): Generator<Absent> {
  if (path.length > maxLevels) return;
  if (isObject(value))
    for (const [name, member] of absentMembers(schema, value)) yield { path: [...path, name], member };
  for (const [key, entry] of entriesOf(value)) {
    const inner = schemaWithin(schema, value, key);
    if (inner !== undefined) yield* findAbsent(inner, entry, [...path, key]);
  }
}
