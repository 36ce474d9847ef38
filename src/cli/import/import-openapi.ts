import { comment, memberName, object, print, quoted, remark } from "./code.ts";
import type { Code, Item } from "./code.ts";
import { createNamedSchemas } from "./named-schemas.ts";
import type { Declaration } from "./named-schemas.ts";
import { createReferences } from "./references.ts";
import { readRoutes } from "./routes.ts";
import type { LeftOut } from "./routes.ts";
import type { AnswerRules } from "./exchange.ts";
import type { ParameterRules } from "./parameters.ts";
import { defaultMaxText } from "./scalars.ts";
import type { Conversion } from "./schema.ts";
import { createReadAccess } from "./security.ts";
import type { Callers } from "./security.ts";
import { createServers } from "./servers.ts";
import type { ServerOptions } from "./servers.ts";
import { fromSwagger2 } from "./swagger2.ts";
import { isMembers, textAt } from "./values.ts";
import type { Members } from "./values.ts";

/** Options of {@link importOpenApi}. */
export interface ImportOptions extends ServerOptions {
  /** Where the description was read: a file's name, or an address. */
  readonly from: string;
  /** Where visitors will find the site. */
  readonly origin: string;
  readonly requestRules: ParameterRules;
  readonly answerRules: AnswerRules;
  readonly isSensitive: (name: string) => boolean;
  /** Schemas that are looked at before the description is given up. Default 1 000 000. */
  readonly maxParts?: number;
}

/** A contract that was made of a description. */
export interface Imported {
  /** The file's text. */
  readonly text: string;
  /** How many routes it has. */
  readonly routes: number;
  /** Keys of routes of which somebody has to say who may call them. */
  readonly undecided: readonly string[];
  /** What else has to be filled in before the contract can be used. */
  readonly missing: readonly string[];
  readonly leftOut: readonly LeftOut[];
  /** Comments in the file that begin with TODO, the undecided ones aside. */
  readonly todos: number;
}

/** Why a document is not imported. */
export interface NotImported {
  readonly fault: string;
}

/** Three times what the largest real ones have; a document that repeats its parts over and over has more. */
const defaultMaxParts = 1_000_000;

/**
 * Writes a contract for an API that OpenAPI 3.0, 3.1 or Swagger 2 describes. What the description does not say is not there: a route that asks
 * for nothing is open to nobody, a field without a name passes in no direction. Follows no reference out of the document.
 *
 * @see OpenAPI Specification 3.1.1, 3.0.4, 2.0
 */
export function importOpenApi(given: unknown, options: ImportOptions): Imported | NotImported {
  const document = readVersion(given);
  if (typeof document === "string") return { fault: document };
  const { maxParts = defaultMaxParts } = options;
  const references = createReferences(given);
  const schemas = createNamedSchemas();
  const conversion: Conversion = {
    references,
    schemas,
    isSensitive: options.isSensitive,
    budget: { left: maxParts },
    patterns: new Map(),
    open: { count: 0 },
    needs: new Set(),
  };
  const callers: Callers = { identity: undefined, apiKeys: undefined, used: new Set() };
  const servers = createServers(document, options);
  const routes = readRoutes(document, {
    conversion,
    servers,
    readAccess: createReadAccess(document, references, callers),
    requestRules: options.requestRules,
    answerRules: options.answerRules,
  });
  if (routes.items.length === 0 && routes.leftOut.length === 0)
    return { fault: "It describes no operation." };
  if (conversion.budget.left < 0)
    return { fault: `It has more than ${maxParts} parts when its references are followed.` };
  const declared = schemas.declare([object(routes.items)]);
  const stack = [
    { name: "origin", notes: ["Where visitors will find it."], value: quoted(options.origin) },
    ...identityItems(callers),
    { name: "upstreams", value: object(servers.declare()) },
    { name: "routes", value: object(routes.items) },
  ];
  const words = ["defineStack", "upstream", ...callers.used, ...routes.words].sort();
  const body = [
    ...helpers(conversion.needs),
    ...declared.map(declaration),
    print(["export default defineStack(", object(stack), ");"]),
  ].join("\n\n");
  const usesZod = /\bz\./.test(body.replaceAll(/"(?:[^"\\\n]|\\.)*"|\/\/.*$/gm, ""));
  const text = `${[
    [importLine(words), ...(usesZod ? ['import { z } from "zod";'] : [])].join("\n"),
    head(options.from),
    body,
  ].join("\n\n")}\n`;
  return {
    text,
    routes: routes.items.length,
    undecided: routes.undecided,
    missing: missingParts(callers, servers.isUnknown),
    leftOut: routes.leftOut,
    todos: text.split("// TODO").length - 1 - routes.undecided.length,
  };
}

/** The document as OpenAPI 3, or why it can't be read. */
function readVersion(document: unknown): Members | string {
  if (!isMembers(document)) return "It is no description of an API: it is not an object.";
  const version = textAt(document, "openapi") ?? "";
  if (/^3\.[01]\.\d/.test(version)) return document;
  if (textAt(document, "swagger") === "2.0")
    return fromSwagger2(document, createReferences(document).resolve);
  return version === ""
    ? 'It does not say that it is OpenAPI ("openapi": "3.1.0").'
    : `OpenAPI ${remark(version)} is not known here; 3.0, 3.1 and Swagger 2.0 are.`;
}

function head(from: string): string {
  return [
    `// Written by  curtainwall contract import  from ${remark(from)}. "TODO" marks what it could not know.`,
    "// Limits are what a person needs, whoever it is: nobody but you knows what each route bears.",
    "// What is not described does not pass: a further field of a request is refused, one of an answer is dropped.",
  ].join("\n");
}

const importLine = (words: readonly string[]): string => {
  const line = `import { ${words.join(", ")} } from "curtainwall";`;
  return line.length <= 100
    ? line
    : `import {\n${words.map((word) => `  ${word},\n`).join("")}} from "curtainwall";`;
};

function helpers(needs: Conversion["needs"]): string[] {
  const bounds = [
    ...(needs.has("maxText") ? [`const maxText = ${defaultMaxText};`] : []),
    ...(needs.has("maxItems") ? ["const maxItems = 100;"] : []),
  ];
  return [
    ...(bounds.length === 0
      ? []
      : [
          [
            "// Bounds of what comes in where the description sets none: make them as small as they can be.",
            ...bounds,
          ].join("\n"),
        ]),
    ...(needs.has("Plain")
      ? [
          "// A value that the description says nothing of: no object and no list.\nconst Plain = z.union([z.string().max(1000), z.number(), z.boolean(), z.null()]);",
        ]
      : []),
  ];
}

/** What contains itself has a type that the compiler can't find out. */
function declaration({ name, code, notes, isRecursive }: Declaration): string {
  const type = isRecursive ? ": z.ZodType" : "";
  const statement: Code = [`const ${name}${type} = `, code, ";"];
  return [...notes.map(comment), print(statement)].join("\n");
}

function identityItems({ identity, apiKeys }: Callers): Item[] {
  const items: Item[] = [];
  if (identity !== undefined)
    items.push({
      name: "identity",
      notes: [
        identity.issuer === undefined
          ? "TODO who issues access tokens, and the audience that they name"
          : "TODO the audience that its tokens name",
      ],
      value: object([
        { name: "issuer", value: quoted(identity.issuer ?? "") },
        { name: "audience", value: quoted("") },
      ]),
    });
  if (apiKeys !== undefined)
    items.push({
      name: "apiKeys",
      notes: ["Keys are made anew:  curtainwall api-key create --scope …"],
      value: object([
        { name: "file", value: quoted("api-keys.json") },
        ...(apiKeys.header === "authorization"
          ? []
          : [{ name: memberName("header"), value: quoted(apiKeys.header) }]),
      ]),
    });
  return items;
}

const missingParts = ({ identity }: Callers, isUpstreamUnknown: boolean): string[] => [
  ...(isUpstreamUnknown ? ["the upstream's url"] : []),
  ...(identity === undefined
    ? []
    : [identity.issuer === undefined ? "identity's issuer and audience" : "identity's audience"]),
];
