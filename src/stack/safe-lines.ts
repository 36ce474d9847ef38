import { createLineSplitter } from "../ledger/index.ts";

/** Cuts a process's output into lines that are safe to show: bounded, and without what would drive a terminal. */
export function splitLines(onLine: (line: string) => void): (bytes: Uint8Array) => void {
  const decoder = new TextDecoder();
  const splitter = createLineSplitter((line) =>
    onLine(
      line === undefined ? "(a line that was too long)" : decoder.decode(line).replaceAll(controls, "�"),
    ),
  );
  return (bytes) => splitter.push(bytes);
}

// oxlint-disable-next-line no-control-regex -- control characters are what must not be there
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
