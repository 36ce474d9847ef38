/** A name as HTML's tokenizer makes it: only ASCII letters are lowered. */
export function tokenizedName(written: string): string {
  for (let at = 0; at < written.length; at++) {
    const code = written.charCodeAt(at);
    if ((code >= 0x41 && code <= 0x5a) || code === 0) return lowered(written);
  }
  return written;
}

function lowered(written: string): string {
  return written.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()).replaceAll("\0", "\uFFFD");
}
