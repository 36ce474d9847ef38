import { CurtainwallError } from "../../shared/index.ts";
import type { z } from "zod";
import type { Schema } from "../define/schema.ts";
import type { ContractErrorCode } from "../errors.ts";
import type { NamedShapes, Shape } from "./shape.ts";

type Def = z.core.$ZodTypes["_zod"]["def"];

/** A check of Zod's, of those that are read here; a schema like `z.uuid()` is a check itself. */
interface Check {
  readonly check?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly length?: number;
  readonly value?: number;
  readonly format?: string;
  readonly pattern?: RegExp;
}

const definition = (schema: Schema): Def => (schema as z.core.$ZodTypes)._zod.def;

function checksOf(schema: Schema): Check[] {
  const def = definition(schema) as Check & { checks?: readonly { _zod: { def: Check } }[] };
  return [def, ...(def.checks ?? []).map(({ _zod }) => _zod.def)];
}

/** The tightest of some bounds; null when there is none. */
function tightest(pick: (...bounds: number[]) => number, bounds: (number | undefined)[]): number | null {
  const stated = bounds.filter((bound) => bound !== undefined && Number.isFinite(bound)) as number[];
  return stated.length === 0 ? null : pick(...stated);
}

const leastLength = (checks: Check[]): number =>
  tightest(
    Math.max,
    checks.map(({ minimum, length }) => minimum ?? length),
  ) ?? 0;
const mostLength = (checks: Check[]): number | null =>
  tightest(
    Math.min,
    checks.map(({ maximum, length }) => maximum ?? length),
  );

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
        return numberShape(checksOf(schema), def.type === "bigint");
      case "boolean":
      case "null":
        return def.type;
      case "literal":
        return ["one of", ...(def.values as (string | number | boolean | null)[])];
      case "enum":
        return ["one of", ...new Set(enumValues(def.entries))];
      case "array":
        return ["list", this.write(def.element), leastLength(checksOf(schema)), mostLength(checksOf(schema))];
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
  const checks = checksOf(schema);
  const whole = definition(schema).type === "template_literal" ? [schema._zod.pattern] : [];
  const patterns = [...whole, ...checks.map(({ pattern }) => pattern)].filter(
    (pattern) => pattern !== undefined,
  );
  // One that remembers where it stopped would judge every second text wrongly.
  const sources = patterns.map(({ source, flags }) => [source, flags.replaceAll(/[gy]/g, "")] as const);
  return ["string", leastLength(checks), mostLength(checks), ...sources];
}

function numberShape(checks: Check[], isWhole: boolean): Shape {
  // A bound that is itself excluded is let pass here: whoever applies the schema sees to that.
  const bounds = (kind: string): (number | undefined)[] =>
    checks.map(({ check, value }) => (check === kind ? value : undefined));
  return [
    "number",
    tightest(Math.max, bounds("greater_than")),
    tightest(Math.min, bounds("less_than")),
    isWhole || checks.some(({ format }) => /int/.test(format ?? "")) ? 1 : 0,
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
