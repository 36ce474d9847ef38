import { createCollector } from "./collect.ts";
import type { ReadNested } from "./collect.ts";
import type { DecodedPage } from "./encoding.ts";
import type { PageFacts, ReadPageOptions } from "./page-facts.ts";
import { PageScanner } from "./page-scanner.ts";

/**
 * Reads a page by its tags alone: a whole tokenizer, and of tree construction only what decides which tags count. Gives the reason
 * instead if it meets anything that this can't tell; then the parser is to be asked.
 */
export function scanPage(
  page: DecodedPage,
  options: ReadPageOptions,
  readNested: ReadNested,
): PageFacts | string {
  const { bytes, mark, encoding } = page;
  if (bytes.includes(0)) return "it holds U+0000";
  const collector = createCollector(options, readNested);
  const scanner = new PageScanner(bytes, { collector, options, base: 0, isNoscript: false });
  const reason = scanner.read(mark);
  if (reason !== undefined) return reason;
  const { headStart, headEnd = headStart } = scanner;
  return { bytes, encoding, ...collector.facts(), headStart, headEnd, fallback: undefined };
}
