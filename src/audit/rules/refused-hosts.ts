import type { Tally } from "../check.ts";
import { printable } from "../evidence.ts";

/** What a page would do with what the browser was not allowed to ask, nobody knows. */
export function missRefused(tally: Tally, page: string, refused: readonly string[]): void {
  if (refused.length === 0) return;
  const named = refused.slice(0, 5).map((host) => printable(host, 60));
  const more = refused.length - named.length;
  tally.miss(
    `${page} asks for what lies on this machine or in its networks and is not the site's, which was refused: ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`,
  );
}
