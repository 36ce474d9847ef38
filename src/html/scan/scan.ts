import { createCollector } from "../facts/collect.ts";
import type { ReadNested } from "../facts/collect.ts";
import type { DecodedPage } from "../text/encoding.ts";
import type { Mark } from "./marks.ts";
import type { PageFacts, ReadPageOptions } from "../facts/page-facts.ts";
import { PageScanner } from "./page-scanner.ts";
import { indexOfByte } from "../runtime.ts";
import { readScannedTag } from "./scanned-tag.ts";

/** What the scanner found of a page: where the tags that matter stand. */
export interface ScannedPage {
  readonly marks: readonly Mark[];
  readonly headStart: number;
  readonly headEnd: number;
}

/**
 * Reads a page by its tags alone: a whole tokenizer, and of tree construction only what decides which tags count. Gives the reason
 * instead if it meets anything that this can't tell; then the parser is to be asked.
 */
export function scanPage({ bytes, mark }: DecodedPage, options: ReadPageOptions): ScannedPage | string {
  if (indexOfByte(bytes, 0, 0) !== -1) return "it holds U+0000";
  const marks: Mark[] = [];
  const wanted = { links: options.links !== false, ids: options.ids === true };
  const scanner = new PageScanner(bytes, { wanted, marks, base: 0, isNoscript: false });
  const reason = scanner.read(mark);
  if (reason !== undefined) return reason;
  const { headStart, headEnd = headStart } = scanner;
  return { marks, headStart, headEnd };
}

/** What the marked tags of a page say. */
export function scannedFacts(
  { bytes, encoding }: DecodedPage,
  { marks, headStart, headEnd }: ScannedPage,
  options: ReadPageOptions,
  readNested: ReadNested,
): PageFacts {
  const collector = createCollector(options, readNested);
  for (const mark of marks) collector.add(readScannedTag(bytes, mark));
  return { bytes, encoding, ...collector.facts(), headStart, headEnd, fallback: undefined };
}
