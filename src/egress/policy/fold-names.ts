/** A header's name as services know it that make variables of headers (RFC 3875 §4.1.18): to some of them all signs are alike. */
export const foldHeader = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "-");

/** What parts a key from what is in it: `a[b]` is b of a to nearly all, `a.b` to some. */
const brackets = /[[\].]+/;

/**
 * The names by which services may know a query key, lower-case. To PHP it ends at a NUL, spaces before it are dropped, what follows a bracket is in
 * it, and a sign that no variable has is "_"; to Rack brackets before it are nothing.
 */
export function keyNames(written: string): ReadonlySet<string> {
  const key = readKey(written);
  const withoutParts = key.slice(0, 1) + key.slice(1).split("[", 1)[0];
  const first = key.split(/[[\]]+/).find((name) => name !== "") ?? "";
  return new Set([key, withoutParts, first].map(asVariable));
}

/** The same, and the names of what is in it: `data[_method]` is a method to some. */
export const partNames = (written: string): ReadonlySet<string> =>
  new Set([...keyNames(written), ...readKey(written).split(brackets).map(asVariable)]);

function readKey(written: string): string {
  const [key = ""] = asBytes(written.replaceAll("+", " ")).split("\0");
  return key.trim().toLowerCase();
}

const asVariable = (name: string): string => name.trim().replace(/[^a-z0-9]/g, "_");

/** One sign for each byte: an escape that is no UTF-8 must not hide those beside it. */
const asBytes = (text: string): string =>
  text.replace(/%([0-9A-Fa-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
