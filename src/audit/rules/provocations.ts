import { memberNames, paramNames } from "../../contract/index.ts";
import type { ContractRoute, Schema } from "../../contract/index.ts";
import type { Call } from "../requests/caller.ts";
import type { AuditContext } from "../context.ts";
import { honestCalls, lacking } from "../requests/inputs.ts";
import type { Exchange } from "../probes/probe.ts";
import { notTheSite } from "./shared.ts";

/** Errors that were provoked, and why some were not. */
interface Provocations {
  list: Provocation[];
  missing: string[];
}

/** A way to make a route answer with an error. */
export interface Provocation {
  name: string;
  /** Text in the request that the answer must not repeat. */
  mark: string;
  exchange: Exchange;
  /** Asked for in a form of its own: it may have none of the ordinary one's. */
  isAskedOtherwise?: true;
}

/** Errors that were provoked, by audit: each check looks at the same ones. */
const provoked = new WeakMap<AuditContext, Promise<Provocations>>();

/** Makes every route answer with errors, once an audit. */
export function provocations(context: AuditContext): Promise<Provocations> {
  let found = provoked.get(context);
  if (found === undefined) provoked.set(context, (found = provokeAll(context)));
  return found;
}

async function provokeAll(context: AuditContext): Promise<Provocations> {
  const list: Provocation[] = [];
  const stranger = await notTheSite(context);
  const missing: string[] = stranger === undefined ? [] : [stranger];
  for (const route of context.contract.routes) {
    const [honest] = honestCalls(context, route);
    if (honest === undefined) {
      missing.push(lacking(context, route));
      continue;
    }
    for (const [name, bend] of waysToFail(route)) {
      const mark = context.mark();
      const exchange = await context.caller.call({ route, ...honest, ...bend(mark) });
      list.push({ name: `${route.key}: ${name}`, mark, exchange });
    }
    const [failure, bend] = mostSaying(route);
    for (const [way, ask] of waysToAsk(route)) {
      const mark = context.mark();
      const exchange = await context.caller.call({ route, ...honest, ...bend(mark), ...ask });
      list.push({ name: `${route.key}: ${failure}, ${way}`, mark, exchange, isAskedOtherwise: true });
    }
  }
  for (const root of context.contract.apiRoots) {
    const mark = context.mark();
    list.push({
      name: "an undeclared path",
      mark,
      exchange: await context.caller.send({ method: "GET", path: `/${root}/${mark}` }),
    });
  }
  const mark = context.mark();
  list.push({
    name: "a page that does not exist",
    mark,
    exchange: await context.caller.send({ method: "GET", path: `/${mark}/` }),
  });
  return { list, missing };
}

const namesOf = (schema: Schema | undefined): string[] =>
  schema === undefined ? [] : [...memberNames(schema)];

type Bend = (mark: string) => Partial<Call>;

function waysToFail(route: ContractRoute): [name: string, bend: Bend][] {
  const everyParam = (value: string): Record<string, string> =>
    Object.fromEntries(paramNames(route.segments).map((name) => [name, value]));
  return [
    undeclaredKey,
    ["a method that is not declared", (mark) => ({ method: "TRACE", rawQuery: mark })],
    ["a broken percent-encoding", (mark) => ({ rawQuery: `${mark}=%zz` })],
    [
      "a token that is none",
      (mark) => ({ token: { name: "no token at all", value: `${mark}.${mark}.${mark}` }, rawQuery: mark }),
    ],
    ...(route.body === undefined ? [] : waysToFailByBody(route)),
    ...(route.headers === undefined ? [] : waysToFailByHeaders(namesOf(route.headers))),
    ...(route.cookies === undefined
      ? []
      : ([
          [
            "a cookie that does not fit",
            (mark) => ({
              rawCookie: namesOf(route.cookies)
                .map((name) => `${name}=<${mark}`)
                .join("; "),
            }),
          ],
        ] satisfies [string, Bend][])),
    ...(route.params === undefined
      ? []
      : ([
          [
            "a parameter that does not fit",
            (mark) => ({ rawParams: everyParam(encodeURIComponent(`'"<${mark}>`)) }),
          ],
          ["a parameter that leads elsewhere", (mark) => ({ rawParams: everyParam(`..%2f${mark}%00`) })],
        ] satisfies [string, Bend][])),
  ];
}

/**
 * Frameworks have error pages of their own for browsers, and who looks at bodies does not see what stands in headers: one error of each route is asked
 * for in each of these ways.
 */
const waysToAsk = ({ method }: ContractRoute): [way: string, ask: Partial<Call>][] => [
  [
    "as a browser asks for pages",
    { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" },
  ],
  ...(method === "GET" ? ([["by HEAD", { method: "HEAD" }]] satisfies [string, Partial<Call>][]) : []),
];

const undeclaredKey: [name: string, bend: Bend] = [
  "an undeclared query key",
  (mark) => ({ rawQuery: `${mark}=${mark}` }),
];

/** What a parser throws at reaches more error handlers than what is checked by hand. */
const mostSaying = (route: ContractRoute): [name: string, bend: Bend] =>
  (route.body === undefined ? undefined : waysToFailByBody(route)[0]) ?? undeclaredKey;

function waysToFailByHeaders(names: Iterable<string>): [name: string, bend: Bend][] {
  return [
    [
      "a header that does not fit",
      (mark) => ({ rawHeaders: [...names].map((name) => [name, `<${mark}>\u00e9`] as const) }),
    ],
  ];
}

function waysToFailByBody({ bodyType, maxBodyBytes }: ContractRoute): [name: string, bend: Bend][] {
  const isForm = bodyType === "form";
  return [
    isForm
      ? ["a malformed form", (mark) => ({ rawBody: `${mark}=%zz${mark}` })]
      : ["malformed JSON", (mark) => ({ rawBody: `{"${mark}": ${mark}` })],
    ["wrong fields", (mark) => ({ rawBody: isForm ? `${mark}=${mark}` : JSON.stringify({ [mark]: mark }) })],
    [
      "too large",
      (mark) => ({
        rawBody: isForm
          ? `${mark}=`.padEnd(maxBodyBytes + 1, "a")
          : `"${mark}"`.padEnd(maxBodyBytes + 1, " "),
      }),
    ],
    ["another media type", (mark) => ({ rawBody: mark, contentType: `text/${mark}` })],
  ];
}

/** What a problem document may say. @see RFC 9457 §3.1 */
interface Problem {
  type?: unknown;
  title?: unknown;
  status?: unknown;
  code?: unknown;
  id?: unknown;
}

/** An answer's body as a problem document, if it is any object at all. */
export function problemOf({ response }: Exchange): Problem | undefined {
  try {
    const value = JSON.parse(response.text()) as unknown;
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
