import { closeSync, lstatSync, openSync, readSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import type { Checkpoint } from "../../ledger/index.ts";
import { CurtainwallError, printable } from "../../shared/index.ts";
import {
  hasContract,
  loadContract,
  readLastCheckpoint,
  readLastFlood,
  readWitnessedCheckpoint,
  stackFolders,
} from "../../stack/index.ts";
import { meantFolder } from "../../shared/node.ts";
import type { RememberedFlood } from "../../stack/index.ts";
import type { CliErrorCode } from "../errors.ts";

/** A log, and what the supervisor remembers of it, if that is here. */
export interface FoundLog {
  readonly file: string;
  readonly last: Checkpoint | undefined;
  /** What the contract's witness remembers. */
  readonly witnessed: Checkpoint | undefined;
  /** Whether it names one. */
  readonly hasWitness: boolean;
  /** The last flood that the supervisor saw push records out. */
  readonly flood: RememberedFlood | undefined;
  /** Bytes that are kept of it beside what is written to, by the contract; undefined if it is not known. */
  readonly keptBytes: number | undefined;
  /** What the contract calls its routes; none if it is not known. */
  readonly routes: readonly string[];
}

/**
 * The log of a site, or the one that is named itself. A file is run for its name alone, that of a contract: what somebody sent to be
 * verified must not be able to run.
 */
export async function findLog(place = "."): Promise<FoundLog> {
  const stats = statSync(place, { throwIfNoEntry: false });
  if (stats === undefined) throw nothingThere(place);
  if (!stats.isDirectory() && !hasContract(place)) return logFile(place, stats.isFile());
  const loaded = await loadContract(place);
  const folders = stackFolders(loaded.root);
  return {
    file: folders.logFile,
    last: readLastCheckpoint(folders),
    witnessed: readWitnessedCheckpoint(loaded),
    hasWitness: loaded.contract.ledger.witnessFile !== undefined,
    flood: readLastFlood(folders),
    keptBytes: loaded.contract.ledger.maxFileBytes * loaded.contract.ledger.keepFiles,
    routes: loaded.contract.routes.map(({ key }) => key),
  };
}

/** A contract is missing only where there is a folder for it. */
function nothingThere(place: string): CurtainwallError<CliErrorCode> {
  const meant = meantFolder(place);
  return new CurtainwallError<CliErrorCode>(
    "CLI_USAGE_INVALID",
    `There is no file or folder ${printable(place, 200)}.`,
    {
      hint:
        meant === undefined
          ? "A log is named by its file, like copy/events.jsonl; a site by its folder"
          : `Did you mean  ${meant}?`,
    },
  );
}

/** Says why there is no log: the site never started, or the log is gone, which what was signed tells. Undefined: there is one. */
export function missingLog({ file, last, witnessed }: FoundLog): CurtainwallError | undefined {
  if (isThere(file) || isThere(`${file}.1`)) return undefined;
  const signed = Math.max(last?.through ?? 0, witnessed?.through ?? 0);
  const [message, hint] =
    signed > 0
      ? [`The log is gone: it was signed up to record ${signed}.`, `It was ${file}`]
      : ["There is no log yet.", "It begins when the stack starts:  npx curtainwall start"];
  return new CurtainwallError<CliErrorCode>("CLI_PART_MISSING", message, { hint });
}

/** Where that can't be seen, who reads it says why. */
function isThere(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}

function logFile(place: string, isFile: boolean): FoundLog {
  if (isFile && (/\.jsonl(?:\.\d+)?$/.test(basename(place)) || beginsWithRecord(place)))
    return {
      file: resolve(place),
      last: undefined,
      witnessed: undefined,
      hasWitness: false,
      flood: undefined,
      keptBytes: undefined,
      routes: [],
    };
  const code: CliErrorCode = "CLI_USAGE_INVALID";
  throw new CurtainwallError(code, `${printable(place, 200)} is no log, and no folder of a site.`, {
    hint: "A log is a file of records, one JSON object a line, like events.jsonl. Nothing in this file was run",
  });
}

/** No record is longer. */
const maxLineBytes = 16_384;

function beginsWithRecord(file: string): boolean {
  const start = Buffer.alloc(maxLineBytes);
  const descriptor = openSync(file, "r");
  try {
    const length = readSync(descriptor, start, 0, maxLineBytes, 0);
    const [line = ""] = start.toString("utf8", 0, length).split("\n", 1);
    const record: unknown = JSON.parse(line);
    return record !== null && typeof record === "object" && "event" in record && "time" in record;
  } catch {
    return false;
  } finally {
    closeSync(descriptor);
  }
}
