import { accessParts } from "../access.ts";
import type { ContractRoute, ContractStream } from "../contract/route.ts";
import { none } from "../define/schema.ts";
import type { Schema } from "../define/schema.ts";
import { closeObjects, inspectSchema } from "../schema.ts";
import { sensitiveFields } from "../sensitive-names.ts";
import type { Problems } from "./problems.ts";
import { checkNames, isMembers, isSchema, number, quote, section } from "./values.ts";
import type { Members } from "./values.ts";

// What a route answers with: JSON, parts, a refusal of its upstream's.

/** What reading an answer's schemas needs to know of the route. */
export interface AnswerPlace {
  readonly problems: Problems;
  /** `Route "GET /api/x"`. */
  readonly where: string;
  /** Whether fields may be declared whose names say that they must not leave. */
  readonly allowsSensitive: boolean;
}

/** An answer's body: JSON, or what comes in parts, or neither. */
export interface ParsedResponse {
  readonly response: Schema | undefined;
  readonly stream: ContractStream | undefined;
}

const nothing: ParsedResponse = { response: undefined, stream: undefined };

/** Reads what the answer is: what it does not declare never leaves. */
export function parseResponse(place: AnswerPlace, value: unknown): ParsedResponse {
  const { problems, where } = place;
  if (value === undefined) {
    problems.add(
      "CONTRACT_ROUTE_INCOMPLETE",
      `${where} does not say what it answers.`,
      "Add  response: z.object({ … }),   // or none",
    );
    return nothing;
  }
  if (value === none) return nothing;
  if (isSchema(value)) return { response: readSchema(place, "response", value), stream: undefined };
  if (isMembers(value) && value.kind === "events")
    return { response: undefined, stream: parseEvents(place, value) };
  if (isMembers(value) && value.kind === "download")
    return { response: undefined, stream: parseDownload(place, value) };
  problems.add(
    "CONTRACT_OPTION_INVALID",
    `${where}, response must be a Zod schema, none, eventStream() or download(), not ${quote(value)}.`,
    isMembers(value) ? "Write  response: z.object({ … }),   around the fields" : undefined,
  );
  return nothing;
}

/** Reads which statuses the upstream may refuse with. */
export function parseErrors(place: AnswerPlace, value: unknown): ReadonlyMap<number, Schema> {
  const { problems, where } = place;
  const errors = new Map<number, Schema>();
  if (value === undefined) return errors;
  if (!isMembers(value) || isSchema(value)) {
    problems.add("CONTRACT_OPTION_INVALID", `${where}, errors must be an object of Zod schemas, by status.`);
    return errors;
  }
  for (const [name, schema] of Object.entries(value)) {
    const status = Number(name);
    if (!/^4[0-9][0-9]$/.test(name) || ownStatuses.has(status))
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `${where}, errors: ${quote(name)} is no status that an upstream may refuse with.`,
        "400 to 499, without 401, 407, 408, 413, 415, 421, 429 and 431: those are the gateway's own to say",
      );
    else errors.set(status, readSchema(place, `errors.${name}`, schema));
  }
  return errors;
}

/** Refuses what can't be had together. */
export function checkAnswer(
  { problems, where }: AnswerPlace,
  { method, access, response, stream, etag }: ContractRoute,
): void {
  const refuse = (message: string, hint: string): void =>
    problems.add("CONTRACT_OPTION_INVALID", `${where}: ${message}.`, hint);
  if (stream !== undefined && accessParts(access).some(({ kind }) => kind === "ownerField"))
    refuse("ownerField needs the whole answer, which comes in parts here", 'Use owner("…") or a role');
  if (stream?.kind === "events" && method !== "GET")
    refuse("only GET answers with events", "Browsers listen by GET");
  if (etag && (method !== "GET" || response === undefined))
    refuse("only the JSON that GET answers with has an ETag", "Leave out  etag");
}

/** They speak of a connection, a credential or an allowance that the upstream knows nothing of. */
export const ownStatuses: ReadonlySet<number> = new Set([401, 407, 408, 413, 415, 421, 429, 431]);

function readSchema(
  { problems, where, allowsSensitive }: AnswerPlace,
  name: string,
  schema: unknown,
): Schema {
  if (!isSchema(schema)) {
    problems.add("CONTRACT_OPTION_INVALID", `${where}, ${name} must be a Zod schema, not ${quote(schema)}.`);
    return schema as Schema;
  }
  const found = inspectSchema(schema, "output");
  for (const { kind, at, message } of found) {
    const code = kind === "open" ? "CONTRACT_SCHEMA_OPEN" : "CONTRACT_SCHEMA_UNSUPPORTED";
    const hint =
      kind === "open" ? "Declare the fields that may leave: what is not declared is dropped" : undefined;
    problems.add(code, `${where}, ${name}, at ${at}: ${message}.`, hint);
  }
  for (const at of allowsSensitive ? [] : sensitiveFields(schema))
    problems.add(
      "CONTRACT_FIELD_SENSITIVE",
      `${where}, ${name}, at ${at}: its name says that its value must not leave.`,
      'Leave it out, or say why it may:  insecureSensitiveFields: "…"',
    );
  return found.length === 0 ? closeObjects(schema, "strip") : schema;
}

function parseEvents(place: AnswerPlace, value: Members): ContractStream {
  const { problems, where } = place;
  const at = `${where}, response`;
  checkNames(problems, at, value, ["kind", "events", "maxEventBytes", "maxSeconds", "heartbeatSeconds"]);
  const events = new Map<string, Schema>();
  const given = section(problems, `${at}.events`, value.events ?? null, Object.keys(value.events ?? {}));
  for (const [name, schema] of Object.entries(given ?? {})) {
    if (!/^[\w.:-]{1,64}$/.test(name))
      problems.add("CONTRACT_OPTION_INVALID", `${at}.events: ${quote(name)} can't be an event's name.`);
    events.set(name, readSchema(place, `response.events.${name}`, schema));
  }
  if (given !== undefined && events.size === 0)
    problems.add("CONTRACT_OPTION_INVALID", `${at}.events names no event.`);
  const bounded = (name: string, min: number, max: number, fallback: number): number =>
    number(problems, `${at}.${name}`, value[name], { min, max, fallback });
  return {
    kind: "events",
    events,
    maxEventBytes: bounded("maxEventBytes", 64, 1_048_576, 65_536),
    maxSeconds: bounded("maxSeconds", 1, 86_400, 900),
    heartbeatSeconds: bounded("heartbeatSeconds", 1, 300, 15),
  };
}

const mediaType = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}$/;

function parseDownload({ problems, where }: AnswerPlace, value: Members): ContractStream {
  const at = `${where}, response`;
  checkNames(problems, at, value, ["kind", "types", "maxBytes", "fileName"]);
  const types = Array.isArray(value.types) ? value.types : [];
  for (const type of types)
    if (typeof type !== "string" || !mediaType.test(type))
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `${at}.types: ${quote(type)} is no media type like "application/pdf".`,
      );
  if (types.length === 0)
    problems.add("CONTRACT_OPTION_INVALID", `${at}.types must list media types, not ${quote(value.types)}.`);
  const { fileName } = value;
  if (fileName !== undefined && (typeof fileName !== "string" || !/^[\w][\w .-]{0,99}$/.test(fileName)))
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `${at}.fileName must be 1 to 100 letters, digits, spaces or ._-, not ${quote(fileName)}.`,
    );
  if (value.maxBytes === undefined)
    problems.add(
      "CONTRACT_ROUTE_INCOMPLETE",
      `${at} does not say how large a file may be.`,
      "maxBytes: 10_000_000,",
    );
  return {
    kind: "download",
    types: types as string[],
    maxBytes: number(problems, `${at}.maxBytes`, value.maxBytes, { min: 1, max: 2 ** 40, fallback: 1 }),
    fileName: typeof fileName === "string" ? fileName : undefined,
  };
}
