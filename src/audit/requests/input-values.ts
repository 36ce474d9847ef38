import { listFields } from "../../contract/index.ts";
import type { ContractRoute } from "../../contract/index.ts";
import type { AuditInput } from "../plan/plan.ts";

/** Texts by name; of a name that may stand several times, a list. */
export type Pairs = Readonly<Record<string, string | readonly string[]>>;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Writes pairs as a query string without its `?`, or as a form. @see WHATWG URL §5.2 */
export function writePairs(pairs: Pairs): string {
  const written = new URLSearchParams();
  for (const [name, value] of Object.entries(pairs))
    for (const text of typeof value === "string" ? [value] : value) written.append(name, text);
  return written.toString();
}

/** An input's query as the route's schema sees it: what is declared as a list is one, if it stands once too. */
export function queryOf({ query: schema }: ContractRoute, { query = {} }: AuditInput): Pairs {
  if (schema === undefined) return query;
  const lists = listFields(schema);
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => [
      name,
      lists.has(name) && typeof value === "string" ? [value] : value,
    ]),
  );
}

/** A form's fields as texts, as its schema sees them; undefined when the body is no object. */
export function formOf({ body: schema }: ContractRoute, { body }: AuditInput): Pairs | undefined {
  if (schema === undefined || !isObject(body)) return undefined;
  const lists = listFields(schema);
  return Object.fromEntries(
    Object.entries(body)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => {
        const texts = Array.isArray(value) ? value.map(String) : [String(value)];
        return [name, Array.isArray(value) || lists.has(name) ? texts : (texts[0] ?? "")];
      }),
  );
}

/** Header names as they are compared. */
export const lowerCased = (headers: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

/** Writes a `Cookie` header; empty without cookies. @see RFC 6265 §4.2.1 */
export const writeCookies = (cookies: Readonly<Record<string, string>> = {}): string =>
  Object.entries(cookies)
    .map(([name, value]) => `${name}=${value}`)
    .join("; ");

/** Media types of bodies. */
export const bodyTypes = {
  json: "application/json",
  form: "application/x-www-form-urlencoded",
} as const satisfies Record<ContractRoute["bodyType"], string>;

/** An input's body as it is sent; undefined: there is none. */
export function bodyTextOf(route: ContractRoute, input: AuditInput): string | undefined {
  if (route.body === undefined || input.body === undefined) return undefined;
  return route.bodyType === "form" ? writePairs(formOf(route, input) ?? {}) : JSON.stringify(input.body);
}

/** A body that no parser of the route's type can read, so that it has no effect. */
export const brokenBody = ({ bodyType }: ContractRoute): string => (bodyType === "form" ? "%zz" : "{");
