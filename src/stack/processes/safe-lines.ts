import { createLineSplitter } from "../../ledger/index.ts";
import { printable } from "../../shared/index.ts";

/** Cuts a process's output into lines that are safe to show: bounded, and without what would drive a terminal. */
export function splitLines(onLine: (line: string) => void): (bytes: Uint8Array) => void {
  const decoder = new TextDecoder();
  const splitter = createLineSplitter((line) =>
    onLine(
      line === undefined
        ? "(a line that was too long)"
        : printable(decoder.decode(line).replaceAll("\t", "  "), Number.POSITIVE_INFINITY),
    ),
  );
  return (bytes) => splitter.push(bytes);
}
