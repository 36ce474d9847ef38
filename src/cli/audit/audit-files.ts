import { accessSync, constants, existsSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { toHtml, toJunit, toSarif } from "../../audit/index.ts";
import type { AuditReport } from "../../audit/index.ts";
import { usageError } from "../command.ts";
import type { Command, CommandInput } from "../command.ts";

/** A file that a report is to be written to. */
interface ReportFile {
  readonly file: string;
  write(report: AuditReport): Promise<void>;
}

const writers = { html: toHtml, sarif: toSarif, junit: toJunit } as const;

/** The files that were asked for. Whether they can be there is found out before an audit that takes a minute. */
export function reportFiles(values: CommandInput["values"], command: Command): ReportFile[] {
  return Object.entries(writers).flatMap(([name, write]) => {
    const file = values.get(name);
    if (file === undefined) return [];
    assertWritable(name, file, command);
    return [
      {
        file,
        // Readable by this user alone: answers of the audit's identities stand in it.
        write: async (report) => writeNamed(name, file, await write(report), { command, mode: 0o600 }),
      },
    ];
  });
}

/** @throws {CurtainwallError} `CLI_USAGE_INVALID` when the option's file is a folder, or in none, or this user may not write it */
export function assertWritable(option: string, file: string, command: Command): void {
  const [place, folder] = [resolve(file), dirname(resolve(file))];
  if (!isFolder(folder) || isFolder(place))
    throw usageError(
      `--${option} ${file} is no file that could be written: it is a folder, or in none`,
      command,
    );
  try {
    accessSync(existsSync(place) ? place : folder, constants.W_OK);
  } catch (error) {
    throw unwritable(option, file, { error, command });
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** What is wrong with the file's place, and what came of it. */
interface Refused {
  readonly error: unknown;
  readonly command: Command;
}

/** What is no fault of whoever named the file: it is told as what it is. */
const ofDisks = new Set(["ENOSPC", "EDQUOT", "EROFS", "EIO"]);

/** What to throw where a file system refuses what it let look possible: nobody makes files in /proc. */
export function unwritable(option: string, file: string, { error, command }: Refused): unknown {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined || ofDisks.has(code)
    ? error
    : usageError(`--${option} ${file} can't be written (${code})`, command);
}

/**
 * Writes a file that an option names.
 *
 * @throws {CurtainwallError} `CLI_USAGE_INVALID` when it can't be there
 */
export function writeNamed(
  option: string,
  file: string,
  content: string,
  { command, mode }: { command: Command; mode?: number },
): void {
  try {
    writeFileSync(file, content, { mode });
  } catch (error) {
    throw unwritable(option, file, { error, command });
  }
}

/** Writes the report in each form. */
export async function writeReports(report: AuditReport, files: readonly ReportFile[]): Promise<void> {
  for (const { write } of files) await write(report);
}
