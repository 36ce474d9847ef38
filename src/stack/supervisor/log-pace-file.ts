import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PaceMemory, RememberedPace } from "../../ledger/node.ts";
import { writeWhole } from "../../release/node.ts";
import type { StackFolders } from "../folders.ts";

type Folders = Pick<StackFolders, "supervisor">;

const paceFile = ({ supervisor }: Folders): string => join(supervisor, "ledger.pace.json");

/**
 * Remembers in the supervisor's folder how fast a log is written. What can't be read is not gone by: it is an alarm that would come later.
 *
 * @param log the name of the log, once it is known
 */
export const paceIn = (folders: Folders, log: () => string): PaceMemory => ({
  read() {
    try {
      const value = JSON.parse(readFileSync(paceFile(folders), "utf8")) as Partial<RememberedPace> & {
        log?: unknown;
      };
      return value.log === log() && isPace(value) ? value : undefined;
    } catch {
      return undefined;
    }
  },
  write(pace) {
    const bytes = Buffer.from(`${JSON.stringify({ log: log(), ...pace })}\n`);
    writeWhole(paceFile(folders), bytes, 0o600);
  },
});

function isPace(value: Partial<RememberedPace>): value is RememberedPace {
  const { last, looks } = value;
  return (
    typeof last?.through === "number" &&
    typeof last.head === "string" &&
    Array.isArray(looks) &&
    looks.every(({ bytes, ms }) => Number.isFinite(bytes) && Number.isFinite(ms))
  );
}
