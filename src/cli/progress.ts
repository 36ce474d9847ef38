/** A line that tells how far long work is. */
export interface ProgressLine {
  update(text: string): void;
  /** Leaves nothing behind on a terminal. */
  done(): void;
}

/** Options of {@link createProgress}. */
export interface ProgressOptions {
  readonly write: (text: string) => void;
  /** Milliseconds since some moment. */
  readonly now: () => number;
  /** Width of the terminal; undefined for a file, a pipe or a CI, whose logs keep every line. */
  readonly columns: number | undefined;
  readonly style?: (text: string) => string;
}

const betweenLooksMs = 50;
/** In a log that many minutes of work are to be read in. */
const betweenLinesMs = 10_000;

/** Creates a progress line: on a terminal one that changes in place, elsewhere a line of its own every ten seconds. */
export function createProgress({
  write,
  now,
  columns,
  style = (text) => text,
}: ProgressOptions): ProgressLine {
  const began = now();
  let last = columns === undefined ? began : -Infinity;
  let isShown = false;
  return {
    update(text) {
      const time = now();
      if (time - last < (columns === undefined ? betweenLinesMs : betweenLooksMs)) return;
      last = time;
      isShown = true;
      write(
        columns === undefined
          ? `${text}, after ${Math.round((time - began) / 1000)} s\n`
          : `\r\u001b[K${style(text.slice(0, Math.max(columns - 1, 1)))}`,
      );
    },
    done() {
      if (columns !== undefined && isShown) write("\r\u001b[K");
      isShown = false;
    },
  };
}
