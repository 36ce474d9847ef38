import type { EgressRefusal } from "../errors.ts";

/** Where a request goes, as it was written: nothing of it was decoded or mended. */
export interface Target {
  /** Scheme, host and port, as `URL.origin` writes them. */
  readonly origin: string;
  /** Begins with "/". */
  readonly path: string;
  readonly segments: readonly string[];
  /** Without its "?". */
  readonly query: string;
}

const scheme = "https://";
const maxLength = 8192;
/** Visible ASCII; a "#" is never sent, a "\" is a "/" to some, the others are what URL parsers encode. */
const written = /^[!$-;=?-[\]^-~]*$/;
const escapes = /%(?:[0-9A-Fa-f]{2})?/g;

/**
 * Reads a request's absolute-form target, and refuses what two readers could take for two things: a service may decode, fold or mend
 * a path after the policy was asked about it.
 *
 * @see RFC 9112 §3.2.2 (absolute-form), RFC 3986 §6.2.2 (normalization)
 */
export function readTarget(text: string): Target | EgressRefusal {
  if (text.length > maxLength) return refused("it is longer than 8192 characters");
  if (!text.startsWith(scheme)) return refused("it is no https address in absolute form");
  if (!written.test(text)) return refused("it has characters that an address has not");
  const slash = text.indexOf("/", scheme.length);
  const origin = slash < 0 ? text : text.slice(0, slash);
  if (slash < 0 || origin.includes("?")) return refused("it has no path");
  // The canonical text alone: no user, no default port, no other way of writing a number, no escapes.
  if (URL.parse(origin)?.origin !== origin) return refused("its host is not written as it is meant");
  const mark = text.indexOf("?", slash);
  const path = text.slice(slash, mark < 0 ? undefined : mark);
  const query = mark < 0 ? "" : text.slice(mark + 1);
  const segments = path === "/" ? [] : path.slice(1).split("/");
  const fault = segments.map(segmentFault).find((found) => found !== undefined) ?? emptyFault(segments);
  if (fault !== undefined) return refused(fault);
  if (!hasWholeEscapes(query)) return refused("its query has a broken escape");
  return { origin, path, segments, query };
}

const refused = (reason: string): EgressRefusal => ({ code: "EGRESS_TARGET_REFUSED", reason });

/** Only the last segment may be empty: "//" is folded by some. */
function emptyFault(segments: readonly string[]): string | undefined {
  return segments.slice(0, -1).includes("") ? "its path has an empty segment" : undefined;
}

function segmentFault(segment: string): string | undefined {
  // Servlet containers drop what follows ";" before they follow dots.
  if (/^\.{1,2}(?:;|$)/.test(segment) || segment.startsWith(";")) return "its path has a dot segment";
  const escape = segment.includes("%") ? escapeFault(segment) : undefined;
  return escape ?? (looksBlank(segment) ? "its path has a segment of dots and spaces" : undefined);
}

/** Some drop spaces and dots at the end of a segment, spaces before it, and signs that nobody sees: what remains is "", "." or "..". */
function looksBlank(segment: string): boolean {
  const [name = ""] = segment.split(";", 1);
  if (name === "") return false;
  const text = name.includes("%") ? decodeURIComponent(name) : name;
  return /^[.+\s\p{Cf}]*[.\s\p{Cf}][.+\s\p{Cf}]*$/u.test(text);
}

/** Escapes stand for letters beyond ASCII, and for signs that have no meaning in a path; for nothing else. */
function escapeFault(segment: string): string | undefined {
  if (!hasWholeEscapes(segment)) return "its path has a broken escape";
  for (const [escape] of segment.matchAll(escapes))
    if (hidesMeaning(Number.parseInt(escape.slice(1), 16)))
      return "its path hides a character behind an escape";
  try {
    return Array.from(decodeURIComponent(segment)).some(becomesMeaning)
      ? "its path has a character that is folded to another"
      : undefined;
  } catch {
    return "its path is not UTF-8";
  }
}

function hasWholeEscapes(text: string): boolean {
  for (const [escape] of text.matchAll(escapes)) if (escape.length === 1) return false;
  return true;
}

/** Letters, digits and "-._~" need no escape; "/", "\", "%", ";" and control characters mean something else when they are decoded. */
function hidesMeaning(code: number): boolean {
  if (code < 0x21 && code !== 0x20) return true;
  if (code >= 0x80) return false;
  return /[\u0000-\u001f\u007f%./\\;?#\w~-]/.test(String.fromCharCode(code));
}

/** Full-width dots and slashes, and what else compatibility forms make of them. */
function becomesMeaning(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return false;
  return code <= 0x9f || /[./\\%;?#\u0000-\u001f]/.test(character.normalize("NFKC"));
}
