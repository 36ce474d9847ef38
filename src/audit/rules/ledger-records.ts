import type { AuditContext } from "../context.ts";
import type { LedgerProbe } from "../probes/ledger-probe.ts";

/** Why nobody can look into the log, if so. */
export const noLedger = "a stack's log can't be read from here: where there is one, run this as whoever may";

/** How long an event may take to the log, in milliseconds. The ledger is another process, and a busy machine lets it wait. */
export const maxLateMs = 10_000;
const pollMs = 100;

/** A record as it stands in the log. */
export type LedgerEntry = Readonly<Record<string, unknown>>;

const decoder = new TextDecoder();

/** The records that were written since the audit began; a line that is none is left out. */
async function writtenRecords(ledger: LedgerProbe): Promise<LedgerEntry[]> {
  const records: LedgerEntry[] = [];
  for await (const line of ledger.written()) {
    const record = readEntry(decoder.decode(line));
    if (record !== undefined) records.push(record);
  }
  return records;
}

/** Reads a line. Undefined if it is no JSON object. */
export function readEntry(line: string): LedgerEntry | undefined {
  try {
    const value = JSON.parse(line) as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as LedgerEntry)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Waits until something was found for each that is looked for, or until events that are this late count as lost. */
export async function whenLogged<Sought>(
  context: AuditContext,
  ledger: LedgerProbe,
  sought: readonly Sought[],
  isOf: (record: LedgerEntry, one: Sought) => boolean,
): Promise<ReadonlyMap<Sought, LedgerEntry>> {
  const deadline = context.now() + maxLateMs;
  for (;;) {
    const records = await writtenRecords(ledger);
    const found = new Map<Sought, LedgerEntry>();
    for (const one of sought) {
      const record = records.find((candidate) => isOf(candidate, one));
      if (record !== undefined) found.set(one, record);
    }
    if (found.size === sought.length || context.now() >= deadline) return found;
    await context.sleep(pollMs);
  }
}
