import { randomBytes } from "node:crypto";
import { closeSync } from "node:fs";
import { formatRecord } from "../record.ts";
import { chainStart, createChain } from "./chain.ts";
import type { Chain, ChainHead } from "./chain.ts";
import { firstLinkedLine, lastLink, unchainedAfter } from "./chain-end.ts";
import { endsInsideLine, openForReading } from "./log-descriptor.ts";
import { logFiles } from "./rotate.ts";

/** The chain of a log that was opened. */
export interface ContinuedChain {
  readonly chain: Chain;
  /** 16 random bytes that name the log, base64url. */
  readonly log: string;
  /** What is written before any record: what closes an unfinished line off, and the record that accounts for it. Empty if the file ends well. */
  readonly opening: string;
}

/**
 * Finds where the chain of a log stands: in the file that is written to, else in the one before it. A log that has none, since it is new or an
 * older version wrote it, gets one, whose first record names the log and what lies before it in its file.
 */
export function continueChain(path: string, fd: number, nowMs: number): ContinuedChain {
  const here = lastLink(fd);
  if (here !== undefined) {
    const log = nameIn(fd) ?? newName();
    const chain = createChain(here);
    const rest = unchainedAfter(fd, here.end);
    if (rest.bytes > 0) return { chain, log, opening: resumed(fd, chain, log, nowMs) };
    return { chain, log, opening: endsInsideLine(fd) ? "\n" : "" };
  }
  const before = chainBefore(path);
  if (before !== undefined) {
    const chain = createChain(before.head);
    return { chain, log: before.log, opening: resumed(fd, chain, before.log, nowMs) };
  }
  const chain = createChain(chainStart);
  const log = newName();
  const earlier = logFiles(path).length - 1;
  const opened = { type: "ledger.opened", time: nowMs, log, ...unchainedAfter(fd, 0), earlier } as const;
  const opening = closer(fd) + chain.link(formatRecord(opened, "ledger"));
  return { chain, log, opening };
}

/** What goes on with a chain in a file: the first record of a new one, or the first after what a crash left. */
export function resumed(fd: number, chain: Chain, log: string, nowMs: number): string {
  const rest = unchainedAfter(fd, lastLink(fd)?.end ?? 0);
  return (
    closer(fd) + chain.link(formatRecord({ type: "ledger.resumed", time: nowMs, log, ...rest }, "ledger"))
  );
}

const closer = (fd: number): string => (endsInsideLine(fd) ? "\n" : "");
const newName = (): string => randomBytes(16).toString("base64url");

/** Where the chain stood when the newest file with one was moved out of the way. */
function chainBefore(path: string): { head: ChainHead; log: string } | undefined {
  for (const file of logFiles(path).slice(1)) {
    const fd = openForReading(file);
    if (fd === undefined) continue;
    try {
      const head = lastLink(fd);
      if (head !== undefined) return { head, log: nameIn(fd) ?? newName() };
    } finally {
      closeSync(fd);
    }
  }
  return undefined;
}

/** The log's name, from the first record of its chain in a file: that one always says it. */
function nameIn(fd: number): string | undefined {
  try {
    const { log } = JSON.parse(firstLinkedLine(fd)?.line ?? "{}") as { log?: unknown };
    return typeof log === "string" && /^[\w-]{22}$/.test(log) ? log : undefined;
  } catch {
    return undefined;
  }
}
