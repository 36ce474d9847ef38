import { z } from "zod";
import type { Access } from "./access.ts";
import type { Contract, ContractRoute } from "./contract.ts";
import type { Schema } from "./define.ts";

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
  const schemas: Record<string, Json> = { Problem: problemSchema };
  for (const route of contract.routes) {
    const path = route.path.replaceAll(/:([A-Za-z_]\w*)/g, "{$1}");
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(route, schemas);
  }
  const issuer = contract.identity?.issuer;
  return {
    openapi: "3.1.1",
    info: { title: title ?? new URL(contract.origin).host, version },
    servers: [{ url: contract.origin }],
    paths,
    components: {
      schemas,
      ...(issuer === undefined
        ? {}
        : {
            securitySchemes: {
              accessToken: {
                type: "http",
                scheme: "bearer",
                bearerFormat: "JWT",
                description: `Access token of ${issuer} (RFC 9068)`,
              },
            },
          }),
    },
  };
}

const problemSchema: Json = {
  type: "object",
  description: "An error (RFC 9457).",
  properties: {
    type: { type: "string" },
    title: { type: "string" },
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

function operation(route: ContractRoute, schemas: Record<string, Json>): Json {
  const parameters = [
    ...parametersOf(route.params, "path", schemas),
    ...parametersOf(route.query, "query", schemas),
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
            content: { "application/json": { schema: jsonSchema(route.body, "input", schemas) } },
          },
        }),
    responses: {
      ...(route.response === undefined
        ? { "204": { description: "Done" } }
        : {
            "200": {
              description: "Answer",
              content: { "application/json": { schema: jsonSchema(route.response, "output", schemas) } },
            },
          }),
      "400": problemAnswer("The request does not follow this description"),
      ...(route.access.kind === "everyone"
        ? {}
        : {
            "401": problemAnswer("No valid access token"),
            "403": problemAnswer("Not allowed for this subject"),
          }),
      "429": problemAnswer("Too many requests; see Retry-After"),
      default: problemAnswer("Any other error"),
    },
    ...(route.access.kind === "everyone" ? { security: [] } : { security: [{ accessToken: [] }] }),
    "x-curtainwall-access": describeAccess(route.access),
    "x-curtainwall-limits": route.limits.map((limit) => limit.text),
  };
}

/** Says in words who may call a route. */
export function describeAccess(access: Access): string {
  switch (access.kind) {
    case "everyone":
      return "everyone";
    case "signedIn":
      return "any signed-in subject";
    case "role":
      return `subjects with the role "${access.role}"`;
    case "owner":
      return `the subject that the path names as :${access.param}`;
    case "ownerField":
      return `the subject that the answer names as ${access.field}`;
  }
}

function parametersOf(
  schema: Schema | undefined,
  place: "path" | "query",
  schemas: Record<string, Json>,
): Json[] {
  if (schema === undefined) return [];
  const object = jsonSchema(schema, "input", schemas);
  const required = (object.required as string[] | undefined) ?? [];
  return Object.entries(object.properties as Record<string, Json>).map(([name, value]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    schema: value,
  }));
}

/** JSON Schema of a Zod schema; what it names by `.meta({ id })` moves to the document's components. */
function jsonSchema(schema: Schema, io: "input" | "output", schemas: Record<string, Json>): Json {
  const result = z.toJSONSchema(schema, {
    io,
    target: "draft-2020-12",
    // What has no JSON form was refused when the contract was parsed; what is left (a coerced date) travels as text.
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema: json }) => {
      if (zodSchema._zod.def.type === "date") Object.assign(json, { type: "string", format: "date-time" });
      if (zodSchema._zod.def.type === "bigint") Object.assign(json, { type: "integer" });
      // A response may gain fields that are dropped before they leave: the promise is about what is declared.
      if (io === "output") delete json.additionalProperties;
    },
  }) as Json;
  const { $schema: _, $defs: definitions = {}, ...root } = result as Json & { $defs?: Record<string, Json> };
  const names = new Map<string, string>();
  for (const [name, definition] of Object.entries(definitions))
    names.set(name, freeName(name, definition, schemas));
  const moved = (value: Json): Json =>
    JSON.parse(JSON.stringify(value), (key, member: unknown) =>
      key === "$ref" && typeof member === "string"
        ? `#/components/schemas/${names.get(member.slice("#/$defs/".length)) ?? ""}`
        : member,
    ) as Json;
  for (const [name, definition] of Object.entries(definitions))
    schemas[names.get(name) ?? name] = moved(definition);
  return moved(root);
}

/** A component's name; the same schema looks different in a request (strict) and an answer, so a name may be taken. */
function freeName(name: string, definition: Json, schemas: Record<string, Json>): string {
  const wanted = name.startsWith("__schema") ? `Schema${name.slice("__schema".length)}` : name;
  const same = (candidate: string): boolean =>
    schemas[candidate] === undefined || JSON.stringify(schemas[candidate]) === JSON.stringify(definition);
  let candidate = wanted;
  for (let count = 2; !same(candidate); count++) candidate = `${wanted}-${count}`;
  return candidate;
}
