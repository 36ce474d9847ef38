import { z } from "zod";
import type { Schema } from "./define/schema.ts";

/** What is wrong with a schema: where in it, and why. */
export interface SchemaProblem {
  /** Path inside the schema, `/` for itself. */
  at: string;
  kind: "open" | "unsupported";
  message: string;
}

type Def = z.core.$ZodTypes["_zod"]["def"];

/** JSON has none of these, so a schema with one could never accept or produce what travels. */
const notJson = new Set(["map", "set", "symbol", "undefined", "void", "nan", "function", "file", "promise"]);
const needsCoercion = new Set(["date", "bigint"]);
/** `catch` and `success` too: they take what does not fit, undeclared fields included, and say nothing. */
const anything = new Set(["any", "unknown", "custom", "catch", "success"]);
/** A schema that builds another at each step never ends; one that refers to itself is seen once. Real APIs' go 200 deep, by way of each other. */
const maxDepth = 512;
const maxSchemas = 10_000;

const definition = (schema: Schema): Def => (schema as z.core.$ZodTypes)._zod.def;

/** The schemas directly inside one, each with the step that leads to it. */
function children(def: Def): [string, Schema][] {
  switch (def.type) {
    case "object":
      return Object.entries(def.shape);
    case "array":
      return [["[]", def.element]];
    case "union":
      return def.options.map((option, index) => [`|${index}`, option]);
    case "intersection":
      return [
        ["&0", def.left],
        ["&1", def.right],
      ];
    case "tuple":
      return [
        ...def.items.map((item, index): [string, Schema] => [String(index), item]),
        ...(def.rest ? [["[]", def.rest] as [string, Schema]] : []),
      ];
    case "record":
      return [["{}", def.valueType]];
    case "pipe":
      return [
        ["in", def.in],
        ["out", def.out],
      ];
    case "lazy":
      return [["", def.getter()]];
    case "optional":
    case "nullable":
    case "nonoptional":
    case "default":
    case "prefault":
    case "readonly":
    case "catch":
    case "success":
      return [["", def.innerType]];
    default:
      return [];
  }
}

const isOpenObject = (def: Def): boolean =>
  def.type === "object" && def.catchall !== undefined && definition(def.catchall).type !== "never";
/** A loose record passes on the keys that its key schema does not know. */
const isLooseRecord = (def: Def): boolean => def.type === "record" && def.mode === "loose";
/** A codec is a pipe whose two ends hold different values. */
const changesValue = (def: Def): boolean =>
  def.type === "transform" || (def.type === "pipe" && ("transform" in def || "reverseTransform" in def));

function problemOf(def: Def, direction: "input" | "output"): Omit<SchemaProblem, "at"> | undefined {
  if (anything.has(def.type)) return { kind: "open", message: `z.${def.type}() accepts anything` };
  if (isOpenObject(def)) return { kind: "open", message: "the object accepts fields that are not declared" };
  if (isLooseRecord(def)) return { kind: "open", message: "the record accepts keys that are not declared" };
  if (notJson.has(def.type)) return { kind: "unsupported", message: `z.${def.type}() is not JSON` };
  if (needsCoercion.has(def.type) && (direction === "output" || !("coerce" in def && def.coerce))) {
    return {
      kind: "unsupported",
      message: `z.${def.type}() is not JSON${direction === "input" ? `; z.coerce.${def.type}() reads it from text` : "; declare the text or number that travels"}`,
    };
  }
  // Every text but the empty one is true to it, "false" as well.
  if (def.type === "boolean" && direction === "input" && "coerce" in def && def.coerce)
    return { kind: "unsupported", message: 'z.coerce.boolean() takes "false" for true; use z.stringbool()' };
  if (direction === "output" && changesValue(def)) {
    const what = def.type === "pipe" ? "codec" : def.type;
    return { kind: "unsupported", message: `a response is checked, not changed: no ${what}` };
  }
  return undefined;
}

/** Lists what is open or impossible in a schema that checks JSON on its way in or out. */
export function inspectSchema(schema: Schema, direction: "input" | "output"): SchemaProblem[] {
  const problems: SchemaProblem[] = [];
  const seen = new Set<Schema>();
  let endless: string | undefined;
  const visit = (current: Schema, at: string, depth: number): void => {
    if (seen.has(current)) return;
    seen.add(current);
    if (depth > maxDepth || seen.size > maxSchemas) {
      endless ??= at.slice(0, 80);
      return;
    }
    const def = definition(current);
    const problem = problemOf(def, direction);
    if (problem !== undefined) problems.push({ at: at === "" ? "/" : at, ...problem });
    for (const [step, child] of children(def)) visit(child, step === "" ? at : `${at}/${step}`, depth + 1);
  };
  visit(schema, "", 0);
  if (endless !== undefined) {
    const message = `it is nested deeper than ${maxDepth} or has more than ${maxSchemas} parts; a recursive schema must refer to itself`;
    problems.push({ at: endless, kind: "unsupported", message });
  }
  return problems;
}

/** Calls `visit` once for each schema inside one, itself included, with the step that leads to it. */
export function walkSchema(schema: Schema, visit: (def: Def, at: string, step: string) => void): void {
  const seen = new Set<Schema>();
  const walk = (current: Schema, at: string, step: string): void => {
    if (seen.has(current) || seen.size > maxSchemas) return;
    seen.add(current);
    const def = definition(current);
    visit(def, at === "" ? "/" : at, step);
    for (const [name, child] of children(def)) walk(child, name === "" ? at : `${at}/${name}`, name);
  };
  walk(schema, "", "");
}

/** The members of an object that are lists, whatever may stand in their place: in a query or a form they may stand several times. */
export function listFields(schema: Schema): ReadonlySet<string> {
  const isList = (current: Schema): boolean => {
    const def = definition(current);
    if (def.type === "array") return true;
    if (def.type === "pipe") return isList(def.in);
    return "innerType" in def && isList(def.innerType);
  };
  const members = memberSchemas(schema) ?? new Map<string, Schema>();
  return new Set([...members].filter(([, member]) => isList(member)).map(([name]) => name));
}

const originals = new WeakMap<Schema, Schema>();

/** The schema that {@link closeObjects} copied, which has the name and description given by `.meta()`; else the same. */
export function originalOf(schema: Schema): Schema {
  return originals.get(schema) ?? schema;
}

/** The schemas that an intersection joins, those inside its unions too. */
export function joinedSchemas(schema: Schema): Set<Schema> {
  const joined = new Set<Schema>();
  const seen = new Set<Schema>();
  const visit = (current: Schema, isJoined: boolean): void => {
    if (seen.has(current) && (!isJoined || joined.has(current))) return;
    seen.add(current);
    if (isJoined) joined.add(current);
    const def = definition(current);
    const joins = def.type === "intersection" || (isJoined && def.type === "union");
    for (const [, child] of children(def)) visit(child, joins);
  };
  visit(schema, false);
  return joined;
}

/**
 * A copy of a schema in which *every* object, however deep, either refuses or strips undeclared fields. Zod's own
 * `.strict()` reaches the top level only.
 */
export function closeObjects(schema: Schema, undeclared: "refuse" | "strip"): Schema {
  const copies = new Map<Schema, Schema>();
  // A getter tells Zod that a schema may contain itself, and it then keeps track of every value that it checks.
  const isRecursive = containsItself(schema);
  const catchall = undeclared === "refuse" ? z.never() : undefined;

  const copy = (current: Schema): Schema => {
    const known = copies.get(current);
    if (known !== undefined) return known;
    const def = definition(current);
    const changes = changesFor(def);
    if (changes === undefined) return current;
    const result = z.core.clone(
      current as z.ZodType,
      Object.defineProperties(
        {},
        { ...Object.getOwnPropertyDescriptors(def), ...Object.getOwnPropertyDescriptors(changes) },
      ) as never,
    );
    if (def.type === "union") rememberIssues(result);
    copies.set(current, result);
    originals.set(result, originalOf(current));
    return result;
  };

  const once = <T>(make: () => T): (() => T) => {
    let made: { value: T } | undefined;
    return () => (made ??= { value: make() }).value;
  };

  /** The members of a definition that change; getters, because schemas may contain themselves. */
  const changesFor = (def: Def): object | undefined => {
    switch (def.type) {
      case "object": {
        const shape = once(() =>
          Object.fromEntries(Object.entries(def.shape).map(([name, field]) => [name, copy(field)])),
        );
        if (!isRecursive) return { shape: shape(), catchall };
        return {
          get shape() {
            return shape();
          },
          catchall,
        };
      }
      case "array": {
        const element = once(() => copy(def.element));
        return {
          get element() {
            return element();
          },
        };
      }
      case "union": {
        const options = once(() => def.options.map(copy));
        return {
          get options() {
            return options();
          },
        };
      }
      case "intersection":
        return { left: copy(def.left), right: copy(def.right) };
      case "tuple":
        return { items: def.items.map(copy), rest: def.rest ? copy(def.rest) : def.rest };
      case "record":
        return { valueType: copy(def.valueType) };
      case "pipe":
        return { in: copy(def.in), out: copy(def.out) };
      case "lazy":
        return { getter: once(() => copy(def.getter())) };
      case "optional":
      case "nullable":
      case "nonoptional":
      case "default":
      case "prefault":
      case "readonly":
      case "catch":
      case "success": {
        const innerType = once(() => copy(def.innerType));
        return {
          get innerType() {
            return innerType();
          },
        };
      }
      default:
        return undefined;
    }
  };

  return copy(schema);
}

/** Whether a schema leads back to itself, or can't be seen through. */
function containsItself(schema: Schema): boolean {
  const open = new Set<Schema>();
  const closed = new Set<Schema>();
  const visit = (current: Schema): boolean => {
    if (open.has(current) || open.size > maxDepth) return true;
    if (closed.has(current)) return false;
    const def = definition(current);
    open.add(current);
    const found = def.type === "lazy" || children(def).some(([, child]) => visit(child));
    open.delete(current);
    closed.add(current);
    return found;
  };
  return visit(schema);
}

/**
 * Zod's pipe hands the undeclared keys that its first half found on to its second half, as issues; a union there would
 * forget them, and the request would pass.
 */
function rememberIssues(union: Schema): void {
  const internals = union._zod;
  const parse = internals.parse.bind(internals);
  const remembering: typeof parse = (payload, context) => {
    const before = payload.issues;
    if (before.length === 0) return parse(payload, context);
    const withBefore = (result: typeof payload): typeof payload => {
      result.issues.unshift(...before);
      return result;
    };
    const result = parse({ ...payload, issues: [] }, context);
    return result instanceof Promise ? result.then(withBefore) : withBefore(result);
  };
  // Without checks, Zod's `run` is `parse` itself.
  if (internals.run === internals.parse) internals.run = remembering;
  internals.parse = remembering;
}

/** The schemas of an object's members, by name; undefined if it is no object. */
export function memberSchemas(schema: Schema): Map<string, Schema> | undefined {
  const def = definition(schema);
  return def.type === "object" ? new Map(Object.entries(def.shape)) : undefined;
}

/** The names of an object's members; none if it is no object. */
export const memberNames = (schema: Schema): string[] => [...(memberSchemas(schema)?.keys() ?? [])];
