import type { CheckpointClaim } from "../checkpoint.ts";
import type { ChainHead } from "./chain.ts";
import type { LogPlace } from "./log-lines.ts";

/** A place in a chain: after which record, and with which value. */
export type ChainPlace = Pick<CheckpointClaim, "through" | "head">;

/** How many bytes of records there are up to one, from wherever it was begun to count. */
export interface Mark {
  readonly seq: number;
  readonly bytes: number;
}

/** What was seen of a log: its records up to one follow one from the other. */
export interface SeenRecords {
  readonly last: ChainPlace;
  /** Where that one ends. */
  readonly end: LogPlace;
  /** Bytes of the records up to it. */
  readonly bytes: number;
  /** The oldest first. */
  readonly marks: readonly Mark[];
  /** Places that it goes on from: those that were asked about last. */
  readonly from: readonly ChainPlace[];
}

/** After how many bytes a record is marked, so that of so many a small part too little is counted at most. */
export const markEvery = (bytes: number): number => bytes / 256;

/** Bytes of the records after one, up to so many, or a little less: as from the next one that is marked. */
export function bytesSince(marks: readonly Mark[], seq: number, upTo: number): number {
  const mark = marks.find((one) => one.seq >= seq);
  return mark === undefined ? 0 : upTo - mark.bytes;
}

/** What was signed last, and what a witness and a vault remember, each before and after. */
const mostPlaces = 8;

/** What has to be kept of it to tell whether there are so many bytes after a record. */
export function pruned(seen: SeenRecords, mostBytes: number): SeenRecords {
  const enough = seen.marks.findLastIndex((mark) => seen.bytes - mark.bytes >= mostBytes);
  const places = seen.from.filter((one, at) => !seen.from.slice(at + 1).some((later) => isSame(one, later)));
  return { ...seen, from: places.slice(-mostPlaces), marks: seen.marks.slice(Math.max(0, enough)) };
}

export const isSame = (one: ChainPlace, other: ChainPlace): boolean =>
  one.through === other.through && one.head === other.head;

export const isAt = ({ seq, chain }: ChainHead, { through, head }: ChainPlace): boolean =>
  seq === through && Buffer.from(chain).toString("base64url") === head;
