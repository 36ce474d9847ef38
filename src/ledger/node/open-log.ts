import { closeSync, fstatSync } from "node:fs";
import { openForReading } from "./log-descriptor.ts";
import { logFiles } from "./rotate.ts";

/** A file of a log that was opened to be read. */
export interface OpenedFile {
  readonly fd: number;
  readonly device: number;
  readonly inode: number;
}

/**
 * Opens all files of a log, the newest first. All at once: a log that is written to may be moved on meanwhile, and a file be met a second time under its
 * new name, which counts once.
 */
export function openLog(path: string): OpenedFile[] {
  const opened: OpenedFile[] = [];
  for (const file of logFiles(path)) {
    const fd = openForReading(file);
    if (fd === undefined) continue;
    const { dev, ino } = fstatSync(fd);
    if (opened.some(({ device, inode }) => device === dev && inode === ino)) closeSync(fd);
    else opened.push({ fd, device: dev, inode: ino });
  }
  return opened;
}

export function closeLog(files: readonly OpenedFile[]): void {
  for (const { fd } of files) closeSync(fd);
}
