import { appendFileSync, mkdirSync, readFileSync, rmSync, rmdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { AuditMade } from "../plan/plan.ts";

/** Where it stands what requests that write may have made, for who comes after a process that was killed. */
export interface Journal {
  /** What an earlier one left that nobody took away. */
  readonly former: AuditMade | undefined;
  /** Notes, before anything is made, that from now on something may be. */
  begin(at: Date): void;
  /** Notes, before it is called, that a route may make something. */
  note(route: string): void;
  /** Nothing is left. */
  clear(): void;
}

/** Why a file can't be there for this user, which is no reason to do without an audit. */
const closed = new Set(["EACCES", "EPERM", "EROFS"]);

/** Opens a file that is there only while something may be left: a line each. Undefined, or closed to this user: nothing is noted. */
export function openJournal(file: string | undefined): Journal {
  const noted = new Set<string>();
  const write = (entry: Entry, before = ""): void => {
    if (file === undefined) return;
    try {
      mkdirSync(dirname(file), { recursive: true });
      appendFileSync(file, `${before}${JSON.stringify(entry)}\n`, { mode: 0o600 });
    } catch (error) {
      if (!closed.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  };
  return {
    former: file === undefined ? undefined : readMade(file),
    // A line of its own, also after one that was cut off.
    begin: (at) => write({ since: at.toISOString() }, "\n"),
    note(route) {
      if (noted.has(route)) return;
      noted.add(route);
      write({ route });
    },
    clear() {
      noted.clear();
      if (file === undefined) return;
      rmSync(file, { force: true });
      removeEmpty(dirname(file));
    },
  };
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Another target's file is there, or there is none.
  }
}

type Entry = { readonly since: string } | { readonly route: string };

function readMade(file: string): AuditMade | undefined {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  const entries = readFileSync(file, "utf8").split("\n").flatMap(readLine);
  const times = entries.flatMap((entry) => ("since" in entry ? [entry.since] : []));
  // Where its first line was lost with the disk's power, the file itself is as old.
  const since = times[0] ?? new Date(stats.birthtimeMs || stats.mtimeMs).toISOString();
  return {
    since,
    routes: [...new Set(entries.flatMap((entry) => ("route" in entry ? [entry.route] : [])))],
  };
}

/** Any line may have been cut off. */
function readLine(line: string): Entry[] {
  try {
    const entry = JSON.parse(line) as Partial<Record<"since" | "route", unknown>> | null;
    if (typeof entry?.since === "string" && !Number.isNaN(Date.parse(entry.since)))
      return [{ since: entry.since }];
    return typeof entry?.route === "string" ? [{ route: entry.route }] : [];
  } catch {
    return [];
  }
}
