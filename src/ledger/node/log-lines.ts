import { closeSync, constants, fstatSync } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { CurtainwallError } from "../../shared/index.ts";
import { fileLines } from "./file-lines.ts";
import type { FilePiece } from "./file-lines.ts";
import { openForReading } from "./log-descriptor.ts";
import { logFiles } from "./rotate.ts";

/** Where a log ended at some time: in which file, and after how many bytes of it. */
export interface LogPlace {
  readonly device: number;
  readonly inode: number;
  readonly bytes: number;
}

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** Notes where a log ends. Undefined: there is none yet. */
export function endOfLog(path: string): LogPlace | undefined {
  const fd = openForReading(path);
  if (fd === undefined) return undefined;
  const { dev, ino, size } = fstatSync(fd);
  closeSync(fd);
  return { device: dev, inode: ino, bytes: size };
}

/**
 * Reads the lines of a log as they stand there, the oldest first, without their line feeds. One that is still being written is left out; one that is
 * longer than any record comes in parts.
 *
 * @param from where to begin, also if its file was moved out of the way since. Default, and once that file is gone: the oldest line
 * @throws {CurtainwallError} `LEDGER_FILE_UNUSABLE` when the log is there and can't be read
 */
export async function* logLines(path: string, from?: LogPlace): AsyncGenerator<Buffer> {
  for await (const { bytes, kind } of logPieces(path, from)) if (kind !== "rest") yield bytes;
}

/** The same, with what is no whole line told as that. */
export async function* logPieces(path: string, from?: LogPlace): AsyncGenerator<FilePiece> {
  const files: FileHandle[] = [];
  try {
    // All are opened before one is read: a log that is written to may be moved on meanwhile.
    for (const file of logFiles(path)) {
      const handle = await openFile(file);
      if (handle !== undefined) files.push(handle);
    }
    const begin = from === undefined ? -1 : await indexOf(files, from);
    const wanted = begin < 0 ? files : files.slice(0, begin + 1);
    for (const [index, file] of wanted.toReversed().entries())
      yield* fileLines(file, begin >= 0 && index === 0 ? (from?.bytes ?? 0) : 0);
  } finally {
    for (const file of files) await file.close();
  }
}

async function openFile(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new CurtainwallError("LEDGER_FILE_UNUSABLE", "The log can't be read.", {
      cause,
      hint: `Check that ${file} is a plain file that you may read`,
    });
  }
}

async function indexOf(files: readonly FileHandle[], { device, inode }: LogPlace): Promise<number> {
  const all = await Promise.all(files.map((file) => file.stat()));
  return all.findIndex(({ dev, ino }) => dev === device && ino === inode);
}
