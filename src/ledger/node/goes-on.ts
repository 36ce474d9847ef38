import { setImmediate } from "node:timers/promises";
import type { CheckpointClaim } from "../checkpoint.ts";
import { readLink } from "./chain.ts";
import type { Link } from "./chain.ts";
import { linesFromEnd } from "./lines-from-end.ts";
import { isNext } from "./mark-unchained.ts";

/** After so many lines others get a turn. */
const linesAtOnce = 500;

/**
 * Looks at the records between two places of a log, from the later one back: each must follow from the one before.
 *
 * @returns undefined if the later place goes on from the earlier one; else why it does not, or why that can't be seen
 */
export async function whyNotGoingOn(
  path: string,
  from: Pick<CheckpointClaim, "through" | "head">,
  to: Pick<CheckpointClaim, "through" | "head">,
): Promise<string | undefined> {
  let after: { line: Buffer; link: Link } | undefined;
  let lines = 0;
  for (const line of linesFromEnd(path)) {
    if (++lines % linesAtOnce === 0) await setImmediate();
    const link = readLink(line);
    if (link === undefined || (after === undefined && link.seq > to.through)) continue;
    if (after === undefined) {
      if (link.seq !== to.through || text64(link) !== to.head)
        return `record ${to.through} is not in the log as it is said to be`;
    } else if (!isNext(link, after.line, after.link))
      return `record ${after.link.seq} does not follow from what was signed before`;
    if (link.seq === from.through)
      return text64(link) === from.head
        ? undefined
        : `record ${link.seq} is not the one that was signed before`;
    if (link.seq < from.through) break;
    after = { line, link };
  }
  return `record ${from.through}, which was signed before, is not in the log any more, so it can't be seen that this one goes on from it`;
}

const text64 = ({ chain }: Link): string => Buffer.from(chain).toString("base64url");
