import { isHarmlessJson } from "./literals.ts";

/** A script that is one piece of JSON with a few letters of code around it. */
export interface AroundData {
  /** The same code around the least data of its kind: what stands for all scripts like it. */
  readonly template: string;
  /** Where in the template its data begins. */
  readonly from: number;
}

/** Looked for in the beginning only, so that no text can keep them busy. */
const pushed = /^[\w$.=|()[\]" ]{1,160}?\.push\(/;
const assigned = /^(?:window|self|globalThis)\.[\w$.]{1,80} ?= ?/;
const beginning = 200;

/**
 * Recognises without a parser what generators write into each page anew: `self.queue.push([1,"…"])` and `window.STATE={…}`. JSON is an
 * expression wherever it stands (ECMA-262 since 2019), so the tree around it is the template's. Undefined for anything else.
 */
export function aroundData(source: string): AroundData | undefined {
  const head = source.slice(0, beginning);
  const end = endOf(source);
  const push = pushed.exec(head)?.[0];
  if (push !== undefined && source[end - 1] === ")")
    return around(source, push.length, end - 1, isPlainList, "[0]");
  const assignment = assigned.exec(head)?.[0];
  return assignment === undefined ? undefined : around(source, assignment.length, end, isObject, "{}");
}

/** Where the last statement ends, without its `;` and what white space follows. */
function endOf(source: string): number {
  const text = source.trimEnd();
  return (text.endsWith(";") ? text.slice(0, -1).trimEnd() : text).length;
}

function around(
  source: string,
  from: number,
  to: number,
  isExpected: (data: string) => boolean,
  least: string,
): AroundData | undefined {
  if (!isExpected(source.slice(from, to))) return undefined;
  return { template: source.slice(0, from) + least + source.slice(to), from };
}

const isObject = (text: string): boolean => text.startsWith("{") && isHarmlessJson(text);

/** A list of a number and other plain values, none of them an object. */
function isPlainList(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return (
      Array.isArray(value) &&
      typeof value[0] === "number" &&
      value.every((entry) => typeof entry !== "object" || entry === null)
    );
  } catch {
    return false;
  }
}
