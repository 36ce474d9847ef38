import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, unlinkSync } from "node:fs";
import { basename, dirname } from "node:path";

/**
 * Moves a log out of the way: `events.jsonl` becomes `events.jsonl.1`, which was before becomes `.2`, and of more than `keepFiles` the oldest
 * are given up. Renames only, each whole or not at all, from the oldest on: a crash in between leaves a gap in the numbers, which the next
 * rotation closes, and no file is written over that was to be kept.
 */
export function rotateLog(path: string, keepFiles: number): void {
  // All but the last, which is renamed over.
  for (const file of givenUp(path, keepFiles).slice(1).toReversed()) unlinkSync(file);
  const free = freeNumber(path, keepFiles);
  for (let number = free; number > 1; number--) renameSync(`${path}.${number - 1}`, `${path}.${number}`);
  renameSync(path, `${path}.1`);
  // New names are only safe once the folder is written too.
  const folder = openSync(dirname(path), "r");
  fsyncSync(folder);
  closeSync(folder);
}

/** The files that a rotation gives up, the newest first. */
export function givenUp(path: string, keepFiles: number): string[] {
  if (freeNumber(path, keepFiles) < keepFiles || !existsSync(`${path}.${keepFiles}`)) return [];
  return logFiles(path)
    .slice(1)
    .filter((file) => Number(file.slice(path.length + 1)) >= keepFiles);
}

function freeNumber(path: string, keepFiles: number): number {
  let free = 1;
  while (free < keepFiles && existsSync(`${path}.${free}`)) free++;
  return free;
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
