import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { LedgerRecord } from "../record.ts";

/** Finds the record of one request in a log, by the id that its error named. */
export async function findRecord(path: string, id: string): Promise<LedgerRecord | undefined> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  try {
    for await (const line of lines) {
      // A cheap look first: parsing every line of a long log would take seconds.
      if (!line.includes(id)) continue;
      const record = parse(line);
      if (record?.id === id) return record;
    }
    return undefined;
  } catch {
    return undefined;
  } finally {
    lines.close();
  }
}

function parse(line: string): LedgerRecord | undefined {
  try {
    return JSON.parse(line) as LedgerRecord;
  } catch {
    return undefined;
  }
}
