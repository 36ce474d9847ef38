/**
 * A number with what it counts: `1 record`, `1,204 records`.
 *
 * @param many what several are called. Default: with an `s`
 */
export const counted = (count: number, one: string, many: string = `${one}s`): string =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
