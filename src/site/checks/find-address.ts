import type { SourcePlace } from "../errors.ts";

/** Where an address of a page may have been written. */
export interface AddressSources {
  /** The page's content file, and its text. */
  readonly file: string;
  readonly text: string;
  /** The template's file. */
  readonly template: string;
  /** Texts of the templates' sources, by file. */
  readonly templateSources: ReadonlyMap<string, string>;
}

/**
 * Finds where an address was written: in the page's own text, else in a template. What stands in neither to the letter was put together
 * by the template.
 */
export function findAddress(
  address: string,
  { file, text, template, templateSources }: AddressSources,
): SourcePlace {
  const line = lineOf(address, text);
  if (line !== undefined) return { file, line };
  const own = templateSources.get(template);
  const sources = own === undefined ? [...templateSources] : [[template, own] as const, ...templateSources];
  for (const [name, source] of sources) {
    const found = lineOf(address, source);
    if (found !== undefined) return { file: name, line: found };
  }
  return { file: template };
}

function lineOf(address: string, text: string): number | undefined {
  for (const written of spellings(address)) {
    const index = indexOfWhole(written, text);
    if (index >= 0) return text.slice(0, index).split("\n").length;
  }
  return undefined;
}

/** An address as it may have been written before Markdown encoded it, and before a heading's prefix was added. */
function spellings(address: string): string[] {
  const found = [address, address.replace("#h-", "#")];
  try {
    found.push(decodeURI(address), decodeURI(address.replace("#h-", "#")));
  } catch {
    // Not encoded by Markdown, then.
  }
  return found.filter((spelling) => spelling !== "");
}

/** `/a/` must not be found in `/a/b/`. */
function indexOfWhole(address: string, text: string): number {
  for (let index = text.indexOf(address); index >= 0; index = text.indexOf(address, index + 1)) {
    if (!/[\w/#%.-]/.test(text[index + address.length] ?? "") && !/[\w/.-]/.test(text[index - 1] ?? ""))
      return index;
  }
  return -1;
}
