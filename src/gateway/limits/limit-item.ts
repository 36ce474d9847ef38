import type { LimitRate } from "../types.ts";

/** Writes how a limit stands as an item of `RateLimit`, from what {@link LimitStore.take} returned. */
export type ItemWriter = (left: number) => string;

/** Items that one limit remembers. */
const places = 16;

/**
 * Creates {@link ItemWriter}. What is left says when all of it is regained, so an item is remembered by it: most clients have nearly
 * all of their allowance, and writing two numbers takes more than any other part of a limit.
 *
 * @param start of each item: the limit's name
 * @see draft-ietf-httpapi-ratelimit-headers-10
 */
export function createItemWriter(start: string, { burst, intervalMs }: LimitRate): ItemWriter {
  const lefts: number[] = [];
  const items: string[] = [];

  function write(left: number): string {
    if (left < 0) return `${start}0;t=${secondsUntil(left)}`;
    // In its place of a limit that is counted by shares, what a share has left.
    return `${start}${left};t=${Math.ceil((Math.max(0, burst - left) * intervalMs) / 1000)}`;
  }

  return (left) => {
    const place = left & (places - 1);
    if (lefts[place] === left) return items[place] as string;
    lefts[place] = left;
    return (items[place] = write(left));
  };
}

/** Whole seconds until a refused request is admitted. */
export const secondsUntil = (left: number): number => Math.ceil(-left / 1000);
