import { isMembers, listAt, member, membersAt, textAt } from "./values.ts";
import type { Members } from "./values.ts";

/**
 * A Swagger 2 description as if it had been written for OpenAPI 3.0. Its references stay as they are: `#/definitions/…` is followed in the
 * same document.
 */
export function fromSwagger2(document: Members, resolve: (value: unknown) => Members | undefined): Members {
  const scheme =
    listAt(document, "schemes")[0] === "http" && !listAt(document, "schemes").includes("https")
      ? "http"
      : "https";
  const host = textAt(document, "host");
  const base = textAt(document, "basePath") ?? "";
  const paths = mapMembers(membersAt(document, "paths"), (item) => {
    if (!isMembers(item)) return item;
    const shared = listAt(item, "parameters");
    return mapMembers(item, (operation, name) =>
      name === "parameters" ||
      !isMembers(operation) ||
      !/^(get|put|post|patch|delete|head|options)$/.test(name)
        ? operation
        : convertOperation(operation, shared),
    );
  });

  function convertOperation(operation: Members, shared: readonly unknown[]): Members {
    const all = [...shared, ...listAt(operation, "parameters")].map((entry) => resolve(entry) ?? {});
    const place = (parameter: Members): string | undefined => textAt(parameter, "in");
    const body = all.findLast((parameter) => place(parameter) === "body");
    const fields = all.filter((parameter) => place(parameter) === "formData");
    const consumes = typesOf(operation, "consumes");
    const content: Record<string, unknown> =
      body !== undefined
        ? Object.fromEntries(consumes.map((type) => [type, { schema: member(body, "schema") }]))
        : fields.length > 0
          ? { [formType(fields, consumes)]: { schema: formSchema(fields) } }
          : {};
    const produces = typesOf(operation, "produces");
    return {
      ...operation,
      parameters: all
        .filter((parameter) => place(parameter) !== "body" && place(parameter) !== "formData")
        .map(convertParameter),
      ...(Object.keys(content).length === 0
        ? {}
        : { requestBody: { required: body === undefined || member(body, "required") === true, content } }),
      responses: mapMembers(membersAt(operation, "responses"), (given) => {
        const response = resolve(given);
        const schema = member(response, "schema");
        if (schema === undefined) return response ?? {};
        const isFile = textAt(schema, "type") === "file";
        const types = isFile ? produces.filter((type) => !type.includes("json")) : produces;
        return {
          ...response,
          headers: mapMembers(membersAt(response, "headers"), (header) => ({ schema: header })),
          content: Object.fromEntries(
            (types.length > 0 ? types : ["application/octet-stream"]).map((type) => [type, { schema }]),
          ),
        };
      }),
    };
  }

  function typesOf(operation: Members, name: "consumes" | "produces"): string[] {
    const own = member(operation, name);
    const types = (Array.isArray(own) ? own : listAt(document, name)).filter(
      (type) => typeof type === "string",
    );
    return types.length > 0 ? types : ["application/json"];
  }

  return {
    ...document,
    servers: host === undefined ? [{ url: base }] : [{ url: `${scheme}://${host}${base}` }],
    paths,
    components: { securitySchemes: mapMembers(membersAt(document, "securityDefinitions"), convertScheme) },
  };
}

/** In Swagger 2 a parameter is a schema itself, and lists are written with commas unless it says otherwise. */
function convertParameter(parameter: Members): Members {
  const { name, in: place, required, collectionFormat, ...schema } = parameter;
  return {
    name,
    in: place,
    required,
    schema,
    ...(place === "query" ? { style: "form", explode: collectionFormat === "multi" } : {}),
  };
}

const formType = (fields: readonly Members[], consumes: readonly string[]): string =>
  fields.some((field) => textAt(field, "type") === "file") ||
  !consumes.includes("application/x-www-form-urlencoded")
    ? consumes.includes("multipart/form-data") || fields.some((field) => textAt(field, "type") === "file")
      ? "multipart/form-data"
      : "application/x-www-form-urlencoded"
    : "application/x-www-form-urlencoded";

function formSchema(fields: readonly Members[]): Members {
  const named = fields.map((field): [string, Members] => [textAt(field, "name") ?? "", field]);
  return {
    type: "object",
    properties: Object.fromEntries(
      named.map(([name, { name: _name, in: _in, required: _required, ...schema }]) => [name, schema]),
    ),
    required: named.filter(([, field]) => member(field, "required") === true).map(([name]) => name),
  };
}

const convertScheme = (scheme: unknown): unknown =>
  textAt(scheme, "type") === "basic" ? { type: "http", scheme: "basic" } : scheme;

const mapMembers = (members: Members, change: (value: unknown, name: string) => unknown): Members =>
  Object.fromEntries(Object.entries(members).map(([name, value]) => [name, change(value, name)]));
