import { isObject, label, placesWithin, replace, valueAt } from "./json-place.ts";
import type { Json, Path } from "./json-place.ts";
import type { Mutant } from "./mutate.ts";

/** Stands where a text goes that no value has. */
const hole = "\u{f8ff}here\u{f8ff}";

/**
 * Bodies in which one object, at any level, has a member twice or one that only a text can have. A look at the outermost object finds none of the others.
 *
 * @param from where to begin
 */
export function* mutateMembers(body: Json, from: Path = []): Generator<Mutant> {
  for (const [path, value] of placesWithin(valueAt(body, from), from)) {
    if (!isObject(value)) continue;
    const good = JSON.stringify(value);
    const write = (object: string): string =>
      JSON.stringify(replace(body, path, hole)).replace(JSON.stringify(hole), () => object);
    const [first] = Object.entries(value);
    const before = (member: string): string =>
      write(first === undefined ? `{${member}}` : `{${member},${good.slice(1)}`);
    yield {
      name: path.length === 0 ? "a key __proto__" : `${label(path)} has a key __proto__`,
      kind: "prototype key",
      rawBody: before('"__proto__":{"polluted":1}'),
    };
    if (first === undefined) continue;
    const [name, member] = [first[0], JSON.stringify(first[1])];
    const twice = { name: `${label([...path, name])} stands twice`, kind: "duplicate key" } as const;
    yield { ...twice, rawBody: before(`${JSON.stringify(name)}:${member}`) };
    if (name === "") continue;
    const escaped = `"\\u${name.charCodeAt(0).toString(16).padStart(4, "0")}${JSON.stringify(name.slice(1)).slice(1)}`;
    yield { ...twice, name: `${twice.name}, once escaped`, rawBody: before(`${escaped}:${member}`) };
  }
}
