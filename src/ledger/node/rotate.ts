import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
} from "node:fs";
import { basename, dirname } from "node:path";

/** How much of a log is kept. */
export interface LogBound {
  /** Size at which a file is moved out of the way, in bytes. */
  readonly maxFileBytes: number;
  /** Files of that size that are kept beside the one that is written to. */
  readonly keepFiles: number;
}

/**
 * Moves a log out of the way: `events.jsonl` becomes `events.jsonl.1`, which was before becomes `.2`, and those beyond the bound are given up.
 * Renames only, each whole or not at all, from the oldest on: a crash in between leaves a gap in the numbers, which the next rotation closes, and
 * no file is written over that was to be kept.
 */
export function rotateLog(path: string, bound: LogBound): void {
  for (const file of givenUp(path, bound).toReversed()) unlinkSync(file);
  let free = 1;
  while (existsSync(`${path}.${free}`)) free++;
  for (let number = free; number > 1; number--) renameSync(`${path}.${number - 1}`, `${path}.${number}`);
  renameSync(path, `${path}.1`);
  // New names are only safe once the folder is written too.
  const folder = openSync(dirname(path), "r");
  fsyncSync(folder);
  closeSync(folder);
}

/**
 * The files that a rotation gives up, the newest first: those beyond the number that is kept, but no more than leaves what as many full files
 * hold. So what follows records that were given up is always as much as the bound says, also where the files are smaller, since it was raised.
 */
export function givenUp(path: string, { maxFileBytes, keepFiles }: LogBound): string[] {
  let newer = 0;
  return logFiles(path).filter((file, index) => {
    const isBeyond = index >= keepFiles && newer >= maxFileBytes * keepFiles;
    newer += lstatSync(file, { throwIfNoEntry: false })?.size ?? 0;
    return isBeyond;
  });
}

/** The files of a log, the newest first: the one that is written to, then those that were moved out of its way. */
export function logFiles(path: string): string[] {
  const prefix = `${basename(path)}.`;
  const numbers = readNames(dirname(path))
    .filter((name) => name.startsWith(prefix) && /^[1-9]\d{0,3}$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)));
  return [path, ...numbers.sort((left, right) => left - right).map((number) => `${path}.${number}`)];
}

function readNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
