import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { parse } from "@babel/parser";

/** A part of a syntax tree, as far as it is looked at here. */
interface Syntax {
  readonly type: string;
  readonly loc?: { readonly start: { readonly line: number } } | null;
  readonly [name: string]: unknown;
}

/** Where a route's options are written: `curtainwall.config.ts:61`, by option; under the route's own key, where it begins. */
export type RouteLines = ReadonlyMap<string, string>;

/**
 * Finds where the options of a route are written: in an object under its key, or in a call of `route()` with it. What is put together
 * otherwise is not found.
 *
 * @param files the contract and what it imports; of several places the first counts
 * @param root what the files are named relative to
 */
export function routeLines(key: string, files: readonly string[], root: string): RouteLines {
  for (const file of files) {
    const lines = linesIn(key, file, relative(root, file));
    if (lines !== undefined) return lines;
  }
  return new Map();
}

/** Finds where each of some routes begins, reading each file once. Of several places the first counts; what is not found is left out. */
export function routePlaces(
  keys: ReadonlySet<string>,
  files: readonly string[],
  root: string,
): Record<string, string> {
  const places = new Map<string, string>();
  for (const file of files) {
    const program = places.size === keys.size ? undefined : read(file);
    for (const node of program === undefined ? [] : nodesOf(program)) {
      const named =
        node.type === "CallExpression" ? (node["arguments"] as readonly unknown[])[0] : node["key"];
      const key = nameOf(named);
      if (key !== undefined && keys.has(key) && !places.has(key))
        places.set(key, `${relative(root, file)}:${node.loc?.start.line ?? 1}`);
    }
  }
  return Object.fromEntries(places);
}

/** Says where an option is written: of a route, or of the whole stack. */
export type OptionPlaces = (option: string, route: string | undefined) => string | undefined;

/** A route takes its input in these: whichever is written stands for what is promised of it. */
const inputOptions = ["body", "query", "params", "headers", "cookies"];

/**
 * Finds where options are written, reading each file once. An option that a route does not write is placed where the route begins; what is not
 * found at all, in the contract's file.
 *
 * @param files the contract, then what it imports
 */
export function optionPlaces(files: readonly string[], root: string): OptionPlaces {
  let index: ReadonlyMap<string | undefined, RouteLines> | undefined;
  return (option, route) => {
    index ??= indexOptions(files, root);
    const lines = index.get(route);
    const [file] = files;
    const fallback =
      route === undefined ? undefined : (lines?.get(route) ?? index.get(undefined)?.get(option));
    return placeIn(lines, option) ?? fallback ?? (file === undefined ? undefined : relative(root, file));
  };
}

/**
 * Finds where some options are written, each file read once: by the route's key, or under `stack` those of the whole stack. With one kind of input
 * all are, each under its own name. What is not found is left out.
 *
 * @param files the contract, then what it imports
 */
export function writtenOptions(
  options: ReadonlySet<string>,
  files: readonly string[],
  root: string,
): Record<string, Record<string, string>> {
  const found: Record<string, Record<string, string>> = {};
  if (options.size === 0) return found;
  const wanted = new Set([...options].flatMap(alike));
  for (const [route, lines] of indexOptions(files, root)) {
    const places = [...wanted].flatMap((option): [string, string][] => {
      const place = lines.get(option);
      return place === undefined ? [] : [[option, place]];
    });
    if (places.length > 0) found[route ?? "stack"] = Object.fromEntries(places);
  }
  return found;
}

function placeIn(lines: RouteLines | undefined, option: string): string | undefined {
  return alike(option)
    .map((name) => lines?.get(name))
    .find((place) => place !== undefined);
}

const alike = (option: string): string[] =>
  inputOptions.includes(option) ? [option, ...inputOptions] : [option];

/** Every route's options, and, under no key, those of the stack. Of several places the first counts. */
function indexOptions(files: readonly string[], root: string): Map<string | undefined, RouteLines> {
  const index = new Map<string | undefined, RouteLines>();
  for (const file of files) {
    const program = read(file);
    for (const node of program === undefined ? [] : nodesOf(program)) {
      const stack = stackOptions(node);
      const key = stack === undefined ? routeKey(node) : undefined;
      const options = stack ?? (key === undefined ? undefined : optionsUnder(key, node));
      if (options !== undefined && !index.has(key))
        index.set(key, linesOf(key, node, options, relative(root, file)));
    }
  }
  return index;
}

/** What names a route where options may follow, if it looks like one: `GET /api/x`. */
function routeKey(node: Syntax): string | undefined {
  const key =
    node.type === "ObjectProperty"
      ? nameOf(node["key"])
      : node.type === "CallExpression"
        ? nameOf((node["arguments"] as readonly unknown[])[0])
        : undefined;
  return key !== undefined && /^[A-Z]+ \//.test(key) ? key : undefined;
}

function linesIn(key: string, file: string, name: string): RouteLines | undefined {
  const program = read(file);
  for (const node of program === undefined ? [] : nodesOf(program)) {
    const options = optionsUnder(key, node);
    if (options !== undefined) return linesOf(key, node, options, name);
  }
  return undefined;
}

function linesOf(key: string | undefined, node: Syntax, options: Syntax, file: string): RouteLines {
  const place = (part: Syntax): string => `${file}:${part.loc?.start.line ?? 1}`;
  const members = (options["properties"] as readonly Syntax[] | undefined) ?? [];
  return new Map([
    ...(key === undefined ? [] : [[key, place(node)] satisfies [string, string]]),
    ...members.flatMap((member): [string, string][] => {
      const option = nameOf(member["key"]);
      return option === undefined ? [] : [[option, place(member)]];
    }),
  ]);
}

/** What Node reads and this parser does not is searched for nothing. */
function read(file: string): Syntax | undefined {
  try {
    const { program } = parse(readFileSync(file, "utf8"), {
      sourceType: "module",
      plugins: file.endsWith("ts") ? ["typescript"] : [],
    });
    return isSyntax(program) ? program : undefined;
  } catch {
    return undefined;
  }
}

/** The object with the options of the whole stack, if this is where it is declared. */
function stackOptions(node: Syntax): Syntax | undefined {
  if (node.type !== "CallExpression" || nameOf(node["callee"]) !== "defineStack") return undefined;
  const [first] = node["arguments"] as readonly (Syntax | undefined)[];
  return first?.type === "ObjectExpression" ? first : undefined;
}

/** The object with the options, if this is where a route is declared. */
function optionsUnder(key: string, node: Syntax): Syntax | undefined {
  if (node.type === "ObjectProperty") {
    const value = node["value"] as Syntax;
    return nameOf(node["key"]) === key && value.type === "ObjectExpression" ? value : undefined;
  }
  if (node.type !== "CallExpression") return undefined;
  const [first, second] = node["arguments"] as readonly (Syntax | undefined)[];
  return nameOf(first) === key && second?.type === "ObjectExpression" ? second : undefined;
}

function nameOf(node: unknown): string | undefined {
  if (!isSyntax(node)) return undefined;
  if (node.type === "Identifier") return String(node["name"]);
  return node.type === "StringLiteral" ? String(node["value"]) : undefined;
}

function* nodesOf(root: Syntax): Generator<Syntax> {
  const pending: unknown[] = [root];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (Array.isArray(next)) pending.push(...(next as unknown[]).toReversed());
    if (!isSyntax(next)) continue;
    yield next;
    const inner = Object.entries(next).filter(([name]) => name !== "loc");
    pending.push(...inner.map(([, value]) => value ?? null).toReversed());
  }
}

const isSyntax = (value: unknown): value is Syntax =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
