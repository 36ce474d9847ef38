import { isExactNumber } from "./exact-number.ts";

/** Bounds of a JSON body besides its bytes. */
export interface JsonLimits {
  /** Arrays and objects inside one another. */
  readonly depth: number;
  /** Of all objects together. */
  readonly members: number;
  /** Of all arrays together. */
  readonly elements: number;
  /** Of one text, as it is written. */
  readonly textLength: number;
}

/** What a scan of a text finds at fault before it is parsed. */
export type ScanFault =
  | "too-deep"
  | "too-many-members"
  | "too-many-elements"
  | "text-too-long"
  | "inexact-number";

/** Longest number that is read: BigInt and Number take more than linear time on more. */
const maxNumberLength = 400;

/**
 * Looks once over a text that should be JSON, without building anything of it: counts the members, holds nesting, counts and lengths to their
 * bounds, and numbers to what a double can hold. Whether it is JSON at all, `JSON.parse` says afterwards.
 *
 * @returns how many members are written in all objects together: one for each colon outside a string
 */
export function scanJson(text: string, limits: JsonLimits): number | ScanFault {
  const { depth: maxDepth, members: maxMembers, elements: maxElements, textLength } = limits;
  let members = 0;
  let commas = 0;
  let filled = 0;
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 34) {
      const end = stringEnd(text, index + 1);
      if (end - index - 1 > textLength) return "text-too-long";
      index = end;
    } else if (code === 58) {
      if (++members > maxMembers) return "too-many-members";
    } else if (code === 44) {
      commas++;
    } else if (code === 91 || code === 123) {
      if (++depth > maxDepth) return "too-deep";
      if (!isEmpty(text, index + 1)) filled++;
    } else if (code === 93 || code === 125) {
      depth--;
    } else if (code === 45 || (code >= 48 && code <= 57)) {
      const end = numberEnd(text, index + 1);
      const length = end - index;
      if (length > 15 || isExponential(text, index, end)) {
        if (length > maxNumberLength || !isExactNumber(text.slice(index, end))) return "inexact-number";
      }
      index = end - 1;
    }
  }
  // What is filled has one entry more than commas; of an object's entries each has a colon.
  return commas + filled - members > maxElements ? "too-many-elements" : members;
}

/** Whether an array or object that begins here ends at once. */
function isEmpty(text: string, from: number): boolean {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at++;
  const code = text.charCodeAt(at);
  return code === 93 || code === 125;
}

const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9;

/** Where a string ends: at the first quote with an even number of backslashes before it. */
function stringEnd(text: string, from: number): number {
  for (let quote = text.indexOf('"', from); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let start = quote;
    while (start > from && text.charCodeAt(start - 1) === 92) start--;
    if ((quote - start) % 2 === 0) return quote;
  }
  return text.length;
}

/** Where what belongs to a number ends: digits, point, exponent, signs. */
function numberEnd(text: string, from: number): number {
  let end = from;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code >= 48 && code <= 57) continue;
    if (code !== 46 && code !== 69 && code !== 101 && code !== 43 && code !== 45) break;
  }
  return end;
}

function isExponential(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if ((text.charCodeAt(at) | 0x20) === 101) return true;
  return false;
}
