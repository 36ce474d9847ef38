import type { Header } from "../../contract/index.ts";
import { answersOf, encodePath } from "../answers.ts";
import type { Answers } from "../answers.ts";
import { hostsError } from "../errors.ts";
import { hostLimits } from "../limits.ts";
import type { DeclaredSite, Emission } from "../site.ts";
import { fileNameOf, refused, treeOf } from "../tree.ts";
import type { TreeOptions } from "../tree.ts";

const limits = hostLimits.vercel;
const output = ".vercel/output/";
const tree: TreeOptions = { host: "Vercel", folder: `${output}static/`, reserved: ["_vercel"] };
const maxPatternLength = 4096;

type Route = Readonly<Record<string, string | number | boolean | Readonly<Record<string, string>>>>;

/**
 * Writes a site as Vercel's Build Output (version 3): no build on Vercel, exact paths by regular expressions, each header of
 * a path from one route only, so that nothing depends on how routes are merged.
 *
 * @throws {CurtainwallError} `HOSTS_LIMIT_EXCEEDED` for more routes than Vercel takes, `HOSTS_PATH_REFUSED`,
 *   `HOSTS_HEADER_REFUSED` or `HOSTS_SITE_INVALID`
 */
export function emitVercel(site: DeclaredSite): Emission {
  const answers = answersOf(site);
  const placements = treeOf(answers, tree);
  const routes = routesOf(answers);
  if (routes.length > limits.maxRules)
    throw exceeded(
      `its headers and redirects need ${routes.length} routes, and Vercel takes ${limits.maxRules}`,
    );
  const config = { version: 3, routes, overrides: overridesOf(answers) };
  return {
    host: "vercel",
    files: [{ path: `${output}config.json`, text: `${JSON.stringify(config, undefined, 1)}\n` }],
    placements,
    notes: [
      "Deploy it with: npx vercel deploy --prebuilt --prod. Vercel compresses, and sets ETag, by itself.",
      "A file is also found at its own name, /about/index.html, with the headers of all answers only.",
    ],
  };
}

function routesOf(answers: Answers): Route[] {
  const missing = answers.missing?.headers ?? answers.refusalHeaders;
  const told = answers.files.map((file) => ({ path: file.path, headers: withoutType(file.headers) }));
  const missingBelow = answers.missingBelow.map(({ page }) => page.headers);
  const common = commonHeaders([
    ...told.map(({ headers }) => headers),
    missing,
    ...missingBelow,
    answers.moveHeaders,
  ]);
  const rest = (headers: readonly Header[]): Header[] => headers.filter(([name]) => !common.has(name));
  const groups = new Map<string, { headers: Header[]; paths: string[] }>();
  for (const { path, headers } of told) {
    const own = rest(headers);
    const key = JSON.stringify(own);
    const group = groups.get(key) ?? { headers: own, paths: [] };
    group.paths.push(path);
    groups.set(key, group);
  }
  return [
    { src: "^/.*$", headers: fields([...common]), continue: true },
    ...answers.moves.map(({ from, to, status }) => ({
      src: `^${anyForm(from)}$`,
      caseSensitive: true,
      headers: fields([...rest(answers.moveHeaders), ["location", to]]),
      status,
    })),
    ...[...groups.values()].flatMap(({ headers, paths }) =>
      headers.length === 0
        ? []
        : alternatives(paths).map((src) => ({
            src,
            caseSensitive: true,
            headers: fields(headers),
            continue: true,
          })),
    ),
    { handle: "filesystem" },
    ...answers.missingBelow.map(({ folder, page }) => ({
      src: `^${anyForm(folder)}.*$`,
      caseSensitive: true,
      status: 404,
      headers: fields(rest(withoutType(page.headers))),
      dest: encodePath(page.path),
    })),
    {
      src: "^/.*$",
      status: 404,
      headers: fields(rest(answers.missing === undefined ? missing : withoutType(missing))),
      ...(answers.missing === undefined ? {} : { dest: "/404.html" }),
    },
  ].filter((route) => !("headers" in route) || "status" in route || Object.keys(route.headers).length > 0);
}

/** Types are told by `overrides`; a Vary for compression is Vercel's. */
const withoutType = (headers: readonly Header[]): Header[] =>
  headers.filter(
    ([name, value]) => name !== "content-type" && !(name === "vary" && value === "accept-encoding"),
  );

function commonHeaders(lists: readonly (readonly Header[])[]): Map<string, string> {
  const [first = [], ...others] = lists.map((list) => new Map(list));
  return new Map([...first].filter(([name, value]) => others.every((other) => other.get(name) === value)));
}

function fields(headers: readonly Header[]): Record<string, string> {
  if (headers.length > 100)
    throw exceeded(`a file has ${headers.length} headers, and a route of Vercel's 100`);
  for (const [name, value] of headers)
    if (value.length > limits.maxValueLength)
      throw exceeded(
        `a value of ${name} is ${value.length} characters long, and Vercel's limit is ${limits.maxValueLength}`,
      );
  return Object.fromEntries(headers);
}

/** Expressions that match these paths and nothing else, each as long as Vercel allows. */
function alternatives(paths: readonly string[]): string[] {
  const found: string[] = [];
  let open: string[] = [];
  let length = 0;
  for (const path of paths) {
    const form = anyForm(path);
    if (form.length + 8 > maxPatternLength)
      throw refused(path, tree, "it is too long for a route's expression");
    if (length + form.length + 9 > maxPatternLength) {
      found.push(`^(?:${open.join("|")})$`);
      open = [];
      length = 0;
    }
    open.push(form);
    length += form.length + 1;
  }
  return [...found, `^(?:${open.join("|")})$`];
}

/** A path as it is and as browsers write it: whether routes see it decoded is not documented. */
function anyForm(path: string): string {
  const forms = [...new Set([encodePath(path), path])].map(escapeExpression);
  return forms.length === 1 ? (forms[0] ?? "") : `(?:${forms.join("|")})`;
}

const escapeExpression = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/** The type of every file that declares one, by the file's name. */
function overridesOf({ files, missing }: Answers): Record<string, { contentType: string }> {
  const named = files.map((file) => [fileNameOf(file.path), file.headers] as const);
  if (missing !== undefined) named.push(["404.html", missing.headers]);
  const typed = named.flatMap(([name, headers]) => {
    const contentType = headers.find(([header]) => header === "content-type")?.[1];
    return contentType === undefined ? [] : [[name, { contentType }] as const];
  });
  return Object.fromEntries(typed);
}

function exceeded(what: string) {
  return hostsError(
    "HOSTS_LIMIT_EXCEEDED",
    `The site does not fit Vercel: ${what}.`,
    "Give pages one header in common and the rest in a <meta>: curtainwall harden --for vercel does that. Or choose nginx or caddy",
  );
}
