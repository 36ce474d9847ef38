import { apostrophe, greaterThan, lessThan, quotationMark } from "./markup-bytes.ts";
import { passOverMachine } from "../pass-over/pass-over.ts";
import type { PassOver, PassOverMachine } from "../pass-over/pass-over.ts";

/** Follows a page in the buffer, so that each loop that looks for one of these ends without counting. */
const sentinels = [
  greaterThan,
  quotationMark,
  greaterThan,
  apostrophe,
  greaterThan,
  lessThan,
  greaterThan,
  greaterThan,
];

/** A page that was copied to where its end need not be counted. */
export interface PageCopy {
  /** Longer than the page. */
  readonly bytes: Uint8Array;
  /** If it lies where the program can read it. */
  readonly passOver: PassOver | undefined;
}

/** A place for the next page, so that not each page needs a new one. Pages inside a page find it taken and get their own. */
let spare: Uint8Array | undefined;
const maxSpareBytes = 2 ** 20;
let machine: PassOverMachine | undefined;

/**
 * Copies a page.
 *
 * @param inBulk most of it will be passed over
 */
export function borrowCopy(page: Uint8Array, inBulk: boolean): PageCopy {
  const { bytes, passOver } = placeFor(page.length + sentinels.length, inBulk);
  bytes.set(page);
  bytes.set(sentinels, page.length);
  return { bytes, passOver };
}

function placeFor(length: number, inBulk: boolean): PageCopy {
  const free = inBulk ? (machine ??= passOverMachine()) : undefined;
  if (free !== undefined && !isMachineTaken && length <= free.page.length) {
    isMachineTaken = true;
    return { bytes: free.page, passOver: free.passOver };
  }
  const bytes =
    spare !== undefined && spare.length >= length ? spare : new Uint8Array(Math.max(length, 2 ** 16));
  spare = undefined;
  return { bytes, passOver: undefined };
}

let isMachineTaken = false;

/** Gives a copy back that nobody reads any more. */
export function giveBackCopy({ bytes, passOver }: PageCopy): void {
  if (passOver !== undefined) isMachineTaken = false;
  else if (bytes.length <= maxSpareBytes) spare = bytes;
}
