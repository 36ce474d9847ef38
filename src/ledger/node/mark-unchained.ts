import type { LedgerRecord } from "../record.ts";
import { chainStart, createLinkCheck, readLink } from "./chain.ts";
import type { ChainHead, Link } from "./chain.ts";

const isLinked = createLinkCheck();

/**
 * Tells whether a line is the record after another.
 *
 * @param before undefined: nothing is there before it, so only the first of all can be told from what it should be
 */
export function isNext(before: ChainHead | undefined, line: Uint8Array, link: Link): boolean {
  const from = before ?? (link.seq === 1 ? chainStart : undefined);
  return from === undefined || (link.seq === from.seq + 1 && isLinked(from.chain, line, link));
}

/** Follows lines in the order in which they were written, and tells of each whether it is the record after the one before. */
export function createFollower(before?: ChainHead): (line: Uint8Array) => boolean {
  let last = before;
  return (line) => {
    const link = readLink(line);
    if (link === undefined) return false;
    const follows = isNext(last, line, link);
    last = link;
    return follows;
  };
}

/** A record as it is handed on: one that does not follow from the one before says so, whatever it says itself. */
export const marked = (record: LedgerRecord, isChained: boolean): LedgerRecord =>
  isChained ? record : { ...record, unchained: true };
