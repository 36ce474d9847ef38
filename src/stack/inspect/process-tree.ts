import { readFileSync, readdirSync } from "node:fs";

/** A process, and how it was started. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** Its program and arguments. Empty if it may not be seen. */
  readonly command: readonly string[];
}

/** A process and all that it started, as `/proc` has them now. Empty where there is no `/proc`. */
export function processTree(root: number): ProcessEntry[] {
  const all = readAll();
  const found: ProcessEntry[] = all.filter(({ pid }) => pid === root);
  for (const entry of found) found.push(...all.filter(({ parent }) => parent === entry.pid));
  return found;
}

function readAll(): ProcessEntry[] {
  return numbersIn("/proc").flatMap((pid) => {
    try {
      // The program's name stands in brackets, and may hold any of them.
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      return [{ pid, parent, command: textsOf(`/proc/${pid}/cmdline`) }];
    } catch {
      // It has ended.
      return [];
    }
  });
}

function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

const textsOf = (file: string): string[] =>
  readFileSync(file, "utf8")
    .split("\0")
    .filter((text) => text !== "");
