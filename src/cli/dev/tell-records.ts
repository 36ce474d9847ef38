import type { StackFolders } from "../../stack/index.ts";
import { say, styled } from "../voice.ts";
import { describeRecord } from "./describe-record.ts";
import type { DescribedBy } from "./describe-record.ts";
import { followLog } from "./follow-log.ts";

/** The same is not told again for so long. */
const quietMs = 10_000;

/** Tells what functions may not send, and what fails, as the security log has it. Returns what ends that. */
export function tellRecords({ logFile }: Pick<StackFolders, "logFile">, contract: DescribedBy): () => void {
  const told = new Map<string, number>();
  return followLog(logFile, (record) => {
    const described = describeRecord(record, contract);
    if (described === undefined) return;
    const { word, what, helps, isOnce = false } = described;
    const now = performance.now();
    const before = told.get(what);
    if (before !== undefined && (isOnce || now - before < quietMs)) return;
    // Whoever causes ever new ones is not remembered for long.
    if (told.size > 1000) told.clear();
    told.set(what, now);
    say(`${styled("yellow", word)} ${what}`);
    if (helps !== undefined) say(`${styled("dim", "→")} ${helps}`);
  });
}
