import { CurtainwallError } from "../../shared/index.ts";
import type { z } from "zod";
import type { Schema } from "../define.ts";
import type { ContractErrorCode } from "../errors.ts";
import type { NamedShapes, Shape } from "./shape.ts";

type Def = z.core.$ZodTypes["_zod"]["def"];

/** What Zod notes about a schema's checks. */
interface Bag {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly format?: string;
  readonly patterns?: ReadonlySet<RegExp>;
}

const definition = (schema: Schema): Def => (schema as z.core.$ZodTypes)._zod.def;
const bagOf = (schema: Schema): Bag => schema._zod.bag;

/**
 * Turns a Zod schema into the shape of the JSON that it lets out: types, bounds, patterns and declared values. What only code
 * can check (`refine`) is left to whoever applies the schema itself.
 *
 * @throws {CurtainwallError} `CONTRACT_SCHEMA_UNSUPPORTED` for what has no such shape.
 */
export function shapeOf(schema: Schema): NamedShapes {
  const writer = new ShapeWriter();
  return { shape: writer.write(schema), named: writer.named };
}

class ShapeWriter {
  readonly named: Shape[] = [];
  /** The schemas around the present one; with a number if something inside refers to it. */
  readonly #open = new Map<Schema, number | undefined>();
  readonly #done = new Map<Schema, number>();

  write(schema: Schema): Shape {
    const done = this.#done.get(schema);
    if (done !== undefined) return ["named", done];
    if (this.#open.has(schema)) {
      const number = this.#open.get(schema) ?? this.named.push("null") - 1;
      this.#open.set(schema, number);
      return ["named", number];
    }
    this.#open.set(schema, undefined);
    const shape = this.#shape(schema, definition(schema));
    const number = this.#open.get(schema);
    this.#open.delete(schema);
    if (number === undefined) return shape;
    this.named[number] = shape;
    this.#done.set(schema, number);
    return ["named", number];
  }

  #shape(schema: Schema, def: Def): Shape {
    switch (def.type) {
      case "string":
      case "template_literal":
        return stringShape(schema);
      case "date":
        return ["string", 0, null];
      case "number":
      case "bigint":
        return numberShape(bagOf(schema), def.type === "bigint");
      case "boolean":
      case "null":
        return def.type;
      case "literal":
        return ["one of", ...(def.values as (string | number | boolean | null)[])];
      case "enum":
        return ["one of", ...new Set(enumValues(def.entries))];
      case "array":
        return ["list", this.write(def.element), bagOf(schema).minimum ?? 0, bagOf(schema).maximum ?? null];
      case "tuple":
        return ["tuple", def.items.map((item) => this.write(item)), def.rest ? this.write(def.rest) : null];
      case "object":
        return this.#objectShape(def.shape);
      case "record":
        return ["record", this.write(def.keyType), this.write(def.valueType)];
      case "union":
        return ["either", def.options.map((option) => this.write(option))];
      case "intersection":
        return ["both", this.write(def.left), this.write(def.right)];
      case "nullable":
        return ["either", [this.write(def.innerType), "null"]];
      case "optional":
      case "nonoptional":
      case "default":
      case "prefault":
      case "readonly":
        return this.write(def.innerType);
      case "lazy":
        return this.write(def.getter());
      case "pipe":
        return this.write(def.out);
      default:
        throw unsupported(def.type);
    }
  }

  #objectShape(shape: Readonly<Record<string, Schema>>): Shape {
    const required: [string, Shape][] = [];
    const optional: [string, Shape][] = [];
    for (const [name, member] of Object.entries(shape))
      (member._zod.optout === "optional" ? optional : required).push([name, this.write(member)]);
    return ["object", Object.fromEntries(required), Object.fromEntries(optional)];
  }
}

function stringShape(schema: Schema): Shape {
  const { minimum = 0, maximum = null, patterns = new Set<RegExp>() } = bagOf(schema);
  const own = schema._zod.pattern;
  const all = new Map([...patterns, ...(own === undefined ? [] : [own])].map((one) => [String(one), one]));
  // One that remembers where it stopped would judge every second text wrongly.
  const sources = [...all.values()].map(
    ({ source, flags }) => [source, flags.replaceAll(/[gy]/g, "")] as const,
  );
  return ["string", minimum, maximum, ...sources.filter(([source]) => source !== anyText)];
}

/** What Zod notes for a string of any kind. */
const anyText = String.raw`^[\s\S]{0,}$`;

function numberShape(bag: Bag, isWhole: boolean): Shape {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, format } = bag;
  // A bound that is itself excluded is let pass here: this side is told by the gateway, which isn't fooled.
  return [
    "number",
    minimum ?? exclusiveMinimum ?? null,
    maximum ?? exclusiveMaximum ?? null,
    isWhole || /int/.test(format ?? "") ? 1 : 0,
  ];
}

/** An enum of TypeScript's has its names among its keys, and its numbers lead back to them. */
function enumValues(entries: Readonly<Record<string, string | number>>): (string | number)[] {
  const numbers = new Set(Object.values(entries).filter((value) => typeof value === "number"));
  return Object.entries(entries)
    .filter(([key]) => !numbers.has(Number(key)))
    .map(([, value]) => value);
}

function unsupported(type: string): Error {
  const code: ContractErrorCode = "CONTRACT_SCHEMA_UNSUPPORTED";
  return new CurtainwallError(code, `a browser can't be told how to check a "${type}".`, {
    hint: "Use strings, numbers, booleans, enums, objects, arrays, tuples, records and unions of these",
  });
}
