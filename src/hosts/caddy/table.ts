import type { Header } from "../../contract/index.ts";
import type { AnsweredFile, Answers } from "../answers.ts";
import { compressionsOf } from "../blobs.ts";
import type { Compression, DeclaredRedirect } from "../site.ts";
import { literal } from "./json.ts";
import type { Json } from "./json.ts";
import { searchTree } from "./search-tree.ts";
import type { Row } from "./search-tree.ts";

/** Files that carry headers of the same names. Caddy can't leave a header away that has no value, so each has a route. */
export interface Shape {
  /** `{cw.kind}` of its files. */
  readonly kind: string;
  /** Values may hold placeholders of the table. */
  readonly headers: readonly Header[];
}

/** What a path leads to, as a map of Caddy's. */
export interface Table {
  /** Fills `{cw.kind}`, `{cw.to}`, the digests and the headers that differ from file to file. */
  readonly handler: Json;
  readonly shapes: readonly Shape[];
}

/** `{cw.kind}` of a redirect: its status, and whether the query goes along. */
export const moveKind = ({ status, to }: DeclaredRedirect): string =>
  `${status}${/[?#]/.test(to) ? "-" : "+"}`;

/** `{cw.kind}` of a path that is not declared. */
export const unknownKind = "-";

/** Puts the table together: a row a path, a column a fact. */
export function tableOf({ files, moves }: Answers): Table {
  const compressions = compressionsOf(files);
  const varying = varyingNames(files);
  const columns = ["kind", "to", "identity", ...compressions, ...varying.map((_, at) => `h${at}`)];
  const shapes = new Map<string, Shape>();
  const fileRows = files.map((file): Row => {
    const { kind } = shapeOf(file, varying, shapes);
    const values = varying.map((name) => literal(valueOf(file, name)));
    return { input: file.path, outputs: [kind, "", ...digests(file, compressions), ...values] };
  });
  const blank = Array.from({ length: columns.length - 2 }, () => "");
  const moveRows = moves.map((move): Row => ({
    input: move.from,
    outputs: [moveKind(move), literal(move.to), ...blank],
  }));
  // Looked up whenever a column is named, so by the path that doesn't change.
  const source = "{http.request.orig_uri.path}";
  const leaf = (mappings: readonly Row[]): Json => ({
    handler: "map",
    source,
    destinations: columns.map((name) => `{cw.${name}}`),
    defaults: [unknownKind, "", ...blank],
    mappings: mappings.map(({ input, outputs }) => ({ input, outputs })),
  });
  return {
    handler: searchTree([...fileRows, ...moveRows], source, leaf),
    shapes: [...shapes.values()],
  };
}

function digests(file: AnsweredFile, compressions: readonly Compression[]): string[] {
  const encoded = compressions.map(
    (compression) => file.encodings.find(({ encoding }) => encoding === compression)?.sha256 ?? "",
  );
  return [file.sha256, ...encoded];
}

const valueOf = (file: AnsweredFile, name: string): string =>
  file.headers.find(([other]) => other === name)?.[1] ?? "";

/** Names of headers that have more than one value. */
function varyingNames(files: readonly AnsweredFile[]): string[] {
  const values = new Map<string, string>();
  const varying = new Set<string>();
  for (const { headers } of files)
    for (const [name, value] of headers) {
      if ((values.get(name) ?? value) !== value) varying.add(name);
      values.set(name, value);
    }
  return [...varying].sort();
}

function shapeOf(file: AnsweredFile, varying: readonly string[], shapes: Map<string, Shape>): Shape {
  const key = JSON.stringify(file.headers.map(([name]) => name).sort());
  let shape = shapes.get(key);
  if (shape === undefined) {
    const headers = file.headers.map(([name, value]): Header => {
      const column = varying.indexOf(name);
      return [name, column < 0 ? literal(value) : `{cw.h${column}}`];
    });
    shape = { kind: String(shapes.size), headers };
    shapes.set(key, shape);
  }
  return shape;
}
