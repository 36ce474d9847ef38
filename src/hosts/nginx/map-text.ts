import { hostsError, shown } from "../errors.ts";
import { exactly, literal, maxParameterBytes, quoted, startingWith, utf8Length } from "./text.ts";

/** A path, and what stands in the table for it. */
export type Row = readonly [path: string, entry: string];

/** A key and its value, which may hold variables. Both are ours. */
export type Rule = readonly [key: string, value: string];

/** A map whose values may hold variables. Its keys are ours. */
export function map(source: string, name: string, rules: readonly Rule[], fallback: string): string {
  return [
    `map ${quoted(source)} $${name} {`,
    `  default ${quoted(fallback)};`,
    ...rules.map(([key, value]) => `  ${quoted(key)} ${quoted(value)};`),
    "}",
  ].join("\n");
}

/** A map from paths. Those that differ in case alone can't share the hash table, so they are matched as expressions. */
export function pathMap(name: string, entries: readonly Row[]): string {
  const folded = new Map<string, number>();
  for (const [path] of entries) folded.set(foldCase(path), (folded.get(foldCase(path)) ?? 0) + 1);
  const lines = entries.map(([path, entry]) => {
    const key = folded.get(foldCase(path)) === 1 ? path : exactly(path);
    const line = `  ${quoted(key)} ${literal(entry)};`;
    if (Math.max(utf8Length(quoted(key)), utf8Length(literal(entry))) <= maxParameterBytes) return line;
    throw tooLong(path);
  });
  return [`map $uri $${name} {`, `  default "";`, ...lines, "}"].join("\n");
}

/** A key for every path below a folder, case included. */
export function below(folder: string): string {
  const key = startingWith(folder);
  if (utf8Length(quoted(key)) > maxParameterBytes) throw tooLong(folder);
  return key;
}

function tooLong(path: string): Error {
  return hostsError(
    "HOSTS_LIMIT_EXCEEDED",
    `The path ${shown(path)} is too long: nginx reads parameters of at most 4096 bytes.`,
    "Shorten the path",
  );
}

/** nginx folds ASCII only. */
function foldCase(path: string): string {
  return path.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** A bucket of nginx's hash tables must hold every key that falls into it; eight are plenty when there are as many buckets as keys. */
export function hashSize(entries: readonly Row[]): string {
  const longest = entries.reduce((length, [path]) => Math.max(length, utf8Length(path)), 0);
  const bucket = Math.min(32_768, powerOfTwo(8 * (longest + 24)));
  return `map_hash_bucket_size ${bucket};\nmap_hash_max_size ${powerOfTwo(Math.max(2048, 2 * entries.length))};`;
}

const powerOfTwo = (atLeast: number): number => 2 ** Math.ceil(Math.log2(atLeast));
