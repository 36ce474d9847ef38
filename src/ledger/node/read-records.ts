import { open } from "node:fs/promises";
import { CurtainwallError } from "../../shared/index.ts";
import type { LedgerRecord } from "../record.ts";
import { fileLines } from "./file-lines.ts";
import { logFiles } from "./rotate.ts";

/**
 * Reads the records of some events out of a log, the newest file first. None if there is no log yet; a line that is none is passed over.
 *
 * @throws {CurtainwallError} `LEDGER_FILE_UNUSABLE` when the log is there and can't be read
 */
export async function* readRecords(path: string, events: readonly string[]): AsyncGenerator<LedgerRecord> {
  for (const file of logFiles(path)) {
    try {
      await using handle = await open(file);
      for await (const { bytes, kind } of fileLines(handle)) {
        // A cheap look first: parsing every line of a long log would take seconds.
        if (kind === "part" || !events.some((event) => bytes.includes(event))) continue;
        const record = parse(bytes.toString("utf8"));
        if (record !== undefined && events.includes(record.event)) yield record;
      }
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") continue;
      throw new CurtainwallError("LEDGER_FILE_UNUSABLE", "The log can't be read.", {
        cause,
        hint: `Check that ${path} is a plain file that you may read`,
      });
    }
  }
}

function parse(line: string): LedgerRecord | undefined {
  try {
    return JSON.parse(line) as LedgerRecord;
  } catch {
    return undefined;
  }
}
