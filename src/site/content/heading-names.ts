/** A heading of some content. */
export interface Heading {
  /** 1 to 6. */
  readonly level: number;
  readonly text: string;
  /** Begins with `h-`. */
  readonly id: string;
}

/**
 * Creates what gives the headings of one text their ids, in their order. The prefix has a hyphen, so that no id can stand for a
 * variable of a script (DOM clobbering).
 */
export function createHeadingNames(): (level: number, words: string) => Heading {
  const used = new Map<string, number>();
  return (level, words) => {
    const text = words.trim();
    const slug = (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? ["section"]).join("-").slice(0, 80);
    const count = (used.get(slug) ?? 0) + 1;
    used.set(slug, count);
    // Two hyphens, so that the second "Rye" can't take the id of a heading "Rye 2".
    return { level, text, id: count === 1 ? `h-${slug}` : `h-${slug}--${count}` };
  };
}
