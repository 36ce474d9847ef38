import type { z } from "zod";
import { CurtainwallError } from "../../shared/index.ts";
import type { ContractErrorCode } from "../errors.ts";
import type { Schema } from "../define/schema.ts";
import { readChecks, textOf } from "./schema-checks.ts";
import { originalOf } from "../schema.ts";
import type { Permission, SchemaNode } from "./permission.ts";

type Def = z.core.$ZodTypes["_zod"]["def"];

/** More than any schema that somebody wrote; one that shares its parts over and over grows without end when each is told. */
const maxNodes = 20_000;

const defOf = (schema: Schema): Def => (schema as z.core.$ZodTypes)._zod.def;

/**
 * What a schema lets pass, an entry for each of its parts.
 *
 * @param direction of answers nothing is `required`: what is missing in them tells nobody anything
 * @throws {CurtainwallError} `CONTRACT_SCHEMA_UNSUPPORTED` when it has more than 20,000 parts
 */
export function schemaPermissions(schema: Schema, at: string, direction: "input" | "output"): Permission[] {
  const original = originalOf(schema);
  if (original === schema) return readSchema(schema, at, direction);
  // Routes have copies of one schema, closed alike: what one lets pass, the others do.
  const known = knownCopies[direction].get(original) ?? readSchema(schema, "", direction, at);
  knownCopies[direction].set(original, known);
  return known.map((entry) => ({ at: at + entry.at, permits: entry.permits }));
}

const knownCopies = {
  input: new WeakMap<Schema, readonly Permission[]>(),
  output: new WeakMap<Schema, readonly Permission[]>(),
};

/**
 * What a schema of what is sent lets pass, whole.
 *
 * @throws {CurtainwallError} `CONTRACT_SCHEMA_UNSUPPORTED` when it has more than 20,000 parts
 */
export const nodeOfSchema = (schema: Schema, where: string): SchemaNode => readNode(schema, "input", where);

/** @param where how an error calls it */
function readSchema(schema: Schema, at: string, direction: "input" | "output", where = at): Permission[] {
  const entries: Permission[] = [];
  flatten(readNode(schema, direction, where), at, entries);
  return entries;
}

function readNode(schema: Schema, direction: "input" | "output", where: string): SchemaNode {
  const open = new Map<Schema, string>();
  let count = 0;

  const nodeOf = (current: Schema, path: string, isRequired: boolean): SchemaNode => {
    count += 1;
    if (count > maxNodes)
      throw new CurtainwallError<ContractErrorCode>(
        "CONTRACT_SCHEMA_UNSUPPORTED",
        `${where}: the schema has more than ${maxNodes} parts.`,
      );
    const seen = open.get(current);
    if (seen !== undefined) return { type: `again ${seen === "" ? "/" : seen}`, ...required(isRequired) };
    open.set(current, path);
    const node = bare(current, path);
    open.delete(current);
    return isRequired && direction === "input" ? { ...node, required: true } : node;
  };
  const required = (isRequired: boolean): { required?: true } =>
    isRequired && direction === "input" ? { required: true } : {};
  const part = (current: Schema, path: string): SchemaNode => nodeOf(current, path, false);

  const bare = (current: Schema, path: string): SchemaNode => {
    const def = defOf(current);
    const checks = readChecks(def);
    switch (def.type) {
      case "object":
        return {
          type: def.catchall === undefined || defOf(def.catchall).type === "never" ? "object" : "open object",
          ...checks,
          members: membersOf(def.shape, path),
        };
      case "array":
        return { type: "array", ...checks, element: part(def.element, `${path}/[]`) };
      case "record":
        return {
          type: recordType(def),
          ...checks,
          parts: [part(def.keyType, `${path}/{key}`)],
          element: part(def.valueType, `${path}/{}`),
        };
      case "union":
        return {
          type: isExclusive(def) ? "xor" : "union",
          ...checks,
          parts: def.options.map((option, index) => part(option, `${path}/|${index}`)),
        };
      case "intersection":
        return { type: "all", ...checks, parts: [part(def.left, path), part(def.right, path)] };
      case "tuple":
        return {
          type: "tuple",
          ...checks,
          parts: def.items.map((item, index) => nodeOf(item, `${path}/${index}`, !isOptional(item))),
          ...(def.rest ? { element: part(def.rest, `${path}/[]`) } : {}),
        };
      case "pipe":
        return { type: pipeType(current, def), ...checks, parts: [part(def.in, path), part(def.out, path)] };
      case "enum":
        return values(Object.values(def.entries), checks);
      case "literal":
        return values(def.values, checks);
      case "null":
        return values([null], checks);
      case "template_literal":
        return { type: "string", ...checks, also: [...(checks.also ?? []), patternOf(current)] };
      case "nullable":
        return { ...bareInner(def.innerType, path), nullable: true };
      case "lazy":
        return bareInner(def.getter(), path);
      case "optional":
      case "nonoptional":
      case "default":
      case "prefault":
      case "readonly":
        return bareInner(def.innerType, path);
      case "transform":
        return { type: "transform", also: [`function ${textOf(def.transform)}`] };
      default:
        return { type: def.type, ...checks };
    }
  };
  const membersOf = (shape: Readonly<Record<string, Schema>>, path: string): Record<string, SchemaNode> => {
    const members: Record<string, SchemaNode> = {};
    for (const [name, member] of Object.entries(shape))
      setOwn(members, name, nodeOf(member, `${path}/${escapeName(name)}`, !isOptional(member)));
    return members;
  };
  /** A wrapper has no place of its own, but may lead back to where it stands. */
  const bareInner = (inner: Schema, path: string): SchemaNode => nodeOf(inner, path, false);

  return nodeOf(schema, "", true);
}

/** Also where the name is `__proto__`. */
function setOwn<Value>(members: Record<string, Value>, name: string, value: Value): void {
  if (name !== "__proto__") members[name] = value;
  else Object.defineProperty(members, name, { value, enumerable: true, configurable: true, writable: true });
}

/** An entry for each member of objects and for lists' elements; unions and the like stay whole, as their parts have no names. */
function flatten(node: SchemaNode, at: string, entries: Permission[]): void {
  if (node.type !== "object" && node.type !== "open object" && node.type !== "array") {
    entries.push({ at, permits: node });
    return;
  }
  const { members = {}, element, ...rest } = node;
  entries.push({ at, permits: rest });
  for (const [name, member] of Object.entries(members)) flatten(member, `${at}/${escapeName(name)}`, entries);
  if (element !== undefined) flatten(element, `${at}/[]`, entries);
}

/** As in a JSON Pointer (RFC 6901); and no name is taken for a list's element. */
const escapeName = (name: string): string =>
  /[~/[ ]/.test(name)
    ? name.replaceAll("~", "~0").replaceAll("/", "~1").replaceAll("[", "~2").replaceAll(" ", "~3")
    : name;

/** `optional`, or in later versions of Zod `defaulted`. */
const isOptional = (member: Schema): boolean => (member as z.core.$ZodTypes)._zod.optin !== undefined;

function values(list: readonly unknown[], checks: Partial<SchemaNode>): SchemaNode {
  const texts = list.map((value) =>
    typeof value === "bigint" ? `${value}n` : (JSON.stringify(value) ?? "undefined"),
  );
  return { type: "values", ...checks, values: [...new Set(texts)].sort() };
}

const patternOf = (schema: Schema): string => `pattern ${String(schema._zod.pattern)}`;

/** Of one that is told apart by a member, no value fits two parts. */
const isExclusive = (def: Extract<Def, { type: "union" }>): boolean =>
  "inclusive" in def && !def.inclusive && !("discriminator" in def);

/** One whose keys are listed has all of them, unless it is partial. */
function recordType(def: Extract<Def, { type: "record" }>): string {
  if (def.mode === "loose") return "loose record";
  return "partial" in def && def.partial ? "partial record" : "record";
}

/** A codec's own functions are Zod's as often as not, and change with its version; what it takes is in its parts. */
function pipeType(schema: Schema, def: Def): string {
  if (!("transform" in def || "reverseTransform" in def)) return "pipe";
  const { truthy, falsy } = originalOf(schema)._zod.bag;
  return truthy === undefined ? "codec" : `codec ${JSON.stringify([truthy, falsy])}`;
}
