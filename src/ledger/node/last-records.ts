import { parseRecord } from "../parse-record.ts";
import type { LedgerRecord } from "../record.ts";
import { readLink } from "./chain.ts";
import type { Link } from "./chain.ts";
import { linesFromEnd } from "./lines-from-end.ts";
import { isNext, marked } from "./mark-unchained.ts";

/**
 * Finds the last records of a log that are wanted, in the order in which they were written. Read from the end: of a long log no more than it takes.
 * What does not follow from the record before it has `unchained: true`.
 *
 * @param isWanted default: all
 */
export function lastRecords(
  path: string,
  count: number,
  isWanted: (record: LedgerRecord) => boolean = () => true,
): LedgerRecord[] {
  const found: LedgerRecord[] = [];
  for (const record of recordsFromEnd(path)) {
    if (found.length >= count) break;
    if (isWanted(record)) found.push(record);
  }
  return found.toReversed();
}

/** A record waits for the one before it, which shows whether it follows; what lies between the two waits with it. */
function* recordsFromEnd(path: string): Generator<LedgerRecord> {
  let waiting: { line: Buffer; link: Link } | undefined;
  let between: LedgerRecord[] = [];
  function* settled(before: Link | undefined): Generator<LedgerRecord> {
    const record = waiting === undefined ? undefined : parseRecord(waiting.line.toString("utf8"));
    if (waiting !== undefined && record !== undefined)
      yield marked(record, isNext(before, waiting.line, waiting.link));
    yield* between;
    between = [];
  }
  for (const line of linesFromEnd(path)) {
    const link = readLink(line);
    if (link !== undefined) {
      yield* settled(link);
      waiting = { line, link };
      continue;
    }
    const record = parseRecord(line.toString("utf8"));
    if (record === undefined) continue;
    if (waiting === undefined) yield marked(record, false);
    else between.push(marked(record, false));
    // A log of an older version has none that is chained before them.
    if (between.length > 1000) {
      yield* settled(undefined);
      waiting = undefined;
    }
  }
  yield* settled(undefined);
}
