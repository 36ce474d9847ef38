import type { ContractUse } from "./contract/secret.ts";

/** What of a use says which addresses it is for. */
export type UsePattern = Pick<ContractUse, "method" | "origin" | "path">;

/** A use's address, as it is written: `GET https://api.delivery.example/v1/*`. */
export const textOfUse = ({ method, origin, path }: UsePattern): string =>
  `${method} ${origin}${textOfPath(path)}`;

/** `/v1/*` */
export const textOfPath = (path: readonly string[]): string => `/${path.join("/")}`;

/** Whether some request fits both. */
export const doUsesMeet = (one: UsePattern, other: UsePattern): boolean =>
  one.method === other.method && one.origin === other.origin && doPathsMeet(one.path, other.path);

function doPathsMeet(one: readonly string[], other: readonly string[]): boolean {
  for (let index = 0; index < Math.max(one.length, other.length); index++) {
    const [left, right] = [one[index], other[index]];
    if (left === "**" || right === "**") return true;
    if (left === undefined || right === undefined) return false;
    if (left !== right && !isAnyOf(left, right) && !isAnyOf(right, left)) return false;
  }
  return true;
}

/** Whether every path of one fits the other. */
export function isPathWithin(one: readonly string[], other: readonly string[]): boolean {
  for (let index = 0; index < Math.max(one.length, other.length); index++) {
    const [left, right] = [one[index], other[index]];
    if (right === "**") return true;
    if (left === undefined || right === undefined || left === "**") return false;
    if (left !== right && !isAnyOf(right, left)) return false;
  }
  return true;
}

/** A star stands for one segment that says something; the empty one after a last slash does not. */
const isAnyOf = (star: string, segment: string): boolean => star === "*" && segment !== "";
