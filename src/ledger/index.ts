export type { LedgerErrorCode } from "./errors.ts";
export { createLineSplitter, maxLineBytes } from "./lines.ts";
export type { LineSplitter } from "./lines.ts";
export { formatRecord, recordLine } from "./record.ts";
export type { LedgerRecord } from "./record.ts";
