import { z } from "zod";
import type { JsonLimits } from "../contract/route.ts";
import { none } from "../define/schema.ts";
import type { Schema } from "../define/schema.ts";
import { paramNames } from "../path.ts";
import type { RouteKeyParts } from "../path.ts";
import { closeObjects, inspectSchema } from "../schema.ts";
import type { Problems } from "./problems.ts";
import { isMembers, isSchema, number, quote, section } from "./values.ts";

// What goes into a route and comes out of it: parameters, query, body, answer.

type InputReader = (name: string, schema: unknown) => Schema | undefined;

/** Reads one schema of what comes in: closed, unless the route says why not. */
export function closedInput(
  problems: Problems,
  where: string,
  schema: unknown,
  acceptsOpen: boolean,
): Schema | undefined {
  if (!isSchema(schema))
    return problems.add("CONTRACT_OPTION_INVALID", `${where} must be a Zod schema, not ${quote(schema)}.`);
  for (const problem of inspectSchema(schema, "input")) {
    if (problem.kind === "unsupported")
      problems.add("CONTRACT_SCHEMA_UNSUPPORTED", `${where}, at ${problem.at}: ${problem.message}.`);
    else if (!acceptsOpen)
      problems.add(
        "CONTRACT_SCHEMA_OPEN",
        `${where}, at ${problem.at}: ${problem.message}.`,
        'Declare the fields, or say why not:  insecureOpenInput: "…"',
      );
  }
  return acceptsOpen ? schema : closeObjects(schema, "refuse");
}

/** One strict object from schemas by name. */
export function fields(
  problems: Problems,
  where: string,
  value: unknown,
  input: InputReader,
): Schema | undefined {
  if (!isMembers(value) || isSchema(value))
    return problems.add(
      "CONTRACT_OPTION_INVALID",
      `${where} must be an object of Zod schemas, by name.`,
      isSchema(value) ? "Write  { name: z.string().max(40) },   without z.object()" : undefined,
    );
  const shape: Record<string, Schema> = {};
  for (const [name, schema] of Object.entries(value)) {
    const closed = input(`${where.split(", ")[1]}.${name}`, schema);
    if (closed !== undefined) shape[name] = closed;
  }
  return z.strictObject(shape);
}

/** Reads what the path's parameters look like. */
export function parseParams(
  problems: Problems,
  where: string,
  value: unknown,
  parts: RouteKeyParts,
  input: InputReader,
): Schema | undefined {
  const names = paramNames(parts.segments);
  if (new Set(names).size !== names.length)
    problems.add("CONTRACT_ROUTE_KEY_INVALID", `${where} names a parameter twice.`);
  if (value === undefined && names.length === 0) return undefined;
  const given = isMembers(value) ? Object.keys(value) : [];
  const missing = names.filter((name) => !given.includes(name));
  if (missing.length > 0) {
    return problems.add(
      "CONTRACT_ROUTE_INCOMPLETE",
      `${where} does not say what its parameter ${missing.map(quote).join(", ")} looks like.`,
      `Add  params: { ${missing.map((name) => `${name}: z.string().max(40)`).join(", ")} },`,
    );
  }
  const extra = given.filter((name) => !names.includes(name));
  if (extra.length > 0)
    problems.add(
      "CONTRACT_OPTION_UNKNOWN",
      `${where} describes ${extra.map(quote).join(", ")}, which its path does not name.`,
    );
  return fields(problems, `${where}, params`, value, input);
}

/** A body's schema, and how it is written. */
export interface ParsedBody {
  readonly body: Schema | undefined;
  readonly bodyType: "json" | "form";
}

/** Reads what the body is. */
export function parseBody(
  problems: Problems,
  where: string,
  value: unknown,
  takesBody: boolean,
  input: InputReader,
): ParsedBody {
  if (takesBody && isMembers(value) && !isSchema(value) && value.kind === "form")
    return { body: fields(problems, `${where}, body`, value.fields, input), bodyType: "form" };
  return { body: parseJsonBody(problems, where, value, takesBody, input), bodyType: "json" };
}

function parseJsonBody(
  problems: Problems,
  where: string,
  value: unknown,
  takesBody: boolean,
  input: InputReader,
): Schema | undefined {
  if (takesBody && value === undefined) {
    return problems.add(
      "CONTRACT_ROUTE_INCOMPLETE",
      `${where} does not say what its body is.`,
      "Add  body: z.object({ … }),   // or none",
    );
  }
  if (!takesBody && value !== undefined)
    return problems.add("CONTRACT_OPTION_INVALID", `${where}: only POST, PUT and PATCH have a body.`);
  return value === undefined || value === none ? undefined : input("body", value);
}

/** Reads how much a JSON body may hold. */
export function parseJsonLimits(problems: Problems, where: string, value: unknown): JsonLimits {
  const at = `${where}, jsonLimits`;
  const given = section(problems, at, value, ["depth", "members", "elements", "textLength"]) ?? {};
  const bounded = (name: keyof JsonLimits, max: number, fallback: number): number =>
    number(problems, `${at}.${name}`, given[name], { min: 1, max, fallback });
  return {
    depth: bounded("depth", 128, 32),
    members: bounded("members", 1_000_000, 10_000),
    elements: bounded("elements", 10_000_000, 10_000),
    textLength: bounded("textLength", 67_108_864, 65_536),
  };
}
