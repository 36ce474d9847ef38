import type { LedgerRecord } from "./record.ts";

/** Reads a line of a log. Undefined if it is no record. */
export function parseRecord(line: string): LedgerRecord | undefined {
  try {
    const value = JSON.parse(line) as Partial<LedgerRecord> | null;
    const texts = [value?.time, value?.source, value?.severity, value?.event];
    return texts.every((text) => typeof text === "string") ? (value as LedgerRecord) : undefined;
  } catch {
    return undefined;
  }
}
