import { inertPolicy, securityHeaders } from "../contract/index.ts";
import type { Header } from "../contract/index.ts";
import { planAnswer } from "./answer.ts";
import type { PlannedAnswer } from "./answer.ts";

/** One range of a file's bytes. */
export interface ByteRange {
  /** The first byte. */
  readonly start: number;
  /** Behind the last byte. */
  readonly end: number;
}

/**
 * Reads a Range field that asks for one range of bytes.
 *
 * @returns undefined for all that is answered with the whole file: other units, several ranges (which cost more to send than the
 *   file itself), a malformed field, an empty file
 * @see RFC 9110 §14.1.1, §14.1.2 and §14.2
 */
export function parseRange(field: string, length: number): ByteRange | "unsatisfiable" | undefined {
  const [, first = "", last = ""] = /^bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*$/i.exec(field) ?? [];
  if ((first === "" && last === "") || length === 0) return undefined;
  if (first === "") {
    const suffix = Number(last);
    return suffix === 0 ? "unsatisfiable" : { start: Math.max(0, length - suffix), end: length };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= length) return "unsatisfiable";
  return { start, end: last === "" ? length : Math.min(length, Number(last) + 1) };
}

/**
 * Answers a GET that asks for a part of what it would get: 206, 416, or the whole answer where there is nothing to divide. Only a
 * file's own bytes are divided: of compressed ones, of the site's 404 page and of refusals no part means anything.
 *
 * @param ifRange a part is sent only if this is the file's strong entity tag. Releases have no dates, so no date matches.
 * @see RFC 9110 §13.1.5, §14.2, §15.3.7 and §15.5.17
 */
export function answerRange(
  whole: PlannedAnswer,
  field: string,
  ifRange: string | readonly string[] | undefined,
): PlannedAnswer {
  const { divisible, body } = whole;
  if (divisible === undefined || body === undefined) return whole;
  if (ifRange !== undefined && ifRange !== divisible.tag) return whole;
  const range = parseRange(field, body.length);
  if (range === undefined) return whole;
  if (range === "unsatisfiable") return planUnsatisfiable(body.length);
  const { start, end } = range;
  const part: Header = ["content-range", `bytes ${start}-${end - 1}/${body.length}`];
  return planAnswer(206, [...divisible.headers, part], body.subarray(start, end));
}

const unsatisfiableText = new TextEncoder().encode("416 Range Not Satisfiable\n");
const unsatisfiableHeaders: readonly Header[] = [
  ["content-type", "text/plain; charset=utf-8"],
  ["cache-control", "no-store"],
  ["accept-ranges", "bytes"],
  ...securityHeaders(inertPolicy),
];

function planUnsatisfiable(length: number): PlannedAnswer {
  const told: Header = ["content-range", `bytes */${length}`];
  return planAnswer(416, [...unsatisfiableHeaders, told], unsatisfiableText);
}
