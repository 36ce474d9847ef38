import type { ContractRoute } from "../../../contract/index.ts";

/** Tells whether a path, without its query, is one of a route's. */
export function isPathOf({ segments }: ContractRoute, path: string): boolean {
  const parts = path.slice(1).split("/");
  return (
    parts.length === segments.length &&
    segments.every((segment, index) => "param" in segment || segment.text === parts[index])
  );
}
