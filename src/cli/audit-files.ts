import { statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { toHtml, toJunit, toSarif } from "../audit/index.ts";
import type { AuditReport } from "../audit/index.ts";
import { usageError } from "./command.ts";
import type { Command, CommandInput } from "./command.ts";

/** A file that a report is to be written to. */
interface ReportFile {
  readonly file: string;
  write(report: AuditReport): string | Promise<string>;
}

const writers = { html: toHtml, sarif: toSarif, junit: toJunit } as const;

/** The files that were asked for. Whether they can be there is found out before an audit that takes a minute. */
export function reportFiles(values: CommandInput["values"], command: Command): ReportFile[] {
  return Object.entries(writers).flatMap(([name, write]) => {
    const file = values.get(name);
    if (file === undefined) return [];
    assertWritable(name, file, command);
    return [{ file, write }];
  });
}

/** @throws {CurtainwallError} `CLI_USAGE_INVALID` when the option's file is a folder, or in none */
export function assertWritable(option: string, file: string, command: Command): void {
  if (!isFolder(dirname(resolve(file))) || isFolder(resolve(file)))
    throw usageError(
      `--${option} ${file} is no file that could be written: it is a folder, or in none`,
      command,
    );
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** Writes a report in each form, readable by this user alone: answers of the audit's identities stand in it. */
export async function writeReports(report: AuditReport, files: readonly ReportFile[]): Promise<void> {
  for (const { file, write } of files) writeFileSync(file, await write(report), { mode: 0o600 });
}
