import type { Mark } from "./scan/marks.ts";
import type { PageFacts, Span } from "./facts/page-facts.ts";
import { createRecent } from "./recent.ts";
import { latin1 } from "./runtime.ts";
import type { ScannedPage } from "./scan/scan.ts";

/** A page as far as it must be known to tell which others are like it. The rest is read when it is asked for. */
export interface PageOutline {
  /** As {@link PageFacts.bytes}. */
  readonly bytes: Uint8Array;
  /**
   * The very same object for pages that are alike: in which the same tags, scripts and styles matter, to the byte and in the same
   * order, so that their facts differ in offsets alone. Undefined if that is not known.
   */
  readonly kind: PageKind | undefined;
  /** Where what makes up the kind stands on this page, in order: start tags, and whole elements of scripts and styles. */
  readonly places: readonly Span[];
  /** As {@link PageFacts.headStart}. */
  readonly headStart: number;
  /** As {@link PageFacts.headEnd}. */
  readonly headEnd: number;
  /** All that {@link readPage} tells. To be asked while the page's bytes are what they were. */
  readonly facts: () => PageFacts;
}

/** What pages are alike in. It holds nothing: it is only told from others. */
export interface PageKind {
  /** How many places there are. */
  readonly places: number;
}

/** Kinds remembered: of a site's pages most are of a few, and each that has a picture of its own is one of its own. */
const remembered = createRecent<PageKind>(256);
const maxKeyBytes = 2 ** 15;

/** What makes up a kind, one place after another: four bytes that say how it stands there, then its own. */
const key = new Uint8Array(maxKeyBytes);
const headerBytes = 4;

/** The kind of a page; undefined for one in which so much matters that others are hardly like it. */
export function kindOf(bytes: Uint8Array, page: ScannedPage): PageKind | undefined {
  let length = 0;
  for (const mark of page.marks) {
    const size = mark.to - mark.from;
    if (length + headerBytes + size > maxKeyBytes) return undefined;
    key[length] = standing(mark, page);
    key[length + 1] = size & 0xff;
    key[length + 2] = (size >> 8) & 0xff;
    key[length + 3] = size >> 16;
    key.set(bytes.subarray(mark.from, mark.to), length + headerBytes);
    length += headerBytes + size;
  }
  return remembered.get(latin1(key, 0, length), () => ({ places: page.marks.length }));
}

/** All that a tag's own bytes don't tell: in which namespace it stands, whether it is inert, and on which side of the head's ends. */
function standing({ from, namespace, isInert }: Mark, { headStart, headEnd }: ScannedPage): number {
  const space = namespace === "html" ? 0 : namespace === "svg" ? 1 : 2;
  return space | (isInert ? 4 : 0) | (from < headStart ? 8 : 0) | (from < headEnd ? 16 : 0);
}
