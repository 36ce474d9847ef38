/** More are looked up in a map. */
const few = 6;

/**
 * Creates a look-up of texts that come from outside among few that are known: their place in the list, or -1. A text of a request was made
 * for that request, and a map would first have V8 find the one of its kind that it keeps: fifteen times what comparing it with one takes.
 */
export function createNameIndex(names: readonly string[]): (name: string) => number {
  if (names.length <= few) return (name) => names.indexOf(name);
  const places = new Map(names.map((name, place) => [name, place]));
  return (name) => places.get(name) ?? -1;
}
