import { list, numeral, object, quoted, remark } from "./code.ts";
import type { Code, Item } from "./code.ts";
import { memberName } from "./code.ts";
import { hasShape, mergeAllOf, mergeOption, referenceIn } from "./merge-all-of.ts";
import type { NamedSchemas } from "./named-schemas.ts";
import type { Pattern } from "./pattern.ts";
import type { References, Target } from "./references.ts";
import { numberCode, textCode } from "./scalars.ts";
import { countAt, isMembers, listAt, member, membersAt, textAt } from "./values.ts";
import type { Members } from "./values.ts";

/** Whether a schema checks what comes in, as JSON or as text, or what goes out. */
export type Use = "json" | "text" | "output";

/** What converting schemas needs, and what it finds. */
export interface Conversion {
  readonly references: References;
  readonly schemas: NamedSchemas;
  readonly isSensitive: (name: string) => boolean;
  /** Schemas that may still be looked at. */
  readonly budget: { left: number };
  /** Those that were read already. */
  readonly patterns: Map<string, Pattern>;
  /** What the file has to declare for what was written. */
  readonly needs: Set<"maxText" | "maxItems" | "Plain">;
  /** Schemas that are being looked at, each inside of the one before, those with names too. */
  readonly open: { count: number };
}

/** A schema as code. */
export interface Converted {
  /** Undefined: nothing is known of it, so in an answer it has no place. */
  readonly code: Code | undefined;
  /** What of it could not be carried over. */
  readonly notes: readonly string[];
}

const maxDepth = 24;

/** Of {@link Conversion.open}: with more the stack is used up. */
const maxOpen = 500;

/** Writes a JSON Schema, as OpenAPI 3.0 or 3.1 has it, as Zod. */
export function convertSchema(value: unknown, use: Use, conversion: Conversion, depth = 0): Converted {
  conversion.open.count++;
  const converted = convert(value, use, conversion, depth);
  conversion.open.count--;
  return converted;
}

function convert(value: unknown, use: Use, conversion: Conversion, depth: number): Converted {
  const { references, schemas, budget, open } = conversion;
  if (depth > maxDepth || open.count > maxOpen)
    return unknownValue(use, conversion, "it is nested too deeply");
  if ((budget.left -= 1) < 0) return unknownValue(use, conversion, "the description has too many parts");
  if (!isMembers(value)) return unknownValue(use, conversion);
  const ref = referenceIn(value);
  if (ref === undefined) {
    const isMerged = value.allOf !== undefined || value.$ref !== undefined;
    return convertOpen(isMerged ? mergeAllOf(value, references, budget) : value, use, conversion, depth);
  }
  const target = followAll(ref, references);
  if ("fault" in target) return unknownValue(use, conversion, `${remark(ref)} ${target.fault}`);
  // A parameter's text is short, and read as text: no schema of JSON's is.
  if (use === "text") return convertSchema(target.found, use, conversion, depth + 1);
  const named = schemas.get(target.pointer, use, () => convertSchema(target.found, use, conversion, 0));
  if (named === undefined) return unknownValue(use, conversion);
  return { code: member(value, "nullable") === true ? nullable(named) : named, notes: [] };
}

/** Names that stand for names, to the last. */
function followAll(ref: string, references: References): Target {
  let target = references.follow(ref);
  for (let hops = 0; hops < 32; hops++) {
    const next = "fault" in target || !isMembers(target.found) ? undefined : referenceIn(target.found);
    if (next === undefined) return target;
    target = references.follow(next);
  }
  return { fault: "leads back to itself" };
}

function convertOpen(schema: Members, use: Use, conversion: Conversion, depth: number): Converted {
  const outside = textAt(schema, "$ref");
  if (outside !== undefined) return unknownValue(use, conversion, `${remark(outside)} is not read`);
  const notes = unsupported.flatMap(([name, words]) => (member(schema, name) === undefined ? [] : [words]));
  const { code, notes: more } = convertKind(schema, use, conversion, depth);
  const isNull = isNullable(schema) && use !== "text" && code !== undefined;
  return { code: isNull ? nullable(code) : code, notes: [...notes, ...more] };
}

/** A type that is null already stays as it is. */
const nullable = (code: Code): Code => (code === "z.null()" ? code : [code, ".nullable()"]);

const unsupported: readonly (readonly [string, string])[] = [
  ["not", '"not" is not carried over'],
  ["if", '"if" is not carried over'],
  ["patternProperties", '"patternProperties" are not carried over'],
  ["dependentRequired", '"dependentRequired" is not carried over'],
  ["dependentSchemas", '"dependentSchemas" is not carried over'],
  ["contains", '"contains" is not carried over'],
  ["uniqueItems", '"uniqueItems" is not checked'],
  ["x-curtainwall-choices", "of several choices at once one is carried over"],
];

function isNullable(schema: Members): boolean {
  const type = member(schema, "type");
  return (
    member(schema, "nullable") === true ||
    (Array.isArray(type) && type.length > 1 && type.includes("null")) ||
    (Array.isArray(member(schema, "enum")) &&
      listAt(schema, "enum").includes(null) &&
      listAt(schema, "enum").length > 1)
  );
}

function convertKind(schema: Members, use: Use, conversion: Conversion, depth: number): Converted {
  if (member(schema, "const") !== undefined) return values([member(schema, "const")], use, conversion);
  const options = listAt(schema, "enum");
  if (options.length > 0)
    return values(
      options.length > 1 ? options.filter((option) => option !== null) : options,
      use,
      conversion,
    );
  for (const name of ["oneOf", "anyOf"]) {
    const choice = listAt(schema, name);
    if (choice.length > 0) return convertChoice(schema, choice, use, conversion, depth);
  }
  const types = typesOf(schema);
  if (types.length > 1) {
    const parts = types.map((type) => convertType(type, schema, use, conversion, depth));
    return union(parts, use, conversion);
  }
  return convertType(types[0], schema, use, conversion, depth);
}

/** The types that are named, `null` among others aside; else the one that the other words speak of. */
function typesOf(schema: Members): readonly string[] {
  const type = member(schema, "type");
  if (typeof type === "string") return [type];
  if (Array.isArray(type)) {
    const names = [...new Set(type.filter((name) => typeof name === "string"))];
    return names.length > 1 ? names.filter((name) => name !== "null") : names;
  }
  const has = (...names: readonly string[]): boolean =>
    names.some((name) => member(schema, name) !== undefined);
  if (has("properties", "additionalProperties", "required", "maxProperties")) return ["object"];
  if (has("items", "prefixItems", "maxItems")) return ["array"];
  if (has("pattern", "maxLength", "minLength", "format")) return ["string"];
  return has("minimum", "maximum", "multipleOf") ? ["number"] : [];
}

function convertType(
  type: string | undefined,
  schema: Members,
  use: Use,
  conversion: Conversion,
  depth: number,
): Converted {
  switch (type) {
    case "string":
      return textCode(schema, use, conversion);
    case "integer":
    case "number":
      return numberCode(type, schema, use);
    case "boolean":
      return { code: use === "text" ? 'z.enum(["true", "false"])' : "z.boolean()", notes: [] };
    case "null":
      return { code: "z.null()", notes: [] };
    case "array":
      return convertArray(schema, use, conversion, depth);
    case "object":
      if (use !== "text") return convertObject(schema, use, conversion, depth);
      conversion.needs.add("maxText");
      return { code: "z.string().max(maxText)", notes: ["an object is taken as the text that it is"] };
    default:
      return unknownValue(use, conversion);
  }
}

/** A value of which nothing is known: none in an answer, a plain one in a request. */
function unknownValue(
  use: Use,
  { needs }: Conversion,
  why = "the description does not say what it is",
): Converted {
  if (use === "output") return { code: undefined, notes: [`TODO ${why}`] };
  if (use === "text") {
    needs.add("maxText");
    return { code: "z.string().max(maxText)", notes: [`TODO ${why}`] };
  }
  needs.add("Plain");
  return { code: "Plain", notes: [`TODO ${why}`] };
}

function values(options: readonly unknown[], use: Use, conversion: Conversion): Converted {
  const plain = [...new Set(options)].filter(
    (option) => option === null || ["string", "number", "boolean"].includes(typeof option),
  );
  if (plain.length === 0) return unknownValue(use, conversion);
  const notes =
    plain.length < new Set(options).size ? ["values that are objects or lists are not carried over"] : [];
  const texts = use === "text" ? plain.map(String) : plain;
  if (texts.every((option) => typeof option === "string"))
    return {
      code:
        texts.length === 1
          ? `z.literal(${quoted(texts[0] as string)})`
          : ["z.enum(", list(texts.map(quoted)), ")"],
      notes,
    };
  if (texts.length === 1)
    return { code: texts[0] === null ? "z.null()" : `z.literal(${literal(texts[0])})`, notes };
  return { code: ["z.literal(", list(texts.map(literal)), ")"], notes };
}

const literal = (value: unknown): string =>
  typeof value === "string"
    ? quoted(value)
    : typeof value === "number" && Number.isFinite(value)
      ? numeral(value)
      : value === true
        ? "true"
        : value === false
          ? "false"
          : "null";

function convertChoice(
  schema: Members,
  choice: readonly unknown[],
  use: Use,
  conversion: Conversion,
  depth: number,
): Converted {
  const { references, budget } = conversion;
  const isBare = !Object.keys(schema).some((name) =>
    ["properties", "required", "type", "additionalProperties"].includes(name),
  );
  const shaped = choice.filter((option) => isMembers(option) && hasShape(option));
  if (shaped.length === 0) {
    const rest = Object.fromEntries(
      Object.entries(schema).filter(([name]) => name !== "oneOf" && name !== "anyOf"),
    );
    const { code, notes } = convertKind(rest, use, conversion, depth);
    return { code, notes: ["which fields go together is not carried over", ...notes] };
  }
  const isNull = (option: unknown): boolean => textAt(option, "type") === "null";
  const parts = shaped
    .filter((option) => !isNull(option))
    .map((option) =>
      convertSchema(
        isBare ? option : mergeOption(schema, option, references, budget),
        use,
        conversion,
        depth + 1,
      ),
    );
  const { code, notes } = union(parts, use, conversion);
  return { code: shaped.some(isNull) && code !== undefined && use !== "text" ? nullable(code) : code, notes };
}

function union(parts: readonly Converted[], use: Use, conversion: Conversion): Converted {
  const codes = parts.flatMap(({ code }) => (code === undefined ? [] : [code]));
  const notes = [...new Set(parts.flatMap((part) => part.notes))];
  const different = codes.filter((code, index) => codes.findIndex((other) => other === code) === index);
  const [only] = different;
  if (only === undefined)
    return parts.length === 0 ? { code: "z.null()", notes } : { ...unknownValue(use, conversion), notes };
  return { code: different.length === 1 ? only : ["z.union(", list(different), ")"], notes };
}

function convertArray(schema: Members, use: Use, conversion: Conversion, depth: number): Converted {
  const tuple = listAt(schema, "prefixItems");
  const inner = convertSchema(
    tuple.length > 0 ? { anyOf: tuple } : member(schema, "items"),
    use,
    conversion,
    depth + 1,
  );
  if (inner.code === undefined) return inner;
  const [least, most] = [countAt(schema, "minItems"), countAt(schema, "maxItems")];
  const isBounded = most !== undefined || use === "output";
  if (!isBounded) conversion.needs.add("maxItems");
  const notes = tuple.length > 0 ? [...inner.notes, "the order of its elements is not checked"] : inner.notes;
  const code: Code[] = ["z.array(", inner.code, ")"];
  if (least !== undefined && least > 0) code.push(`.min(${least})`);
  if (most !== undefined) code.push(`.max(${most})`);
  else if (!isBounded) code.push(".max(maxItems)");
  return { code, notes };
}

function convertObject(schema: Members, use: Use, conversion: Conversion, depth: number): Converted {
  const names = Object.keys(membersAt(schema, "properties"));
  const further = member(schema, "additionalProperties");
  if (names.length === 0 && isMembers(further) && Object.keys(further).length > 0) {
    const inner = convertSchema(further, use, conversion, depth + 1);
    if (inner.code === undefined) return inner;
    return { code: ["z.record(z.string().max(200), ", inner.code, ")"], notes: inner.notes };
  }
  if (names.length === 0 && use !== "output" && (further === true || isMembers(further))) {
    conversion.needs.add("Plain");
    return {
      code: "z.record(z.string().max(200), Plain)",
      notes: ["TODO its fields may be anything plain: the description does not name them"],
    };
  }
  const notes: string[] = [];
  if (names.length === 0 && further !== false)
    notes.push("TODO none of its fields is described, so none passes");
  else if (further === true || isMembers(further)) notes.push("fields that are not named here do not pass");
  if (
    member(schema, "discriminator") !== undefined &&
    listAt(schema, "oneOf").length === 0 &&
    use === "output"
  )
    notes.push("fields of what is derived from it are not carried over");
  const items: Item[] = [];
  for (const name of names) {
    const item = convertMember(name, schema, use, conversion, depth);
    if ("value" in item) items.push(item);
    else notes.push(...item.leftOut);
  }
  return { code: ["z.object(", object(items), ")"], notes };
}

type LeftOut = { readonly leftOut: readonly string[] };

function convertMember(
  name: string,
  schema: Members,
  use: Use,
  conversion: Conversion,
  depth: number,
): Item | LeftOut {
  const property = membersAt(schema, "properties")[name];
  const resolved = conversion.references.resolve(property);
  if (name === "__proto__") return { leftOut: ["a field called __proto__ is left out"] };
  if (property === false || member(resolved, use === "output" ? "writeOnly" : "readOnly") === true)
    return { leftOut: [] };
  if (use === "output" && conversion.isSensitive(name))
    return { leftOut: [`${remark(name)} is left out: its name says that it must not leave`] };
  const { code, notes } = convertSchema(property, use, conversion, depth + 1);
  if (code === undefined)
    return { leftOut: [`TODO ${remark(name)} is left out: ${(notes[0] ?? "").replace(/^TODO /, "")}`] };
  const isRequired = listAt(schema, "required").includes(name);
  return { name: memberName(name), notes, value: isRequired ? code : [code, ".optional()"] };
}
