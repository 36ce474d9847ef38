/**
 * Tells whether a number of JSON is read as what is written: no digit is lost on the way through a double. What JavaScript would round (an
 * integer above 2⁵³, a nineteenth digit, 1e400) another server reads otherwise.
 *
 * @param text a number as JSON writes it
 */
export function isExactNumber(text: string): boolean {
  // Fifteen digits always survive, wherever the point is, as long as there is no exponent.
  if (text.length <= 15 && !hasExponent(text)) return true;
  const value = Number(text);
  return Number.isFinite(value) && normalForm(text) === normalForm(String(value));
}

/** Where in a JSON text the first number stands that is not read as written; undefined if there is none. */
export function findInexactNumber(text: string): readonly string[] | undefined {
  let path: string[] | undefined;
  let holder: unknown;
  function look(this: unknown, key: string, value: unknown, context: { source?: string }): unknown {
    const isInexact =
      path === undefined &&
      typeof value === "number" &&
      context.source !== undefined &&
      !isExactNumber(context.source);
    // What holds it is seen after it, and what holds that after that.
    if (isInexact || (path !== undefined && value === holder)) {
      path = [key, ...(path ?? [])];
      // oxlint-disable-next-line no-this-alias -- a reviver is told in no other way what holds a value
      holder = this;
    }
    return value;
  }
  // TypeScript does not know the third argument of a reviver yet.
  JSON.parse(text, look as (key: string, value: unknown) => unknown);
  // The whole text is held under an empty name.
  return path?.slice(1);
}

const hasExponent = (text: string): boolean => text.includes("e") || text.includes("E");

/** A decimal number's digits without zeros around them, and the power of ten that they are of; the same for the same value. */
function normalForm(text: string): string {
  const [mantissa = "", power = "0"] = text.toLowerCase().split("e");
  const isNegative = mantissa.startsWith("-");
  const [whole = "", fraction = ""] = (isNegative ? mantissa.slice(1) : mantissa).split(".");
  const all = whole + fraction;
  const end = trimmedEnd(all);
  const start = trimmedStart(all, end);
  if (start === end) return "0";
  const exponent = BigInt(power) - BigInt(fraction.length) + BigInt(all.length - end);
  return `${isNegative ? "-" : ""}${all.slice(start, end)}e${exponent}`;
}

function trimmedEnd(digits: string): number {
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 48) end--;
  return end;
}

function trimmedStart(digits: string, end: number): number {
  let start = 0;
  while (start < end && digits.charCodeAt(start) === 48) start++;
  return start;
}
