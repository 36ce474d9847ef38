import type { Json, Route } from "./json.ts";

/** A row of a map of Caddy's. */
export interface Row {
  readonly input: string;
  readonly outputs: readonly string[];
}

/** Rows that are searched one by one. Fewer would answer little sooner, and each expression costs 30 ms when Caddy starts. */
const leafRows = 256;
/** What can stand in an expression as it is. */
const plain = /^[A-Za-z0-9/._ ~-]+$/;

/**
 * Puts a map that Caddy would search from its beginning, for each column that is asked for, into a tree: halves are told
 * apart by what comes before what. `leaf` makes the map of the rows that are left.
 */
export function searchTree(rows: readonly Row[], source: string, leaf: (rows: readonly Row[]) => Json): Json {
  const encoder = new TextEncoder();
  // Caddy compares bytes; JavaScript would compare halves of characters.
  const keyed = rows.map((row) => ({ row, bytes: encoder.encode(row.input) }));
  keyed.sort((left, right) => compareBytes(left.bytes, right.bytes));
  const sorted = keyed.map(({ row }) => row);
  return split(sorted, 0);

  function split(part: readonly Row[], depth: number): Json {
    const cut = part.length <= leafRows ? undefined : cutOf(part);
    if (cut === undefined) return leaf(part);
    // Of a group one route is taken for a request, wherever its others stand.
    const group = `half ${depth}`;
    const before: Route = {
      group,
      match: [{ expression: `${source} < '${cut.boundary}'` }],
      handle: [split(part.slice(0, cut.at), depth + 1)],
    };
    const after: Route = { group, handle: [split(part.slice(cut.at), depth + 1)] };
    return { handler: "subroute", routes: [before, after] };
  }
}

/** A boundary near the middle that an expression can hold: all before it is less than it, it and all after are not. */
function cutOf(part: readonly Row[]): { at: number; boundary: string } | undefined {
  const middle = part.length >> 1;
  for (let away = 0; away < middle; away++) {
    for (const at of [middle - away, middle + away]) {
      const boundary = boundaryBetween(part[at - 1]?.input ?? "", part[at]?.input ?? "");
      if (plain.test(boundary)) return { at, boundary };
    }
  }
  return undefined;
}

/** The shortest beginning of `right` that is greater than `left`. */
function boundaryBetween(left: string, right: string): string {
  let same = 0;
  while (same < left.length && left[same] === right[same]) same++;
  return right.slice(0, same + 1);
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
