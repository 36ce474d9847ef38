/** What JSON can say. */
export type Json = unknown;

/** Where something stands in a value: names and indexes, from the outside in. */
export type Path = readonly (string | number)[];

export const isObject = (value: Json): value is Record<string, Json> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The same value with another one at a place. */
export function replace(body: Json, path: Path, value: Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(body))
    return body.map((entry: Json, index) => (index === key ? replace(entry, rest, value) : entry));
  const members = body as Record<string, Json>;
  return { ...members, [key]: replace(members[key], rest, value) };
}

/** A place in words. */
export const label = (path: Path): string =>
  path.length === 0
    ? "the body"
    : path
        .map((step) => (typeof step === "number" ? `[${step}]` : step))
        .join(".")
        .replaceAll(".[", "[");
