import type { Method } from "../../contract/index.ts";
import { methods } from "../../contract/index.ts";
import { list, memberName, object, quoted, remark } from "./code.ts";
import type { Code, Item } from "./code.ts";
import { readAnswers, readBody } from "./exchange.ts";
import type { AnswerRules, ExchangeWord } from "./exchange.ts";
import { readParameters } from "./parameters.ts";
import type { ParameterRules } from "./parameters.ts";
import { convertPath } from "./paths.ts";
import type { Conversion } from "./schema.ts";
import type { ReadAccess } from "./security.ts";
import type { Servers } from "./servers.ts";
import { isMembers, member, membersAt, textAt } from "./values.ts";
import type { Members } from "./values.ts";

/** An operation that the contract does not have, and why. */
export interface LeftOut {
  readonly operation: string;
  readonly why: string;
}

/** What came of a description's operations. */
export interface ImportedRoutes {
  readonly items: readonly Item[];
  /** Keys of routes of which somebody has to say who may call them. */
  readonly undecided: readonly string[];
  readonly leftOut: readonly LeftOut[];
  readonly words: ReadonlySet<ExchangeWord>;
}

/** What reading routes needs. */
export interface RouteContext {
  readonly conversion: Conversion;
  readonly servers: Servers;
  readonly readAccess: ReadAccess;
  readonly requestRules: ParameterRules;
  readonly answerRules: AnswerRules;
}

/** OpenAPI's methods that the gateway answers by itself, or not at all. */
const otherMethods = ["head", "options", "trace", "query"];

/** Reads all operations, in the order of the description. */
export function readRoutes(document: Members, context: RouteContext): ImportedRoutes {
  const items: Item[] = [];
  const undecided: string[] = [];
  const leftOut: LeftOut[] = [];
  const words = new Set<ExchangeWord>();
  const shapes = new Map<string, string>();
  for (const [template, given] of Object.entries(membersAt(document, "paths"))) {
    const item = context.conversion.references.resolve(given) ?? {};
    for (const name of otherMethods)
      if (
        isMembers(member(item, name)) &&
        name !== "options" &&
        !(name === "head" && isMembers(member(item, "get")))
      )
        leftOut.push({
          operation: `${name.toUpperCase()} ${remark(template)}`,
          why: "this method is not offered",
        });
    for (const method of methods) {
      const operation = member(item, method.toLowerCase());
      if (!isMembers(operation)) continue;
      const server = context.servers.of(item, operation);
      const path = convertPath(template, server.base);
      const route =
        "leftOut" in path ? path : readRoute(method, path, { item, operation, to: server.to }, context);
      const shape = "key" in route ? route.key.replaceAll(/:[^/]+/g, ":") : "";
      const twin = shapes.get(shape);
      if ("leftOut" in route)
        leftOut.push({ operation: `${method} ${remark(template)}`, why: route.leftOut });
      else if (twin !== undefined)
        leftOut.push({
          operation: `${method} ${remark(template)}`,
          why: `the same requests are those of ${twin}`,
        });
      else {
        shapes.set(shape, route.key);
        items.push({ name: memberName(route.key), notes: route.notes, value: route.code });
        if (route.isUndecided) undecided.push(route.key);
        for (const word of route.words) words.add(word);
      }
    }
  }
  return { items, undecided, leftOut, words };
}

interface ReadRoute {
  readonly key: string;
  readonly code: Code;
  readonly notes: readonly string[];
  readonly words: readonly ExchangeWord[];
  readonly isUndecided: boolean;
}

function readRoute(
  method: Method,
  { path, names }: { path: string; names: ReadonlyMap<string, string> },
  { item, operation, to }: { item: Members; operation: Members; to: string },
  { conversion, readAccess, requestRules, answerRules }: RouteContext,
): ReadRoute | { leftOut: string } {
  const body = readBody(operation, method, conversion);
  if ("leftOut" in body) return body;
  const answers = readAnswers(operation, conversion, answerRules);
  if ("leftOut" in answers) return answers;
  const parameters = readParameters(item, operation, conversion, requestRules);
  const access = readAccess(operation);
  const params = [...names].map(([given, name]): Item => {
    const known = parameters.path.get(given);
    if (known !== undefined) return { ...known, name };
    conversion.needs.add("maxText");
    return {
      name,
      notes: ["TODO the description does not say what it is"],
      value: "z.string().max(maxText)",
    };
  });
  const summary = summaryOf(operation);
  const items: (Item | false)[] = [
    summary !== undefined && { name: "summary", value: quoted(summary) },
    { name: "access", notes: access.notes, value: access.code },
    { name: "limit", value: limitOf(method, access.code) },
    ...[
      { name: "params", fields: params },
      { name: "query", fields: parameters.query },
      { name: "headers", fields: parameters.headers },
      { name: "cookies", fields: parameters.cookies },
    ].map(({ name, fields }) => fields.length > 0 && { name, value: object(fields) }),
    ...body.items,
    ...answers.items,
    { name: "to", value: quoted(to) },
  ];
  return {
    key: `${method} ${path}`,
    code: object(items.filter((one) => one !== false)),
    notes: parameters.notes,
    words: [...body.words, ...answers.words],
    isUndecided: access.isUndecided,
  };
}

function summaryOf(operation: Members): string | undefined {
  const text = textAt(operation, "summary") ?? textAt(operation, "description")?.split("\n")[0] ?? "";
  const line = remark(text.slice(0, 1000)).slice(0, 120).trim();
  return line === "" ? undefined : line;
}

/** What a person needs, and no program that tries everything: to be made narrower, or wider, by who knows the API. */
function limitOf(method: Method, access: string): Code {
  const [client, user] =
    method === "GET" ? ["120/min per client", "60/min per user"] : ["30/min per client", "20/min per user"];
  return access === "undecided"
    ? quoted(client ?? "")
    : list([client, user].map((text) => quoted(text ?? "")));
}
