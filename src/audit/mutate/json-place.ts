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

/** How deep is looked. */
export const maxLevels = 6;

/** What is inside a value: an object's members, and of a list the first element. */
export function entriesOf(value: Json): readonly (readonly [key: string | number, value: Json])[] {
  if (Array.isArray(value)) return value.slice(0, 1).map((entry: Json) => [0, entry]);
  return isObject(value) ? Object.entries(value) : [];
}

/** A value with all that is inside, each with its place. */
export function* placesWithin(value: Json, path: Path = []): Generator<readonly [path: Path, value: Json]> {
  if (path.length > maxLevels) return;
  yield [path, value];
  for (const [key, entry] of entriesOf(value)) yield* placesWithin(entry, [...path, key]);
}

/** What stands at a place. */
export const valueAt = (body: Json, path: Path): Json =>
  path.reduce<Json>((value, key) => (value as Record<string | number, Json>)[key], body);
