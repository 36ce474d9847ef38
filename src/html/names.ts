/** A name as HTML's tokenizer makes it: only ASCII letters are lowered. */
export function tokenizedName(written: string): string {
  return written.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()).replaceAll("\0", "\uFFFD");
}
