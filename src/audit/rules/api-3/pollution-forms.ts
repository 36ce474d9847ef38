import { accessParts } from "../../../contract/index.ts";
import type { ContractRoute } from "../../../contract/index.ts";
import type { AuditContext } from "../../context.ts";
import type { AuditInput } from "../../plan/plan.ts";
import type { Call } from "../../requests/caller.ts";
import { bodyTypes, formOf, queryOf, writeCookies, writePairs } from "../../requests/input-values.ts";

/** What every object of a process would have, if a request could say so. The mark is its name and its value. */
export type Load = (mark: string) => Readonly<Record<string, unknown>>;

/** A way to write a load down, under the name of a prototype. */
export interface Form {
  readonly name: string;
  readonly bent: Pick<Call, "rawBody" | "rawQuery" | "rawCookie">;
}

/** Nobody reads a name that was made up now, so that a process which takes it goes on as before. */
export const harmless: Load = (mark) => ({ [mark]: mark });

/**
 * Names that servers and what they are made with read from objects where nobody set them, each with a value that shows in later answers: how JSON is laid out and OPTIONS
 * answered (Express), which headers a page may read (cors), the status of errors (http-errors) and of `Response`, and what says who may do what.
 *
 * @see "Server-side prototype pollution: Black-box detection without the DoS" (PortSwigger, 2023)
 */
export function telling({ declaredRoutes }: AuditContext): Load {
  const parts = declaredRoutes.flatMap(({ access }) => accessParts(access));
  const roles = parts.flatMap((part) => (part.kind === "role" ? [part.role] : []));
  const scopes = parts.flatMap((part) => (part.kind === "scope" ? [part.scope] : []));
  return (mark) => ({
    [mark]: mark,
    "json spaces": 3,
    exposedHeaders: [mark],
    head: true,
    status: 510,
    statusCode: 510,
    isAdmin: true,
    admin: true,
    role: roles[0] ?? "admin",
    roles: [...new Set(roles), "admin"],
    scope: [...new Set(scopes)].join(" "),
  });
}

/** Every form that a route's requests have room for, each with a mark of its own. */
export function formsOf(route: ContractRoute, input: AuditInput, load: Load, mark: () => string): Form[] {
  const query = writePairs(queryOf(route, input));
  const cookies = writeCookies(input.cookies);
  const joined = (first: string, by: string, second: string): string =>
    first === "" ? second : `${first}${by}${second}`;
  const json = JSON.stringify(load(mark()));
  return [
    ...bodiesOf(route, input, load, mark),
    {
      // In one request: what reads one of these spellings passes over the others.
      name: `${spellings.map(([name]) => name).join(", ")} in the query`,
      bent: {
        rawQuery: spellings.reduce(
          (before, [, spell]) => joined(before, "&", pairsOf(load(mark()), spell)),
          query,
        ),
      },
    },
    {
      // What stands after `j:` is read as JSON by cookie-parser, and taken over by what merges settings.
      name: "__proto__ in cookies",
      bent: { rawCookie: joined(cookies, "; ", `__proto__=j:${json}; ${mark()}=j:{"__proto__":${json}}`) },
    },
  ];
}

type Spelling = readonly [name: string, spell: (key: string) => string];

/** As qs and its like read them. */
const spellings: readonly Spelling[] = [
  ["__proto__[…]", (key) => `__proto__[${key}]`],
  ["constructor[prototype][…]", (key) => `constructor[prototype][${key}]`],
  ["__proto__. with a dot", (key) => `__proto__.${key}`],
];

const pairsOf = (load: ReturnType<Load>, spell: Spelling[1]): string =>
  writePairs(Object.fromEntries(Object.entries(load).map(([key, value]) => [spell(key), String(value)])));

function bodiesOf(route: ContractRoute, input: AuditInput, load: Load, mark: () => string): Form[] {
  if (route.body === undefined) return [];
  if (bodyTypes[route.bodyType] === bodyTypes.form) {
    const fields = writePairs(formOf(route, input) ?? {});
    return spellings.map(([name, spell]) => ({
      name: `${name} in the form`,
      bent: { rawBody: `${fields}${fields === "" ? "" : "&"}${pairsOf(load(mark()), spell)}` },
    }));
  }
  const { body } = input;
  if (typeof body !== "object" || body === null || Array.isArray(body)) return [];
  const honest = JSON.stringify(body).slice(1, -1);
  // An object literal would lose the name: it is written as text.
  const holding = (members: string): string => `{${honest === "" ? "" : `${honest},`}${members}}`;
  const own = (): string => `"__proto__":${JSON.stringify(load(mark()))}`;
  const made = (): string => `"constructor":{"prototype":${JSON.stringify(load(mark()))}}`;
  return [
    { name: "__proto__ in the body", bent: { rawBody: holding(own()) } },
    { name: "constructor.prototype in the body", bent: { rawBody: holding(made()) } },
    {
      name: "both within a member of the body",
      bent: { rawBody: holding(`"${mark()}":{${own()},${made()}}`) },
    },
    ...within(body, own()),
  ];
}

/** In the first member that is an object already: what merges what is known goes there. */
function within(body: object, members: string): Form[] {
  const [name, inner] =
    Object.entries(body).find(
      ([, value]) => typeof value === "object" && value !== null && !Array.isArray(value),
    ) ?? [];
  if (name === undefined) return [];
  const rest = Object.entries(body).filter(([key]) => key !== name);
  const known = JSON.stringify(inner).slice(1, -1);
  const bent = `${JSON.stringify(name)}:{${known === "" ? "" : `${known},`}${members}}`;
  const others = JSON.stringify(Object.fromEntries(rest)).slice(1, -1);
  return [
    {
      name: `__proto__ within ${name}`,
      bent: { rawBody: `{${others === "" ? "" : `${others},`}${bent}}` },
    },
  ];
}
