import { memberNames, paramNames } from "../../../contract/index.ts";
import type { AuditContext } from "../../context.ts";
import type { ProbeRequest } from "../../probes/probe.ts";
import type { PoisonTarget } from "./poison.ts";

/** A request that could change what a cache keeps for others. */
export interface Attempt {
  name: string;
  request: ProbeRequest;
  /** Texts in it that nobody else may get, by where they stand. */
  marks: ReadonlyMap<string, string>;
  /** It asks for another address, so its own answer is of no matter to who asks for the right one. */
  isElsewhere?: true;
}

/** Makes the requests that are tried on a target. */
export type Attempts = (target: PoisonTarget, mark: () => string, context: AuditContext) => Attempt[];

type Header = readonly [name: string, value: (mark: string) => string];

const without = (mark: string): string => mark;
const asHost = (mark: string): string => `${mark}.invalid`;
const asPath = (mark: string): string => `/${mark}`;

/** In groups, so that what refuses one does not hide the others. */
const unkeyed: readonly (readonly [name: string, headers: readonly Header[]])[] = [
  [
    "hosts in headers",
    [
      ["x-forwarded-host", asHost],
      ["x-host", asHost],
      ["x-forwarded-server", asHost],
      ["x-original-host", asHost],
      ["forwarded", (mark) => `host=${mark}.invalid;proto=http`],
    ],
  ],
  [
    "paths in headers",
    [
      ["x-original-url", asPath],
      ["x-rewrite-url", asPath],
      ["x-forwarded-prefix", asPath],
      ["x-forwarded-path", asPath],
    ],
  ],
  [
    "schemes in headers",
    [
      ["x-forwarded-proto", () => "http"],
      ["x-forwarded-scheme", () => "http"],
      ["x-forwarded-ssl", () => "off"],
      ["x-forwarded-port", () => "1"],
    ],
  ],
  [
    "what says who asks",
    [
      ["accept-language", without],
      ["user-agent", without],
      ["referer", (mark) => `https://${mark}.invalid/`],
      ["cookie", (mark) => `lang=${mark}`],
      ["x-forwarded-for", asHost],
      ["x-user-id", without],
    ],
  ],
  ["another origin", [["origin", (mark) => `https://${mark}.invalid`]]],
  ["another method in a header", [["x-http-method-override", () => "HEAD"]]],
];

const withHeaders = (
  { request }: PoisonTarget,
  name: string,
  headers: readonly Header[],
  mark: () => string,
): Attempt => {
  const marks = new Map(headers.map(([header]) => [header, mark()]));
  const more = headers.map(([header, value]): [string, string] => [header, value(marks.get(header) ?? "")]);
  return { name, request: { ...request, headers: [...(request.headers ?? []), ...more] }, marks };
};

export const headerAttempts: Attempts = (target, mark) =>
  unkeyed.map(([name, headers]) => withHeaders(target, name, headers, mark));

/** Requests that caches refuse to look into, and servers answer with an error. */
const provoking: readonly (readonly [name: string, headers: readonly Header[]])[] = [
  ["a part that is not there", [["range", () => "bytes=9999999-"]]],
  ["a condition that does not hold", [["if-match", (mark) => `"${mark}"`]]],
  ["an expectation", [["expect", without]]],
  ["a header of 9 KB", [["x-oversized", (mark) => mark.repeat(500)]]],
  ["many headers", Array.from({ length: 120 }, (_, index): Header => [`x-${index}`, () => "1"])],
  ["a media type that nobody has", [["accept", (mark) => `text/${mark}`]]],
  ["an encoding that nobody knows", [["accept-encoding", (mark) => `${mark}, identity;q=0`]]],
  ["a broken cookie", [["cookie", (mark) => `${mark}=%00;;=`]]],
  ["a token that is none", [["authorization", (mark) => `Bearer ${mark}`]]],
];

export const errorAttempts: Attempts = (target, mark) => [
  ...provoking.map(([name, headers]) => withHeaders(target, name, headers, mark)),
  ...["HEAD", "OPTIONS"].map((method): Attempt => ({
    name: method,
    request: { ...target.request, method },
    marks: new Map(),
    isElsewhere: true,
  })),
];

/** A GET with a body that says something else than its address. */
export const bodyAttempts: Attempts = (target, mark) => {
  const { route, request } = target;
  const [path = "/", query = ""] = request.path.split("?");
  const names = [
    ...(route?.query === undefined ? [] : memberNames(route.query)),
    ...paramNames(route?.segments ?? []),
  ];
  const [name = "id"] = names;
  const said = mark();
  const carry = (type: string, body: string): Attempt => ({
    name: `a body (${type})`,
    request: { ...request, headers: [...(request.headers ?? []), ["content-type", type]], body },
    marks: new Map([["its body", said]]),
  });
  const ask = (what: string, write: (said: string) => string, isKeyed = false): Attempt => {
    const other = mark();
    return {
      name: what,
      request: { ...request, path: `${path}?${write(other)}` },
      marks: new Map([["its query", other]]),
      ...(isKeyed ? { isElsewhere: true } : {}),
    };
  };
  const first = query === "" ? "" : `${query}&`;
  const fields = Object.fromEntries((names.length === 0 ? [name] : names).map((field) => [field, said]));
  return [
    carry("application/json", JSON.stringify(fields)),
    carry("application/x-www-form-urlencoded", new URLSearchParams(fields).toString()),
    ask("a parameter of advertising, which caches leave out", (other) => `${first}utm_source=${other}`),
    ask("another value behind a semicolon", (other) => `${first}utm_source=a;${name}=${other}`),
    ...(query === ""
      ? []
      : [
          ask("a parameter twice", (other) => `${query}&${name}=${other}`, true),
          ask("a parameter twice, the odd one first", (other) => `${name}=${other}&${query}`, true),
        ]),
  ];
};

/** The same address for one party on the way, and another for the next. */
export const spellingAttempts: Attempts = ({ request }, mark) => {
  const [path = "/", query] = request.path.split("?");
  const rest = query === undefined ? "" : `?${query}`;
  const letter = /[a-z]/.exec(path)?.[0];
  const ways: readonly (readonly [name: string, path: (mark: string) => string])[] = [
    ["two slashes", () => `/${path}`],
    ["a dot", () => `/.${path}`],
    ["an encoded dot", () => `/%2e${path}`],
    ["up from elsewhere", (said) => `/${said}/..${path}`],
    ["up from elsewhere, encoded", (said) => `/${said}%2f..${path}`],
    ["an encoded ? behind it", (said) => `${path}%3f${said}`],
    ["an encoded # behind it", (said) => `${path}%23${said}`],
    ["a semicolon behind it", (said) => `${path};${said}`],
    ["a backslash", () => `\\${path.slice(1)}`],
    ["upper case", () => path.toUpperCase()],
    ["another server's name in front", (said) => `//${said}.invalid${path}`],
    ["another server's name behind a backslash", (said) => `/\\${said}.invalid${path}`],
    ["another server's name behind an encoded backslash", (said) => `/%5c${said}.invalid${path}`],
    ...(letter === undefined
      ? []
      : ([
          ["an encoded letter", () => path.replace(letter, `%${letter.charCodeAt(0).toString(16)}`)],
        ] as const)),
  ];
  return ways
    .map(([name, spell]): Attempt => {
      const said = mark();
      return {
        name,
        request: { ...request, path: `${spell(said)}${rest}` },
        marks: new Map([["its address", said]]),
        isElsewhere: true,
      };
    })
    .filter((attempt) => attempt.request.path !== request.path);
};
