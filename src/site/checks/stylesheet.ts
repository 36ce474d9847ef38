import { extensionOf } from "../media-types.ts";

/** What a stylesheet asks a browser to load. */
export interface StylesheetFacts {
  readonly images: boolean;
  readonly fonts: boolean;
  /** The addresses in its `url()`s, as written. */
  readonly addresses: readonly string[];
  /** Why it can't be published, if it can't. */
  readonly problem: { readonly line: number; readonly message: string; readonly hint: string } | undefined;
}

const fontExtensions = new Set(["woff2", "woff", "ttf", "otf"]);

/**
 * Reads what a stylesheet loads. It need not be watertight: what is missed here is blocked by the page's policy, not loaded.
 */
export function inspectStylesheet(source: string): StylesheetFacts {
  const text = blankComments(source);
  const addresses: string[] = [];
  let problem: StylesheetFacts["problem"];
  const refuse = (index: number, message: string, hint: string): void => {
    problem ??= { line: text.slice(0, index).split("\n").length, message, hint };
  };
  const rule = /@import\b/i.exec(text);
  if (rule !== null)
    refuse(rule.index, "@import loads a file that no integrity covers.", "Put its rules into this file");
  for (const [index, address] of urlsIn(text)) {
    if (address.startsWith("#")) continue;
    if (/^\/(?![/\\])/.test(address)) addresses.push(address);
    else {
      refuse(
        index,
        `url(${address.slice(0, 60)}) is not a path on this site.`,
        "Put the file into the assets folder and write its path, like /fonts/name.woff2",
      );
    }
  }
  const fonts = addresses.filter((address) =>
    fontExtensions.has(extensionOf(address.replace(/[?#].*$/, ""))),
  );
  return {
    images: addresses.length > fonts.length || /\bimage-set\(/i.test(text),
    fonts: fonts.length > 0,
    addresses,
    problem,
  };
}

/** The addresses in `url()`s, each with its place. An escape in the word `url` is missed, and then blocked by the policy. */
function urlsIn(text: string): [index: number, address: string][] {
  const found: [number, string][] = [];
  for (const { 0: opening, index } of text.matchAll(/\burl\(/gi)) {
    const end = text.indexOf(")", index + opening.length);
    if (end < 0) break;
    const inside = text.slice(index + opening.length, end).trim();
    const quote = inside.charAt(0);
    // A quoted address may hold a bracket; then it is cut short here, and not found among the files.
    const quoted = quote === '"' || quote === "'";
    found.push([index, quoted ? inside.slice(1, inside.endsWith(quote) ? -1 : undefined) : inside]);
  }
  return found;
}

/** Comments as blanks, so that line numbers stay. */
function blankComments(source: string): string {
  let text = "";
  let from = 0;
  for (;;) {
    const start = source.indexOf("/*", from);
    if (start < 0) return text + source.slice(from);
    const end = source.indexOf("*/", start + 2);
    const comment = source.slice(start, end < 0 ? source.length : end + 2);
    text += source.slice(from, start) + comment.replaceAll(/[^\n]/g, " ");
    from = start + comment.length;
  }
}
