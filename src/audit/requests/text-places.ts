import { z } from "zod";
import { listFields, memberNames, paramNames } from "../../contract/index.ts";
import type { ContractRoute, Schema } from "../../contract/index.ts";
import type { Call } from "./caller.ts";
import { formOf, lowerCased, queryOf, writeCookies, writePairs } from "./input-values.ts";
import type { Pairs } from "./input-values.ts";
import type { AuditInput } from "../plan/plan.ts";

/** Somewhere in a route's input where a text can stand. */
export interface TextPlace {
  /** For the report: `query lang`, `body /items/0/product`. */
  readonly name: string;
  /** Its own name alone: `lang`, `product`. */
  readonly field: string;
  /** The text that stands there in the input, if one does; of a list, its first. */
  readonly value: string | undefined;
  /** Whether the contract takes this text there. */
  takes(text: string): boolean;
  /** What a call is changed by, to have this text there. */
  put(text: string): Partial<Call>;
}

/** Every place of a route's input where a text can stand, starting from an input that the route accepts. */
export function textPlaces(route: ContractRoute, input: AuditInput): TextPlace[] {
  return [
    ...paramPlaces(route, input),
    ...queryPlaces(route, input),
    ...headerPlaces(route, input),
    ...cookiePlaces(route, input),
    ...(route.bodyType === "form" ? formPlaces(route, input) : jsonPlaces(route, input)),
  ];
}

const fits = (schema: Schema | undefined, value: unknown): boolean =>
  schema !== undefined && z.safeParse(schema, value).success;

function paramPlaces({ segments, params }: ContractRoute, input: AuditInput): TextPlace[] {
  const encoded = Object.fromEntries(
    Object.entries(input.params ?? {}).map(([name, value]) => [name, encodeURIComponent(value)]),
  );
  return paramNames(segments).map((field) => ({
    name: `parameter ${field}`,
    field,
    value: input.params?.[field],
    takes: (text) => fits(params, { ...input.params, [field]: text }),
    put: (text) => ({ rawParams: { ...encoded, [field]: encodeURIComponent(text) } }),
  }));
}

function queryPlaces(route: ContractRoute, input: AuditInput): TextPlace[] {
  const { query } = route;
  if (query === undefined) return [];
  const values = queryOf(route, input);
  return [...memberNames(query)].map((field) => {
    const changed = (text: string): Pairs => withText(values, field, text, listFields(query));
    return {
      name: `query ${field}`,
      field,
      value: firstOf(values[field]),
      takes: (text) => fits(query, changed(text)),
      put: (text) => ({ rawQuery: writePairs(changed(text)) }),
    };
  });
}

const firstOf = (value: Pairs[string] | undefined): string | undefined =>
  typeof value === "string" ? value : value?.[0];

const withText = (values: Pairs, field: string, text: string, lists: ReadonlySet<string>): Pairs => ({
  ...values,
  [field]: lists.has(field) ? [text] : text,
});

function headerPlaces({ headers }: ContractRoute, input: AuditInput): TextPlace[] {
  if (headers === undefined) return [];
  const values = lowerCased(input.headers);
  return [...memberNames(headers)].map((field) => ({
    name: `header ${field}`,
    field,
    value: values[field],
    takes: (text) => fits(headers, { ...values, [field]: text }),
    put: (text) => ({ rawHeaders: Object.entries({ ...values, [field]: text }) }),
  }));
}

function cookiePlaces({ cookies }: ContractRoute, input: AuditInput): TextPlace[] {
  if (cookies === undefined) return [];
  return [...memberNames(cookies)].map((field) => ({
    name: `cookie ${field}`,
    field,
    value: input.cookies?.[field],
    takes: (text) => fits(cookies, { ...input.cookies, [field]: text }),
    put: (text) => ({
      rawCookie: writeCookies({ ...input.cookies, [field]: text.replaceAll(/[;\s]/g, "") }),
    }),
  }));
}

function formPlaces(route: ContractRoute, input: AuditInput): TextPlace[] {
  const { body } = route;
  if (body === undefined) return [];
  const values = formOf(route, input) ?? {};
  return [...memberNames(body)].map((field) => {
    const changed = (text: string): Pairs => withText(values, field, text, listFields(body));
    return {
      name: `body ${field}`,
      field,
      value: firstOf(values[field]),
      takes: (text) => fits(body, changed(text)),
      put: (text) => ({ rawBody: writePairs(changed(text)) }),
    };
  });
}

type Path = readonly (string | number)[];

/** Texts that the sample has, however deep, of lists in their first element; and members of the body itself that it could have. */
function jsonPlaces({ body }: ContractRoute, input: AuditInput): TextPlace[] {
  if (body === undefined) return [];
  const absent = isObject(input.body)
    ? [...memberNames(body)]
        .filter((name) => !Object.hasOwn(input.body as object, name))
        .map((name) => [name])
    : [];
  return [...textPaths(input.body), ...absent].map((path) => ({
    name: `body /${path.join("/")}`,
    field: path.findLast((key) => typeof key === "string") ?? "",
    value: textAt(input.body, path),
    takes: (text) => fits(body, withAt(input.body, path, text)),
    put: (text) => ({ rawBody: JSON.stringify(withAt(input.body, path, text)) }),
  }));
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function textPaths(value: unknown, path: Path = []): Path[] {
  if (typeof value === "string") return [path];
  if (path.length > 6) return [];
  if (Array.isArray(value)) return value.slice(0, 1).flatMap((entry) => textPaths(entry, [...path, 0]));
  return isObject(value)
    ? Object.entries(value).flatMap(([key, entry]) => textPaths(entry, [...path, key]))
    : [];
}

function textAt(value: unknown, path: Path): string | undefined {
  const found = path.reduce<unknown>((at, key) => (at as Record<string | number, unknown>)[key], value);
  return typeof found === "string" ? found : undefined;
}

function withAt(value: unknown, path: Path, text: string): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return text;
  if (Array.isArray(value))
    return value.map((entry: unknown, index) => (index === key ? withAt(entry, rest, text) : entry));
  const object = isObject(value) ? value : {};
  return { ...object, [key]: withAt(object[key], rest, text) };
}
