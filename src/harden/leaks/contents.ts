import type { LeakRule } from "./types.ts";

/** What a file's first bytes, or its shape, tell against it. */
export interface ContentJudgement {
  readonly rule: LeakRule;
  readonly what: string;
  readonly hint: string;
}

const text = (bytes: Uint8Array, length: number): string => String.fromCharCode(...bytes.subarray(0, length));

/** Recognises a database, a key store or a part of a repository under any name. */
export function judgeContent(bytes: Uint8Array): ContentJudgement | undefined {
  const head = text(bytes, 32);
  if (head.startsWith("SQLite format 3\0"))
    return {
      rule: "database",
      what: "a SQLite database",
      hint: "Take it out of what is published; answer from it through an API",
    };
  if (
    /^(?:blob|tree|commit|tag) \d{1,12}\0/.test(head) ||
    /^(?:PACK|DIRC)\0\0\0[\x02-\x04]/.test(head) ||
    head.startsWith("# v2 git bundle")
  )
    return {
      rule: "git-object",
      what: "a part of a git repository",
      hint: "Publish the build's output, not the folder that it is built in",
    };
  if (head.startsWith("\xfe\xed\xfe\xed"))
    return {
      rule: "private-file",
      what: "a Java key store",
      hint: "Take it out, and replace the keys in it",
    };
  return undefined;
}

/** Whether a file is a source map (ECMA-426), whatever its name. */
export function isSourceMap(bytes: Uint8Array): boolean {
  const head = text(bytes, 400);
  if (!/^\s*(?:\)\]\}'[^\n]*\n)?\s*\{/.test(head)) return false;
  return contains(bytes, '"mappings"') && contains(bytes, '"sources"');
}

function contains(bytes: Uint8Array, word: string): boolean {
  const needle = new TextEncoder().encode(word);
  const first = needle[0] ?? 0;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1))
    if (needle.every((byte, index) => bytes[at + index] === byte)) return true;
  return false;
}
