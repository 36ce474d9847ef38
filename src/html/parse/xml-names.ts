import { CurtainwallError } from "../../shared/index.ts";
import type { HtmlErrorCode } from "../errors.ts";

/** The namespaces that prefixes stand for; the empty one is that of names without a prefix. */
export type Scope = ReadonlyMap<string, string>;

/** What is declared before the document declares anything. */
export const outermost: Scope = new Map([
  ["", ""],
  ["xml", "http://www.w3.org/XML/1998/namespace"],
  ["xmlns", "http://www.w3.org/2000/xmlns/"],
]);

/** Each element that declares one copies those around it, so that finding one takes the same time at any depth. */
const maxPrefixes = 200;

/**
 * The namespaces that are declared for an element.
 *
 * @throws {CurtainwallError} `HTML_PAGE_TOO_COMPLEX`
 * @see https://www.w3.org/TR/xml-names/#scoping
 */
export function scopeOf({ attributes }: { attributes: Record<string, string> }, around: Scope): Scope {
  let scope: Map<string, string> | undefined;
  for (const [name, uri] of Object.entries(attributes)) {
    if (name !== "xmlns" && !name.startsWith("xmlns:")) continue;
    scope ??= new Map(around);
    scope.set(name.slice("xmlns:".length), uri);
  }
  if (scope !== undefined && scope.size > maxPrefixes)
    throw new CurtainwallError<HtmlErrorCode>(
      "HTML_PAGE_TOO_COMPLEX",
      `The file declares more than ${maxPrefixes} namespaces inside each other.`,
    );
  return scope ?? around;
}

/** A name's namespace, and what it is called there. */
export interface ResolvedName {
  /** Undefined if nothing declares its prefix: then the file is malformed. */
  readonly uri: string | undefined;
  readonly local: string;
}

/** Looks a name's prefix up. */
export function resolveName(name: string, scope: Scope): ResolvedName {
  const colon = name.indexOf(":");
  return { uri: scope.get(name.slice(0, Math.max(0, colon))), local: name.slice(colon + 1) };
}
