import type { BodySink, BodyStream } from "../types.ts";

/** What {@link boundDownload} works with. */
export interface DownloadRules {
  readonly maxBytes: number;
  readonly canaries: readonly string[];
  /** The file may not leave, so the answer was cut. */
  readonly onRefused: (reason: string) => void;
}

/**
 * Passes on a file, part by part, as long as it is not too large and has no canary in it. What left before can't be taken back; the answer is
 * cut, so that nobody takes it for whole.
 */
export function boundDownload(
  source: BodyStream,
  { maxBytes, canaries, onRefused }: DownloadRules,
): BodyStream {
  const hasMark = createMarkFinder(canaries);
  let bytes = 0;
  let isOver = false;

  const bound = (sink: BodySink): BodySink => ({
    write(part) {
      if (isOver) return false;
      bytes += part.length;
      const reason =
        bytes > maxBytes ? "the file is too large" : hasMark(part) ? "the file has a canary in it" : "";
      if (reason === "") return sink.write(part);
      isOver = true;
      onRefused(reason);
      source.cancel();
      sink.fail();
      return false;
    },
    end: () => isOver || sink.end(),
    fail: () => isOver || sink.fail(),
  });

  return {
    start: (sink) => source.start(bound(sink)),
    resume: () => source.resume(),
    cancel: () => source.cancel(),
  };
}

/** Finds marks in what comes in parts, also across the seams. */
function createMarkFinder(canaries: readonly string[]): (part: Uint8Array) => boolean {
  if (canaries.length === 0) return () => false;
  const longest = Math.max(...canaries.map((canary) => canary.length));
  const decoder = new TextDecoder("latin1");
  let tail = "";
  return (part) => {
    const text = tail + decoder.decode(part);
    tail = text.slice(-(longest - 1));
    return canaries.some((canary) => text.includes(canary));
  };
}
