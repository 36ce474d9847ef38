import { z } from "zod";
import { accessParts } from "../access.ts";
import { describeAccess, describeVisible } from "../access/describe-access.ts";
import type { Contract } from "../contract.ts";
import type { ContractRoute, ContractStream } from "../contract/route.ts";
import type { Schema } from "../define/schema.ts";
import { securityOf, securitySchemes } from "./openapi-security.ts";
import { joinedSchemas, originalOf } from "../schema.ts";

type Json = Record<string, unknown>;

/** Options of {@link openApi}. */
export interface OpenApiOptions {
  /** Title of the document. Default: the origin's host. */
  title?: string;
  /** Version of the API, not of OpenAPI. Default `"1"`. */
  version?: string;
}

/**
 * Describes a contract's API as an OpenAPI 3.1 document.
 *
 * @see OpenAPI Specification 3.1.1; RFC 9457 for its errors
 */
export function openApi(contract: Contract, { title, version = "1" }: OpenApiOptions = {}): Json {
  const paths: Record<string, Json> = {};
  const components = new Components();
  for (const route of contract.routes) {
    const path = route.path.replaceAll(/:([A-Za-z_]\w*)/g, "{$1}");
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(route, components, contract);
  }
  return {
    openapi: "3.1.1",
    info: { title: title ?? new URL(contract.origin).host, version },
    servers: [{ url: contract.origin }],
    paths,
    components: {
      schemas: components.schemas,
      ...securitySchemes(contract),
    },
  };
}

const problemSchema: Json = {
  type: "object",
  description: "An error (RFC 9457).",
  properties: {
    type: { type: "string" },
    title: { type: "string", description: "The status in words" },
    detail: { type: "string", description: "What was wrong" },
    status: { type: "integer" },
    code: { type: "string", description: "Stable name of the error" },
    id: { type: "string", description: "Names this error in the operator's log" },
    errors: {
      type: "array",
      items: { type: "object", properties: { pointer: { type: "string" }, detail: { type: "string" } } },
    },
  },
  required: ["type", "title", "status", "code", "id"],
};

const problemAnswer = (description: string): Json => ({
  description,
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
});

function operation(route: ContractRoute, components: Components, contract: Contract): Json {
  const parameters = [
    ...parametersOf(route.params, "path", components),
    ...parametersOf(route.query, "query", components),
    ...parametersOf(route.headers, "header", components),
    ...parametersOf(route.cookies, "cookie", components),
  ];
  return {
    operationId: route.key.replaceAll(/[^A-Za-z0-9]+/g, "-").replaceAll(/^-|-$/g, ""),
    ...(route.summary === undefined ? {} : { summary: route.summary }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { [bodyTypes[route.bodyType]]: { schema: jsonSchema(route.body, "input", components) } },
          },
        }),
    responses: {
      ...success(route, components),
      ...Object.fromEntries(
        [...route.errors].map(([status, schema]) => [
          String(status),
          { description: "The service behind this refuses", content: jsonContent(schema, components) },
        ]),
      ),
      ...(route.errors.has(400)
        ? {}
        : { "400": problemAnswer("The request does not follow this description") }),
      ...(route.access.kind === "everyone"
        ? {}
        : {
            "401": problemAnswer("No valid access token"),
            ...(route.hide === true ? { "404": problemAnswer("Not there for this subject") } : {}),
            ...(route.hide === true || route.errors.has(403)
              ? {}
              : { "403": problemAnswer("Not allowed for this subject") }),
          }),
      "429": problemAnswer("Too many requests; see Retry-After"),
      default: problemAnswer("Any other error"),
    },
    security: securityOf(route, contract),
    "x-curtainwall-access": describeAccess(route.access),
    ...checksOf(route),
    ...(route.visible === undefined ? {} : { "x-curtainwall-visible": describeVisible(route.visible) }),
    "x-curtainwall-limits": route.limits.map((limit) => limit.text),
    ...(route.pace === undefined ? {} : { "x-curtainwall-pace": route.pace.text }),
    ...(route.failures === undefined
      ? {}
      : { "x-curtainwall-failures": route.failures.limits.map((limit) => limit.text) }),
  };
}

/** Names of the conditions that are the contract's own. */
function checksOf({ access }: ContractRoute): Json {
  const names = accessParts(access).flatMap((part) => (part.kind === "check" ? [part.name] : []));
  return names.length === 0 ? {} : { "x-curtainwall-checks": [...new Set(names)] };
}

const bodyTypes = { json: "application/json", form: "application/x-www-form-urlencoded" } as const;

const jsonContent = (schema: Schema, components: Components): Json => ({
  "application/json": { schema: jsonSchema(schema, "output", components) },
});

function success(route: ContractRoute, components: Components): Json {
  const { response, stream, etag } = route;
  const names = [...route.responseHeaders].map(([name, schema]): [string, Json] => [
    name,
    { schema: jsonSchema(schema, "output", components) },
  ]);
  if (etag) names.push(["etag", { schema: { type: "string" } }]);
  const headers = names.length === 0 ? {} : { headers: Object.fromEntries(names) };
  if (stream !== undefined)
    return { "200": { description: "Answer", ...headers, content: streamContent(stream, components) } };
  return response === undefined
    ? { "204": { description: "Done", ...headers } }
    : {
        "200": { description: "Answer", ...headers, content: jsonContent(response, components) },
        ...(etag ? { "304": { description: "As it was" } } : {}),
      };
}

function streamContent(stream: ContractStream, components: Components): Json {
  if (stream.kind === "download") {
    const file = { schema: { type: "string", format: "binary", maxLength: stream.maxBytes } };
    return Object.fromEntries(stream.types.map((type) => [type, file]));
  }
  const events = [...stream.events].map(([name, schema]) => [name, jsonSchema(schema, "output", components)]);
  return {
    "text/event-stream": { schema: { type: "string" }, "x-curtainwall-events": Object.fromEntries(events) },
  };
}

function parametersOf(
  schema: Schema | undefined,
  place: "path" | "query" | "header" | "cookie",
  components: Components,
): Json[] {
  if (schema === undefined) return [];
  const object = jsonSchema(schema, "input", components);
  const required = (object.required as string[] | undefined) ?? [];
  return Object.entries(object.properties as Record<string, Json>).map(([name, value]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    schema: value,
  }));
}

type Direction = "input" | "output";

/** JSON Schema of a Zod schema; what is recursive or named by `.meta({ id })` moves to the document's components. */
function jsonSchema(schema: Schema, io: Direction, components: Components): Json {
  // Inside a list, since a recursive schema at the root would refer to itself as "#", which is the whole document here.
  const { items, $defs = {} } = z.toJSONSchema(z.array(schema as z.ZodType), {
    io,
    target: "draft-2020-12",
    metadata: new Names(joinedSchemas(schema)),
    // What has no JSON form was refused when the contract was parsed; what is left (a coerced date) travels as text.
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema: json }) => {
      if (zodSchema._zod.def.type === "date") Object.assign(json, { type: "string", format: "date-time" });
      if (zodSchema._zod.def.type === "bigint") Object.assign(json, { type: "integer" });
      // A response may gain fields that are dropped before they leave: the promise is about what is declared.
      if (io === "output") delete json.additionalProperties;
    },
  }) as { items: Json; $defs?: Record<string, Json> };
  return components.move(items, $defs);
}

/** Tells schemas of one name apart until they are components; no component's name has it. */
const sameName = "@";

/** What `.meta()` says of schemas and of their closed copies. Two schemas of one name get two, as Zod insists. */
class Names extends z.core.$ZodRegistry<z.core.GlobalMeta> {
  readonly #names = new Map<string, Schema>();
  readonly #joined: ReadonlySet<Schema>;

  /** `joined` stay without a name: two closed objects, each by reference, would refuse each other's fields. */
  constructor(joined: ReadonlySet<Schema>) {
    super();
    this.#joined = joined;
  }

  override get(schema: Schema): z.core.GlobalMeta | undefined {
    const { id, ...meta } = z.globalRegistry.get(originalOf(schema)) ?? {};
    return id === undefined || this.#joined.has(schema) ? meta : { ...meta, id: this.#nameOf(schema, id) };
  }

  #nameOf(schema: Schema, id: string): string {
    const wanted = id.replaceAll(/[^A-Za-z0-9._-]/g, "-");
    return firstFree(wanted, sameName, (name) => {
      const holder = this.#names.get(name) ?? schema;
      this.#names.set(name, holder);
      return holder === schema;
    });
  }
}

const definitionRef = "#/$defs/";

/** The schemas that a document names. Equal ones are there once; one that differs (a request's is strict) gets its own name. */
class Components {
  readonly schemas: Record<string, Json> = { Problem: problemSchema };
  readonly #contents = new Map<string, string>([["Problem", ""]]);

  /** A schema whose references to its definitions point to the components that these have become. */
  move(schema: Json, definitions: Record<string, Json>): Json {
    const names = new Map(
      Object.keys(definitions).map((name) => [`${definitionRef}${name}`, this.#nameOf(name, definitions)]),
    );
    const refer = (value: Json): Json =>
      mapRefs(value, (ref) => `#/components/schemas/${names.get(ref) ?? ""}`);
    for (const [name, definition] of Object.entries(definitions))
      this.schemas[names.get(`${definitionRef}${name}`) ?? name] = refer(definition);
    return refer(schema);
  }

  #nameOf(name: string, definitions: Record<string, Json>): string {
    const content = contentOf(name, definitions);
    const wanted = (name.split(sameName)[0] ?? name).replace(/^__schema/, "Schema");
    return firstFree(wanted, "-", (candidate) => {
      const held = this.#contents.get(candidate) ?? content;
      this.#contents.set(candidate, held);
      return held === content;
    });
  }
}

/** A definition with all that it refers to, the same text for the same meaning: references are numbered as they come. */
function contentOf(name: string, definitions: Record<string, Json>): string {
  const order = [`${definitionRef}${name}`];
  const texts: string[] = [];
  for (const ref of order) {
    const numbered = mapRefs(definitions[ref.slice(definitionRef.length)] ?? {}, (inner) => {
      if (!order.includes(inner)) order.push(inner);
      return String(order.indexOf(inner));
    });
    texts.push(JSON.stringify(numbered));
  }
  return texts.join("\n");
}

function mapRefs(value: Json, change: (ref: string) => string): Json {
  return JSON.parse(JSON.stringify(value), (key, member: unknown) =>
    key === "$ref" && typeof member === "string" && member.startsWith(definitionRef)
      ? change(member)
      : member,
  ) as Json;
}

/** The name itself, or with the first number from 2 on that is not taken. */
function firstFree(wanted: string, separator: string, isFree: (name: string) => boolean): string {
  let name = wanted;
  for (let count = 2; !isFree(name); count++) name = `${wanted}${separator}${count}`;
  return name;
}
