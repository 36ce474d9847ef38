import { group, list, memberName, object, quoted, remark } from "./code.ts";
import type { Code, Item } from "./code.ts";
import { convertSchema } from "./schema.ts";
import type { Conversion } from "./schema.ts";
import { isMembers, listAt, member, membersAt, textAt } from "./values.ts";
import type { Members } from "./values.ts";

/** Functions of the package that a file may need for what routes take and answer. */
export type ExchangeWord = "none" | "form" | "download";

/** A part of a route, or why the route can't be had. */
export type Exchanged =
  | { readonly items: readonly Item[]; readonly words: readonly ExchangeWord[] }
  | { readonly leftOut: string };

/** Rules of the contract that answers are held to. */
export interface AnswerRules {
  /** Why a header can't leave; undefined: it can. */
  readonly headerFault: (name: string) => string | undefined;
  /** Statuses that the gateway says itself. */
  readonly ownStatuses: ReadonlySet<number>;
}

const jsonType = /^application\/(?:[\w.+-]+\+)?json$/i;
const formType = "application/x-www-form-urlencoded";
const bare = (type: string): string => (type.split(";")[0] ?? "").trim().toLowerCase();

/** Reads what a request's body is. */
export function readBody(operation: Members, method: string, conversion: Conversion): Exchanged {
  const takesBody = method === "POST" || method === "PUT" || method === "PATCH";
  const given = member(operation, "requestBody");
  const body = conversion.references.resolve(given);
  if (!takesBody) return { items: [], words: [] };
  if (given === undefined) return none("body");
  if (body === undefined) return { leftOut: "its body's description can't be read" };
  const content = Object.entries(membersAt(body, "content"));
  const optional = member(body, "required") === true ? [] : ["its body may be absent; here it has to come"];
  const json =
    content.find(([type]) => bare(type) === "application/json" || bare(type) === "*/*") ??
    content.find(([type]) => jsonType.test(bare(type)));
  if (json !== undefined) {
    const typed =
      bare(json[0]) === "application/json" || bare(json[0]) === "*/*"
        ? []
        : [`it comes as ${remark(json[0])}; here as application/json`];
    const { code, notes } = convertSchema(member(json[1], "schema"), "json", conversion);
    return {
      items: [
        {
          name: "body",
          notes: [...typed, ...optional, ...others(content, json[0]), ...notes],
          value: code ?? "z.object({})",
        },
      ],
      words: [],
    };
  }
  const form = content.find(([type]) => bare(type) === formType);
  if (form !== undefined)
    return readForm(member(form[1], "schema"), [...optional, ...others(content, form[0])], conversion);
  return content.length === 0
    ? none("body")
    : { leftOut: `it takes ${content.map(([type]) => remark(type)).join(", ")}` };
}

const none = (name: string, notes: readonly string[] = []): Exchanged => ({
  items: [{ name, notes, value: "none" }],
  words: ["none"],
});

const others = (content: readonly (readonly [string, unknown])[], taken: string): string[] => {
  const left = content.filter(([type]) => type !== taken).map(([type]) => remark(type));
  return left.length === 0
    ? []
    : [`${left.slice(0, 5).join(", ")} ${left.length === 1 ? "is" : "are"} not carried over`];
};

function readForm(schema: unknown, notes: readonly string[], conversion: Conversion): Exchanged {
  const resolved = conversion.references.resolve(schema);
  const fields = membersAt(resolved, "properties");
  const items = Object.entries(fields)
    .filter(([name, field]) => name !== "__proto__" && member(field, "readOnly") !== true)
    .map(([name, field]): Item => {
      const { code, notes: more } = convertField(field, conversion);
      const isRequired = listAt(resolved, "required").includes(name);
      return { name: memberName(name), notes: more, value: isRequired ? code : [code, ".optional()"] };
    });
  const todo = items.length === 0 ? ["TODO none of its fields is described, so none passes"] : [];
  return {
    items: [{ name: "body", notes: [...notes, ...todo], value: ["form(", object(items), ")"] }],
    words: ["form"],
  };
}

/** What a form holds is text; an object in it is written in ways that nobody agrees on. */
function convertField(field: unknown, conversion: Conversion): { code: Code; notes: readonly string[] } {
  const resolved = conversion.references.resolve(field);
  const isDeep = member(resolved, "type") === "object" || member(resolved, "properties") !== undefined;
  if (!isDeep) {
    const { code, notes } = convertSchema(field, "text", conversion);
    return { code: code ?? "z.string()", notes };
  }
  conversion.needs.add("maxText");
  return { code: "z.string().max(maxText)", notes: ["an object in a form is taken as the text that it is"] };
}

/** Reads what a route answers with. */
export function readAnswers(operation: Members, conversion: Conversion, rules: AnswerRules): Exchanged {
  const responses = membersAt(operation, "responses");
  const statuses = Object.keys(responses);
  const successes = statuses
    .filter((status) => /^2(?:\d\d|XX)$/i.test(status))
    .sort((left, right) => rank(left) - rank(right))
    .map((status) => conversion.references.resolve(responses[status]));
  if (statuses.length > 0 && successes.length === 0 && responses["default"] !== undefined)
    successes.push(conversion.references.resolve(responses["default"]));
  const answer = readSuccess(successes, conversion);
  if ("leftOut" in answer) return answer;
  return {
    items: [
      ...answer.items,
      ...readHeaders(successes[0], conversion, rules),
      ...readErrors(responses, conversion, rules),
    ],
    words: answer.words,
  };
}

/** 200 first, then as they come. */
const rank = (status: string): number =>
  status === "200" ? 0 : /^\d+$/.test(status) ? Number(status) : 299.5;

function readSuccess(successes: readonly (Members | undefined)[], conversion: Conversion): Exchanged {
  const contents = successes.map((response) => {
    const schema = member(response, "schema");
    const entries = Object.entries(membersAt(response, "content"));
    return entries.length === 0 && schema !== undefined
      ? [["application/json", { schema }] as [string, unknown]]
      : entries;
  });
  const all = contents.flat();
  const hasJson = all.some(([type]) => jsonType.test(bare(type)) || bare(type) === "*/*");
  if (hasJson) return readJson(contents, conversion);
  if (all.length === 0)
    return none(
      "response",
      successes.length === 0 ? ["TODO the description does not say what it answers"] : [],
    );
  if (all.some(([type]) => bare(type) === "text/event-stream"))
    return { leftOut: "it answers with events; write its response as eventStream({ … })" };
  const types = [...new Set(all.map(([type]) => bare(type)))];
  if (types.some((type) => !/^[a-z0-9][\w!#$&^.+-]{0,63}\/[a-z0-9][\w!#$&^.+-]{0,63}$/.test(type)))
    return { leftOut: `it answers with ${types.map((type) => remark(type)).join(", ")}` };
  const value: Code = [
    "download(",
    object([
      { name: "types", value: list(types.map(quoted)) },
      { name: "maxBytes", value: "10_000_000" },
    ]),
    ")",
  ];
  return {
    items: [{ name: "response", notes: ["it leaves as a file to be saved, never shown"], value }],
    words: ["download"],
  };
}

function readJson(contents: readonly (readonly [string, unknown][])[], conversion: Conversion): Exchanged {
  const notes: string[] = [];
  const codes: Code[] = [];
  for (const content of contents) {
    const json = content.find(([type]) => jsonType.test(bare(type)) || bare(type) === "*/*");
    if (json === undefined) continue;
    notes.push(...others(content, json[0]));
    const converted = convertSchema(member(json[1], "schema"), "output", conversion);
    notes.push(...converted.notes);
    if (converted.code !== undefined && !codes.includes(converted.code)) codes.push(converted.code);
  }
  const [first] = codes;
  if (first === undefined) return none("response", [...new Set(notes)]);
  const isMaybeEmpty = contents.some((content) => content.length === 0);
  const value: Code = codes.length === 1 ? first : ["z.union(", list(codes), ")"];
  return {
    items: [
      { name: "response", notes: [...new Set(notes)], value: isMaybeEmpty ? [value, ".optional()"] : value },
    ],
    words: [],
  };
}

function readHeaders(
  response: Members | undefined,
  conversion: Conversion,
  { headerFault }: AnswerRules,
): Item[] {
  const items = Object.entries(membersAt(response, "headers")).flatMap(([name, header]): Item[] => {
    const lower = name.toLowerCase();
    if (headerFault(lower) !== undefined) return [];
    return [
      {
        name: memberName(lower),
        value: [
          headerCode(member(conversion.references.resolve(header), "schema"), conversion),
          ".optional()",
        ],
      },
    ];
  });
  return items.length === 0 ? [] : [{ name: "responseHeaders", value: object(items) }];
}

/** A header is a text, whatever stands in it. */
function headerCode(schema: unknown, { references }: Conversion): string {
  const type = textAt(references.resolve(schema), "type");
  if (type === "integer") return String.raw`z.string().regex(/^-?\d{1,19}$/)`;
  return type === "boolean" ? 'z.enum(["true", "false"])' : "z.string().max(2000)";
}

function readErrors(responses: Members, conversion: Conversion, { ownStatuses }: AnswerRules): Item[] {
  const items = Object.keys(responses).flatMap((status): Item[] => {
    if (!/^4\d\d$/.test(status) || ownStatuses.has(Number(status))) return [];
    const response = conversion.references.resolve(responses[status]);
    const json = Object.entries(membersAt(response, "content")).find(([type]) => jsonType.test(bare(type)));
    const schema = json === undefined ? undefined : member(json[1], "schema");
    if (!isMembers(schema)) return [];
    const { code, notes } = convertSchema(schema, "output", conversion);
    return code === undefined ? [] : [{ name: status, notes, value: code }];
  });
  return items.length === 0 ? [] : [{ name: "errors", value: group("{", items) }];
}
