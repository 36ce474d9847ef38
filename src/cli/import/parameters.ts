import { memberName, remark } from "./code.ts";
import type { Code, Item } from "./code.ts";
import { convertSchema } from "./schema.ts";
import type { Conversion } from "./schema.ts";
import { isMembers, listAt, member, membersAt, textAt } from "./values.ts";
import type { Members } from "./values.ts";

/** The parameters of an operation, by where they stand. */
export interface Parameters {
  readonly path: ReadonlyMap<string, Item>;
  readonly query: readonly Item[];
  readonly headers: readonly Item[];
  readonly cookies: readonly Item[];
  /** What could not be carried over, and stands nowhere. */
  readonly notes: readonly string[];
}

/** What reading parameters needs of the contract's rules. */
export interface ParameterRules {
  /** Why a header can't be taken; undefined: it can. */
  readonly headerFault: (name: string) => string | undefined;
}

const cookieName = /^[\w!#$%&'*+.^`|~-]{1,64}$/;
/** What OpenAPI says is told elsewhere (3.1.1 §4.8.12.1), and what no route takes from its clients. */
const toldElsewhere = new Set(["accept", "content-type", "authorization"]);

/** Reads an operation's parameters, its own before its path's. */
export function readParameters(
  item: Members,
  operation: Members,
  conversion: Conversion,
  { headerFault }: ParameterRules,
): Parameters {
  const found = new Map<string, Members>();
  const notes: string[] = [];
  for (const entry of [...listAt(item, "parameters"), ...listAt(operation, "parameters")]) {
    const parameter = conversion.references.resolve(entry);
    const [name, place] = [textAt(parameter, "name"), textAt(parameter, "in")];
    if (parameter === undefined || name === undefined || place === undefined)
      notes.push(`a parameter is left out: ${remark(textAt(entry, "$ref") ?? "it")} can't be read`);
    else found.set(`${place} ${name}`, parameter);
  }
  const path = new Map<string, Item>();
  const query: Item[] = [];
  const headers: Item[] = [];
  const cookies: Item[] = [];
  for (const parameter of found.values()) {
    const name = textAt(parameter, "name") ?? "";
    const leaveOut = (why: string): number =>
      notes.push(`${place} parameter ${remark(name)} is left out: ${why}`);
    const place = textAt(parameter, "in");
    if (place === "path") path.set(name, convertOne(parameter, "path", conversion));
    else if (place === "query" && isDeep(parameter)) query.push(...convertDeep(parameter, conversion));
    else if (place === "query") {
      if (name === "" || name === "__proto__") leaveOut("it can't be a key");
      else query.push(convertOne(parameter, "query", conversion));
    } else if (place === "header") {
      const lower = name.toLowerCase();
      const fault = toldElsewhere.has(lower) ? "" : headerFault(lower);
      if (fault === undefined)
        headers.push({ ...convertOne(parameter, "header", conversion), name: memberName(lower) });
      else if (fault !== "") leaveOut(`it ${fault}`);
    } else if (place === "cookie") {
      if (cookieName.test(name) && name !== "__proto__")
        cookies.push(convertOne(parameter, "cookie", conversion));
      else leaveOut("it can't be a cookie's name");
    } else leaveOut(`there is no place called ${remark(place ?? "")}`);
  }
  return { path, query: unlike(query), headers: unlike(headers), cookies, notes };
}

type Place = "path" | "query" | "header" | "cookie";

function convertOne(parameter: Members, place: Place, conversion: Conversion): Item {
  const { code, notes } = convertValue(parameter, place, conversion);
  const isRequired = place === "path" || member(parameter, "required") === true;
  return {
    name: memberName(textAt(parameter, "name") ?? ""),
    notes,
    value: isRequired ? code : [code, ".optional()"],
  };
}

function convertValue(
  parameter: Members,
  place: Place,
  conversion: Conversion,
): { code: Code; notes: readonly string[] } {
  const asText = (why: string): { code: Code; notes: readonly string[] } => {
    conversion.needs.add("maxText");
    return { code: "z.string().max(maxText)", notes: [why] };
  };
  if (isMembers(member(parameter, "content"))) return asText("JSON inside of a text is not looked into");
  const schema = member(parameter, "schema");
  const kind = kindOf(schema, conversion);
  const style = textAt(parameter, "style");
  if (kind === "object") return asText(`an object in a ${place} is taken as the text that it is`);
  if (
    kind === "array" &&
    !(place === "query" && (style ?? "form") === "form" && member(parameter, "explode") !== false)
  )
    return asText(`a list in one text (${remark(style ?? "simple")}) is not taken apart`);
  if (place === "path" && style !== undefined && style !== "simple")
    return asText(`style ${remark(style)} is not known`);
  const { code, notes } = convertSchema(schema, "text", conversion);
  return { code: code ?? "z.string()", notes };
}

function kindOf(schema: unknown, { references }: Conversion): string | undefined {
  const resolved = references.resolve(schema);
  const type = member(resolved, "type");
  if (typeof type === "string") return type;
  if (Array.isArray(type))
    return type.find((name) => name === "array" || name === "object") as string | undefined;
  return member(resolved, "properties") === undefined ? undefined : "object";
}

const isDeep = (parameter: Members): boolean => textAt(parameter, "style") === "deepObject";

/** `filter[status]=…`: each key by itself, as far as the schema names them. */
function convertDeep(parameter: Members, conversion: Conversion): Item[] {
  const name = textAt(parameter, "name") ?? "";
  const schema = conversion.references.resolve(member(parameter, "schema"));
  return Object.entries(membersAt(schema, "properties")).map(([key, inner]) => ({
    ...convertOne({ schema: inner, explode: true, style: "form" }, "query", conversion),
    name: memberName(`${name}[${key}]`),
  }));
}

/** Of two that come to the same name the first counts. */
const unlike = (items: readonly Item[]): Item[] =>
  items.filter(({ name }, index) => items.findIndex((other) => other.name === name) === index);
