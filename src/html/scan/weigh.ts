import { equalsSign, quotationMark } from "./markup-bytes.ts";
import { latin1 } from "../runtime.ts";
import { role } from "./scan-tables.ts";

const letter = {
  a: 0x61,
  b: 0x62,
  d: 0x64,
  f: 0x66,
  h: 0x68,
  i: 0x69,
  n: 0x6e,
  o: 0x6f,
  r: 0x72,
  s: 0x73,
  t: 0x74,
  y: 0x79,
} as const;

/** Relations that fetch nothing, as pages write them; what else a `rel` says is looked at in full. */
const leadingRelations = new Set(
  (
    "alternate author bookmark canonical contents copyright first glossary help home index last license next prev previous search " +
    "start top up"
  ).split(" "),
);
const maxLeadingLength = 10;

/** The first letters of the names that {@link weigh} knows, with the roles of the tags on which they count. */
export const mayMatter = new Int32Array(256);
for (const [letters, roles] of [
  ["bios", role.any],
  ["f", role.field],
  ["h", role.anchor | role.meta],
  ["anp", role.anchor],
  ["c", role.meta],
  ["r", role.link],
] as const)
  for (const character of letters + letters.toUpperCase()) mayMatter[character.charCodeAt(0)] = roles;

/** What `javascript:` can begin with as written: itself, what the URL parser removes, or a reference. */
export const mayStartScript = new Uint8Array(256);
for (let byte = 0; byte <= 0x20; byte++) mayStartScript[byte] = 1;
for (const character of "jJ&") mayStartScript[character.charCodeAt(0)] = 1;

/** What beside scripts, styles and resources is looked for. */
export interface Wanted {
  readonly links: boolean;
  readonly ids: boolean;
}

/**
 * Whether an attribute's name makes its tag worth a look: undefined if so, true if that depends on the value, else false.
 *
 * @param what the roles of the tag's name
 */
export function weigh(bytes: Uint8Array, at: number, what: number, wanted: Wanted): boolean | undefined {
  const first = (bytes[at] ?? 0) | 0x20;
  const second = (bytes[at + 1] ?? 0) | 0x20;
  if (first === letter.o) return second === letter.n ? undefined : false;
  // `formaction`, not `form`
  if (first === letter.f) return lower(bytes, at + 4) === letter.a ? undefined : false;
  if (first === letter.s) {
    const isStyle = second === letter.t && lower(bytes, at + 2) === letter.y;
    if (isStyle || (second === letter.r && (what & role.field) !== 0)) return undefined;
    // `shadowrootmode`
    return second === letter.h && (what & role.template) !== 0 ? undefined : false;
  }
  if (first === letter.b) return second === letter.a ? undefined : false;
  if (first === letter.i) return wanted.ids && second === letter.d ? undefined : false;
  // `http-equiv` and `charset`
  if ((what & role.meta) !== 0) return second === letter.t || second === letter.h ? undefined : false;
  if ((what & role.link) !== 0) return first === letter.r && !onlyLeads(bytes, at) ? undefined : false;
  if ((what & role.anchor) === 0) return false;
  if (first === letter.h) return wanted.links ? undefined : second === letter.r;
  if (first === letter.n) return wanted.ids && second === letter.a ? undefined : false;
  // `ping` and `attributionsrc`
  return second === letter.i || second === letter.t ? undefined : false;
}

const lower = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) | 0x20;

/** Whether this attribute is one that says of a `<link>` only that it leads somewhere; false if that takes more than a look. */
function onlyLeads(bytes: Uint8Array, at: number): boolean {
  if (bytes[at + 3] !== equalsSign || bytes[at + 4] !== quotationMark) return false;
  const from = at + 5;
  let to = from;
  while (to - from < maxLeadingLength && bytes[to] !== quotationMark) to++;
  return leadingRelations.has(latin1(bytes, from, to));
}
