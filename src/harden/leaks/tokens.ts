import type { DetectorEntry, Finding } from "./detector.ts";
import { mask } from "./mask.ts";
import { escapeStarts, escapeUnit, readEscape } from "./read-escape.ts";
import { tokenRules } from "./token-rules.ts";
import type { TokenRule } from "./token-rules.ts";

const encoder = new TextEncoder();
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** The longest body that a rule reads. */
const longestBody = 512;

/** Detectors for the tokens of {@link tokenRules}. */
export const tokenDetectors: readonly DetectorEntry[] = tokenRules.map((rule) => ({
  // The matcher wants four bytes; a prefix of three is tried with every character that may follow.
  needles: rule.prefixes.flatMap((prefix) =>
    (prefix.length > 3 ? [prefix] : Array.from(letters, (letter) => prefix + letter)).map((text) =>
      encoder.encode(text),
    ),
  ),
  detect: (bytes, start) => detectToken(rule, bytes, start),
}));

function detectToken(rule: TokenRule, bytes: Uint8Array, start: number): Finding | undefined {
  const text = latin1(bytes, start, start + longestBody);
  const prefix = rule.prefixes.find((one) => text.startsWith(one));
  if (prefix === undefined || (/^\w/.test(prefix) && isInWord(bytes, start))) return undefined;
  const body = rule.body.exec(text.slice(prefix.length))?.[0];
  if (body === undefined) return undefined;
  const to = start + prefix.length + body.length;
  if (isWord(bytes[to]) || looksMadeUp(body)) return undefined;
  return tokenFinding(rule, prefix + body, start, to, rule.check?.(prefix, body) ?? true);
}

function tokenFinding(
  { id, what, rotate, level = "hit" }: Pick<TokenRule, "id" | "what" | "rotate" | "level">,
  token: string,
  from: number,
  to: number,
  genuine: boolean,
): Finding {
  return {
    level: genuine ? level : "note",
    rule: `token-${id}`,
    from,
    to,
    message: genuine ? what : `something like ${what.replace(/^an? /, "")}, but its checksum is wrong`,
    excerpt: mask(token),
    hint: rotate,
  };
}

/** Bytes as characters of the same number: tokens are ASCII. */
export function latin1(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(Math.max(0, from), Math.min(bytes.length, to)));
}

/** Whether a byte goes on with a word: letters, digits and `_`. */
export function isWord(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const lower = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (lower >= 0x61 && lower <= 0x7a) || byte === 0x5f;
}

/** Whether a word goes on at a byte. After an escape (`%22`, `\n`, `\u003d`) a new one begins. */
export function isInWord(bytes: Uint8Array, at: number): boolean {
  if (!isWord(bytes[at - 1])) return false;
  for (let from = at - 2; from >= at - 6 && from >= 0; from--)
    if (escapeStarts[bytes[from]!] === 1 && readEscape(bytes, from, false) % escapeUnit === at - from)
      return false;
  return true;
}

/** Whether a token is an example: documents write such by hand. */
export function looksMadeUp(body: string): boolean {
  if (/example|x{4}|0{6}|placeholder|redacted|your|\.\.\./i.test(body)) return true;
  return new Set(body).size < Math.min(8, body.length / 3) || hasRun(body, 0) || hasRun(body, 1);
}

/** Whether six characters in a row go up by so many: `abcdef`, `111111`. */
function hasRun(text: string, step: number): boolean {
  let length = 1;
  for (let index = 1; index < text.length; index++) {
    length = text.charCodeAt(index) - text.charCodeAt(index - 1) === step ? length + 1 : 1;
    if (length === 6) return true;
  }
  return false;
}
