import { z } from "zod";
import type { Schema } from "../../contract/index.ts";
import type { Json } from "./json-place.ts";

type Def = z.core.$ZodTypes["_zod"]["def"];

const defOf = (schema: Schema): Def => (schema as z.core.$ZodTypes)._zod.def;

/** What was found once is found for every audit; of a schema that contains itself, it is what stands there meanwhile. */
const known = new WeakMap<Schema, { readonly value: Json }>();

/** Something that a schema takes, with all that may be left out; undefined where none is found, as for patterns that nothing known fits. */
export function valueFor(schema: Schema): Json {
  const before = known.get(schema);
  if (before !== undefined) return before.value;
  known.set(schema, { value: undefined });
  const value = candidates(defOf(schema)).find(
    (candidate) => candidate !== undefined && z.safeParse(schema, candidate).success,
  );
  known.set(schema, { value });
  return value;
}

function candidates(def: Def): Json[] {
  switch (def.type) {
    case "object":
      return [membersFor(Object.entries(def.shape))];
    case "array": {
      const element = valueFor(def.element);
      return element === undefined ? [[]] : lengths.map((length) => Array.from({ length }, () => element));
    }
    case "tuple":
      return [def.items.map(valueFor)];
    case "record": {
      const key = valueFor(def.keyType);
      return [{ [typeof key === "string" ? key : "a"]: valueFor(def.valueType) }];
    }
    case "union":
      return def.options.map(valueFor);
    case "intersection":
      return [{ ...(valueFor(def.left) as object), ...(valueFor(def.right) as object) }];
    case "enum":
      return Object.values(def.entries);
    case "literal":
      return [...def.values];
    default: {
      const inner = innerOf(def);
      return inner === undefined ? [...numbers, ...allTexts, true, false, null] : [valueFor(inner)];
    }
  }
}

/** An object with each member that something is found for. */
const membersFor = (members: readonly [string, Schema][]): Json =>
  Object.fromEntries(
    members
      .map(([name, member]) => [name, valueFor(member)] as const)
      .filter(([, value]) => value !== undefined),
  );

const lengths = [1, 2, 3, 4, 5, 8, 10, 16, 0];
const numbers = [1, 2, 10, 0, 0.5, 100, 1000, 18, 1900, 2026, 100_000, 1_000_000, -1, 1_767_225_600];

/** Texts as they stand in fields: one of them fits most patterns and formats. */
const texts = [
  ..."a,A,1,ab,AB,12,abc,ABC,123,abcd,ABCD,1234,a1,A1,a-b,a_b,A-1,Some words,en,en-GB,GB,GBP,true".split(","),
  ..."a@b.example,https://www.example.com/,www.example.com,/a,192.0.2.1,2001:db8::1,192.0.2.0/24".split(","),
  ..."2026-01-02,2026-01-02T03:04:05Z,2026-01-02T03:04:05,03:04:05,03:04,P1D,2026-01,2026".split(","),
  ..."1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed,01ARZ3NDEKTSV4RRFFQ69G5FAV,V1StGXR8_Z5jdHi6B-myT".split(","),
  ..."+441234567890,01234 567890,BS1 4ST,12345,AB12CDE,#a0b1c2,a0b1c2d3,1.0.0,1.50,YWJj,a.b".split(","),
];

const allTexts = [
  ...texts,
  ...[8, 10, 16, 20, 32, 40, 64, 100].flatMap((length) =>
    ["a", "A", "1"].map((letter) => letter.repeat(length)),
  ),
];

/** The same of a field that travels as a text. */
export function textFor(schema: Schema, name: string): string | undefined {
  const member = schemaWithin(schema, {}, name);
  const value = member === undefined ? undefined : valueFor(member);
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

/** The members of an object's schema that a value has not, each with its schema; of a union, those of the part that takes the value. */
export function absentMembers(schema: Schema, value: Readonly<Record<string, Json>>): [string, Schema][] {
  const def = defOf(schema);
  switch (def.type) {
    case "object":
      return Object.entries(def.shape).filter(([name]) => !Object.hasOwn(value, name));
    case "union":
      return def.options
        .filter((part) => z.safeParse(part, value).success)
        .slice(0, 1)
        .flatMap((part) => absentMembers(part, value));
    case "intersection":
      return [...absentMembers(def.left, value), ...absentMembers(def.right, value)];
    default: {
      const inner = innerOf(def);
      return inner === undefined ? [] : absentMembers(inner, value);
    }
  }
}

/** The schema of a member, or of a list's elements. */
export function schemaWithin(schema: Schema, value: Json, key: string | number): Schema | undefined {
  const def = defOf(schema);
  switch (def.type) {
    case "object":
      return Object.hasOwn(def.shape, key) ? def.shape[key] : undefined;
    case "array":
      return def.element;
    case "tuple":
      return def.items[Number(key)];
    case "record":
      return def.valueType;
    case "union": {
      const part = def.options.find((option) => z.safeParse(option, value).success);
      return part === undefined ? undefined : schemaWithin(part, value, key);
    }
    case "intersection":
      return schemaWithin(def.left, value, key) ?? schemaWithin(def.right, value, key);
    default: {
      const inner = innerOf(def);
      return inner === undefined ? undefined : schemaWithin(inner, value, key);
    }
  }
}

function innerOf(def: Def): Schema | undefined {
  if (def.type === "lazy") return def.getter();
  if (def.type === "pipe") return def.in;
  return "innerType" in def ? def.innerType : undefined;
}
