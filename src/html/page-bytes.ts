const quotationMark = 0x22;
const apostrophe = 0x27;
const lessThan = 0x3c;
const greaterThan = 0x3e;

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

/** A buffer for the next page, so that not each page needs a new one. Pages inside a page find it taken and get their own. */
let spare: Uint8Array | undefined;
const maxSpareBytes = 2 ** 20;

/** Copies a page to where its end need not be counted. The buffer is longer than the page. */
export function borrowCopy(page: Uint8Array): Uint8Array {
  const length = page.length + sentinels.length;
  const buffer =
    spare !== undefined && spare.length >= length ? spare : new Uint8Array(Math.max(length, 2 ** 16));
  spare = undefined;
  buffer.set(page);
  buffer.set(sentinels, page.length);
  return buffer;
}

/** Gives a buffer back that nobody reads any more. */
export function giveBackCopy(buffer: Uint8Array): void {
  if (buffer.length <= maxSpareBytes) spare = buffer;
}
