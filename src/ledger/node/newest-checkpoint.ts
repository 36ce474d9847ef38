import { setImmediate } from "node:timers/promises";
import { readCheckpoint } from "../checkpoint.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { readLink } from "./chain.ts";
import { readChainEvent } from "./chain-event.ts";
import { isSigned } from "./checkpoint-signature.ts";
import { linesFromEnd } from "./lines-from-end.ts";

/** After so many lines others get a turn. */
const linesAtOnce = 500;

/**
 * Finds the checkpoint of a log, among its own records, with which a key signed it furthest. Whether the log is as it says is not looked at: who writes the
 * log can leave it out, or copy it there, and can make none.
 *
 * @param beyond of interest is only what is further than this record. Default: all
 */
export async function newestCheckpoint(
  path: string,
  { log, key, beyond = 0 }: Pick<Checkpoint, "log" | "key"> & { beyond?: number },
): Promise<Checkpoint | undefined> {
  let newest: Checkpoint | undefined;
  let lines = 0;
  for (const line of linesFromEnd(path)) {
    if (++lines % linesAtOnce === 0) await setImmediate();
    const through = newest?.through ?? beyond;
    const seq = readLink(line)?.seq ?? Infinity;
    // What covers more comes after it.
    if (seq <= through) break;
    const event = readChainEvent(line);
    if (event?.event !== "ledger.checkpoint") continue;
    const found = readCheckpoint(event);
    if (found?.log !== log || found.key !== key || found.through <= through || found.through >= seq) continue;
    if (isSigned(found)) newest = found;
  }
  return newest;
}
