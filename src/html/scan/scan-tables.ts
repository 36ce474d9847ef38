/** What a tag's name means to the scanner; every other name is of no interest, whatever its attributes. */
export const role = {
  /** Carries facts of its own: always looked at. */
  facts: 1,
  /** An address that is only collected when links are wanted. */
  anchor: 2,
  /** Text follows in which only references are markup. */
  escapable: 4,
  /** Text follows that is not markup. */
  raw: 8,
  script: 16,
  /** May stand in a head. */
  metadata: 32,
  /** SVG or MathML follows. */
  foreign: 64,
  html: 128,
  head: 256,
  body: 512,
  template: 1024,
  noscript: 2048,
  /** What follows can't be told without building the tree. */
  unclear: 4096,
  /** In a `<template>`, most tags after it are ignored. */
  column: 8192,
  /** May have a `formaction` or a `src`. */
  field: 16384,
  /** Carries facts if it says something about the page's encoding or stands for a header. */
  meta: 32768,
  /** Carries facts if its `rel` is not one of those that only lead somewhere, or if links are wanted. */
  link: 65536,
  /** Every tag's, where roles are asked for; `roleOf` doesn't give it. */
  any: 131072,
  base: 262144,
} as const;

const {
  base,
  facts,
  column,
  anchor,
  escapable,
  field,
  raw,
  script,
  metadata,
  foreign,
  html,
  head,
  body,
  link,
  meta,
  template,
  noscript,
  unclear,
} = role;

/** The names that have a role. */
const roles: Record<string, number> = {
  a: anchor,
  area: anchor,
  audio: facts,
  base: base | facts | metadata,
  basefont: metadata,
  bgsound: metadata,
  body,
  button: field,
  col: column,
  embed: facts,
  form: facts,
  frame: facts,
  frameset: unclear,
  head,
  html,
  iframe: facts | raw,
  image: facts,
  img: facts,
  input: field,
  link: link | metadata,
  math: foreign,
  meta: meta | metadata,
  noembed: raw,
  noframes: raw | metadata,
  noscript: noscript | raw | metadata,
  object: facts,
  plaintext: unclear,
  portal: facts,
  script: facts | script | metadata,
  source: facts,
  style: facts | raw | metadata,
  svg: foreign,
  template: template | metadata,
  textarea: escapable,
  title: escapable | metadata,
  track: facts,
  video: facts,
  xmp: raw,
};

/** White space, `/`, `>`: what ends a tag's name. */
export const endsTagName = tableOf("\t\n\f\r />");
/** The same and `=`: what ends an attribute's name. */
export const endsAttributeName = tableOf("\t\n\f\r />=");
/** White space and `/`: what stands between attributes. */
export const isBetween = tableOf("\t\n\f\r /");
export const isWhite = tableOf("\t\n\f\r ");
export const isLetter = tableOf("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
/** White space, `>` and what ends no value but must be looked for all the same. */
export const endsBareValue = tableOf("\t\n\f\r >");

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (let at = 0; at < characters.length; at++) table[characters.charCodeAt(at)] = 1;
  return table;
}

/** With this many, and the factor below, no two of the names meet, nor does any of the common names that have no role meet one. */
const slots = 1024;

/** A name's hash, which `scan.ts` makes while it reads: of each byte with the bit of lower case set. */
export function mixName(hash: number, byte: number): number {
  return (Math.imul(hash, 5) + (byte | 0x20)) | 0;
}

interface NamedRole {
  readonly name: Uint8Array;
  readonly role: number;
}

const named: (NamedRole | undefined)[] = Array.from({ length: slots });
/** 1 where a name with a role has its hash: nearly every other name is told apart here. */
const filter = new Uint8Array(slots);
for (const [name, role] of Object.entries(roles)) {
  const bytes = new TextEncoder().encode(name);
  const slot = bytes.reduce(mixName, 0) & (slots - 1);
  if (named[slot] !== undefined) throw new TypeError(`Two names share a slot: change the hash (${name})`);
  named[slot] = { name: bytes, role };
  filter[slot] = 1;
}

/** The role of the name that stands there and has this hash; 0 if none. */
export function roleOf(bytes: Uint8Array, from: number, to: number, hash: number): number {
  const slot = hash & (slots - 1);
  if (filter[slot] === 0) return 0;
  const candidate = named[slot];
  if (candidate === undefined || candidate.name.length !== to - from) return 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0;
    // A letter in either case, and nothing else that the bit makes equal to one.
    if (isLetter[byte] === 0 || (byte | 0x20) !== candidate.name[at - from]) return 0;
  }
  return candidate.role;
}
