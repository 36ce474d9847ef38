/** An id that is like another. */
export interface AlikeId {
  /** What was done to the other one. */
  name: string;
  value: string;
  /** As it stands in a path. */
  raw: string;
  /** Whether the route's schema takes it. */
  isAccepted: boolean;
}

const encode = encodeURIComponent;

/**
 * Ids that are like another to whoever compares some of its characters, or compares after making them even. About a dozen.
 *
 * @param accepts whether a route's schema takes an id: what can keep its form does
 */
export function alikeIds(id: string, accepts: (id: string) => boolean): AlikeId[] {
  const places = placesOf(id, accepts);
  const alike: (readonly [name: string, value: string, raw?: string])[] = [
    ["with its first character changed", changed(id, places.slice(0, 1))],
    ["with its last character changed", changed(id, places.slice(-1))],
    ["with a character in its middle changed", changed(id, places.slice(places.length >> 1).slice(0, 1))],
    ["with one more character", `${id}0`],
    ["with a zero before it", `0${id}`],
    ["without its last character", id.slice(0, -1)],
    ["in capitals", id.toUpperCase()],
    ["in small letters", id.toLowerCase()],
    ["with a full stop behind it", `${id}.`],
    ["with a blank behind it", `${id} `],
    // Read as a form's, it is a blank; read as a number's, nothing.
    ["with a plus behind it", `${id}+`, `${encode(id)}+`],
    ...(/^\d+$/.test(id)
      ? ([
          ["with a plus before it", `+${id}`, `+${encode(id)}`],
          ["as a broken number", `${id}.0`],
        ] as const)
      : []),
    ["with a wide character (NFKC)", widened(id)],
  ];
  const unique = new Map(alike.map((entry) => [entry[1], entry]));
  return [...unique.values()]
    .filter(([, value]) => value !== id && value !== "")
    .map(([name, value, raw = encode(value)]) => ({ name, value, raw, isAccepted: accepts(value) }));
}

/** An id of the same form that is like another in neither its beginning nor its end. Undefined: the schema takes none that is made like this. */
export function unlikeId(id: string, accepts: (id: string) => boolean): string | undefined {
  const places = placesOf(id, accepts);
  const other = changed(id, [...places.slice(0, 8), ...places.slice(-8)]);
  return other !== id && accepts(other) ? other : undefined;
}

/** Where a character may be another: all of them, if it may nowhere. */
function placesOf(id: string, accepts: (id: string) => boolean): number[] {
  const all = Array.from({ length: Math.min(id.length, maxPlaces) }, (_, at) => at);
  const free = all.filter((at) => changed(id, [at]) !== id && accepts(changed(id, [at])));
  return free.length === 0 ? all : free;
}

const maxPlaces = 200;

/** A text with other characters in some places. Digits stay digits, and letters letters that hexadecimals have too. */
export function changed(id: string, places: readonly number[]): string {
  const at = new Set(places);
  return id
    .split("")
    .map((character, index) => (at.has(index) ? another(character) : character))
    .join("");
}

function another(character: string): string {
  if (/\d/.test(character)) return character === "1" ? "2" : "1";
  if (/[A-Z]/.test(character)) return character === "A" ? "B" : "A";
  return character === "a" ? "b" : "a";
}

/** Its first letter or digit as wide as those of East Asian texts: another character, and the same to who normalises (Unicode's NFKC). */
export const widened = (id: string): string =>
  id.replace(/[\dA-Za-z]/, (character) => String.fromCodePoint((character.codePointAt(0) ?? 0) + 0xfee0));
