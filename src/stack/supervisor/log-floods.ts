import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LogFlood } from "../../ledger/node.ts";
import { writeWhole } from "../../release/node.ts";
import { spellDuration } from "../../shared/index.ts";
import type { StackFolders } from "../folders.ts";
import { say } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";

/** A flood that pushed records out of a log, as the supervisor saw it. */
export interface RememberedFlood extends LogFlood {
  /** The log's name. */
  readonly log: string;
  /** ISO 8601, UTC. */
  readonly time: string;
}

type Folders = Pick<StackFolders, "supervisor">;

/** The last one. It lies where who writes the log can't reach it: a flood may be his. */
export const lastFloodFile = ({ supervisor }: Folders): string => join(supervisor, "ledger.flood.json");

/** One that lasts is told once an hour. */
const everyMs = 3_600_000;

/** Says that records were pushed out: to who watches the stack, in the log, and in a file for `log verify`. */
export function createFloodAlarm(
  surroundings: Pick<Surroundings, "folders" | "log" | "events">,
  now: () => number = Date.now,
): (flood: Omit<RememberedFlood, "time">) => void {
  let toldMs = -Infinity;
  return ({ log, through, bytes, withinMs }) => {
    const time = now();
    if (time - toldMs < everyMs) return;
    toldMs = time;
    const remembered = { log, time: new Date(time).toISOString(), through, bytes, withinMs };
    writeWhole(lastFloodFile(surroundings.folders), Buffer.from(`${JSON.stringify(remembered)}\n`), 0o600);
    surroundings.events({
      type: "ledger.flooded",
      time,
      log,
      through,
      bytes,
      seconds: Math.ceil(withinMs / 1000),
    });
    say(
      surroundings,
      "warning",
      `the log is flooded: ${bytes} bytes were written within ${spellDuration(withinMs)}, and records up to ${through} went for it. Look at what comes:  npx curtainwall log tail --follow  If so much is usual, keep more: ledger.keepFiles`,
    );
  };
}

/** Reads the last flood that was seen. Undefined: none was, or the file can't be read. */
export function readLastFlood(folders: Folders): RememberedFlood | undefined {
  try {
    const value = JSON.parse(readFileSync(lastFloodFile(folders), "utf8")) as Partial<RememberedFlood>;
    const { log, time, through, bytes, withinMs } = value;
    const isWhole =
      typeof log === "string" &&
      typeof time === "string" &&
      [through, bytes, withinMs].every((number) => typeof number === "number");
    return isWhole ? (value as RememberedFlood) : undefined;
  } catch {
    return undefined;
  }
}
