import { keyNames } from "../policy/fold-names.ts";

/** A query without the pairs of a key, however that is written. The others stay as they came. */
export function dropQueryKey(query: string, name: string): string {
  const own = keyNames(encodeURIComponent(name));
  // To some ";" parts pairs, too.
  const isOwn = (pair: string): boolean =>
    pair.split(";").some((part) => !keyNames(part.split("=", 1)[0] ?? "").isDisjointFrom(own));
  return query
    .split("&")
    .filter((pair) => pair !== "" && !isOwn(pair))
    .join("&");
}
