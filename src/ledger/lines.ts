/** Cuts a stream of bytes into lines; made by {@link createLineSplitter}. */
export interface LineSplitter {
  push(bytes: Uint8Array): void;
}

/** Longest line that is kept; a longer one is reported once and skipped to its end. */
export const maxLineBytes = 4096;

const newline = 10;

/**
 * Cuts a stream into lines without letting the sender choose how much memory that takes.
 *
 * @param onLine gets each line without its end, or undefined for one that was too long; empty ones are left out. Its bytes are overwritten once it returns
 */
export function createLineSplitter(onLine: (line: Uint8Array | undefined) => void): LineSplitter {
  const rest = new Uint8Array(maxLineBytes);
  let kept = 0;
  let skipping = false;

  const keep = (bytes: Uint8Array): void => {
    if (skipping) return;
    if (kept + bytes.length > maxLineBytes) {
      skipping = true;
      onLine(undefined);
      return;
    }
    rest.set(bytes, kept);
    kept += bytes.length;
  };

  return {
    push(bytes) {
      let from = 0;
      for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, from)) {
        // Mostly the whole line lies here, and nothing is copied.
        if (kept === 0 && !skipping && end - from <= maxLineBytes) {
          if (end > from) onLine(bytes.subarray(from, end));
        } else {
          keep(bytes.subarray(from, end));
          if (!skipping && kept > 0) onLine(rest.subarray(0, kept));
        }
        kept = 0;
        skipping = false;
        from = end + 1;
      }
      keep(bytes.subarray(from));
    },
  };
}
