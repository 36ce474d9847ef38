import { parseRecord } from "../parse-record.ts";
import type { LedgerRecord } from "../record.ts";
import { logPieces } from "./log-lines.ts";
import { createFollower, marked } from "./mark-unchained.ts";

/**
 * Reads all records of a log, the oldest first; a line that is none, or has no end yet, is passed over. None if there is no log yet.
 * What does not follow from the record before it has `unchained: true`.
 *
 * @throws {CurtainwallError} `LEDGER_FILE_UNUSABLE` when the log is there and can't be read
 */
export async function* readLog(path: string): AsyncGenerator<LedgerRecord> {
  const follows = createFollower();
  for await (const { bytes, kind } of logPieces(path)) {
    // What is longer than any record is none, whatever its parts look like.
    if (kind !== "line") continue;
    const isChained = follows(bytes);
    const record = parseRecord(bytes.toString("utf8"));
    if (record !== undefined) yield marked(record, isChained);
  }
}
