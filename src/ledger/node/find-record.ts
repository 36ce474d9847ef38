import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { CurtainwallError } from "../../shared/index.ts";
import { fileLines } from "./file-lines.ts";
import { logFiles } from "./rotate.ts";
import type { LedgerRecord } from "../record.ts";

/**
 * Finds the record of one request in a log, by the id that its error named: in the file that is written to, then in those that
 * were moved out of its way. Undefined if there is none, or no log yet.
 *
 * @throws {CurtainwallError} `LEDGER_FILE_UNUSABLE` when the log is there and can't be read
 */
export async function findRecord(path: string, id: string): Promise<LedgerRecord | undefined> {
  for (const file of logFiles(path)) {
    const record = await findIn(file, id);
    if (record !== undefined) return record;
  }
  return undefined;
}

async function findIn(path: string, id: string): Promise<LedgerRecord | undefined> {
  try {
    const file = await open(path);
    try {
      return await search(file, id);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new CurtainwallError("LEDGER_FILE_UNUSABLE", "The log can't be read.", {
      cause,
      hint: `Check that ${path} is a plain file that you may read`,
    });
  }
}

async function search(file: FileHandle, id: string): Promise<LedgerRecord | undefined> {
  for await (const { bytes, kind } of fileLines(file)) {
    // A cheap look first: parsing every line of a long log would take seconds.
    if (kind === "part" || !bytes.includes(id)) continue;
    const record = parse(bytes.toString("utf8"));
    if (record?.id === id) return record;
  }
  return undefined;
}

function parse(line: string): LedgerRecord | undefined {
  try {
    return JSON.parse(line) as LedgerRecord;
  } catch {
    return undefined;
  }
}
