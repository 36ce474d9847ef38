import { printable } from "./printable.ts";
import type { DiffLine, PendingScript, Review, ScriptKind } from "./types.ts";

/** What it means to approve a script of a kind. */
const grants: Readonly<Record<ScriptKind, string>> = {
  inline: "it runs on its pages with all that they may do",
  module: "it runs on its pages with all that they may do",
  importmap: "it decides which files its pages' modules come from",
  speculationrules: "it makes browsers load pages before anybody asked",
  handler: "it runs on an event; markup that is injected into its pages could use it again",
  "javascript-url": "it runs when its link is followed",
  file: "it runs wherever a page asks for it",
  trusted: "whatever lies there runs, also after it has changed",
  pinned: "exactly these bytes of another site run",
  unpinned: "whatever the other site sends runs, today and later",
  added:
    "scripts of its pages, and markup that is injected there, can load it with any query; whatever the other site sends runs",
};

/** How much of an id is shown: enough to tell a site's scripts apart. */
const shortDigest = 12;

/** An id as it is shown and typed. */
export function shortId(id: string): string {
  return id.slice(0, id.lastIndexOf("-") + 1 + shortDigest);
}

/** How much is shown. */
export interface DescribeOptions {
  /** Lines of code or of a diff, of one script. Default 30. */
  readonly maxLines?: number;
  /** Scripts. Default 25. */
  readonly maxScripts?: number;
  /** Characters on a line of code; longer ones go on below, since what is cut off could be what matters. Default 150. */
  readonly lineLength?: number;
}

/** Describes a script that nobody has approved, for a terminal: what, where, what changed, and what approval would allow. */
export function describePending(
  script: PendingScript,
  { maxLines = 30, lineLength = 150 }: DescribeOptions = {},
): string[] {
  const { id, kind, pages, examples, url, integrity, data, nearest } = script;
  const where = pages === 1 ? "on one page only" : `on ${pages.toLocaleString("en")} pages`;
  const address = url === undefined ? "" : `  ${printable(url)}`;
  return [
    `${shortId(id)}  ${where}${address}`,
    `    at      ${examples
      .slice(0, pages === 1 ? 1 : 3)
      .map((page) => printable(page, 120))
      .join("  ")}${pages > Math.min(3, examples.length) ? "  …" : ""}`,
    ...(integrity === undefined ? [] : [`    pinned  ${printable(integrity, 120)}`]),
    `    allows  ${grants[kind]}${allowsFolder(script) ? ", from any address below this one" : ""}${data > 0 ? `; ${data} ${data === 1 ? "piece" : "pieces"} of data in it may change` : ""}`,
    ...(nearest === undefined
      ? cut(codeOf(script, lineLength), maxLines)
      : [`    compared with ${shortId(nearest.id)}:`, ...cut(shownDiff(nearest.diff, lineLength), maxLines)]),
  ];
}

/** No policy can name an address that ends so without all that lies below it. */
const allowsFolder = ({ kind, url }: PendingScript): boolean =>
  (kind === "unpinned" || kind === "added") &&
  url !== undefined &&
  URL.parse(url)?.pathname.endsWith("/") === true;

function codeOf({ lines }: PendingScript, lineLength: number): string[] {
  return lines.flatMap((line) => folded("      ", line, lineLength));
}

function shownDiff(diff: readonly DiffLine[], lineLength: number): string[] {
  return diff.flatMap(({ sign, text }) =>
    text.split("\n").flatMap((line) => folded(`    ${sign} `, line, lineLength)),
  );
}

function folded(start: string, line: string, lineLength: number): string[] {
  const shown = printable(line, Infinity);
  const count = Math.max(1, Math.ceil(shown.length / lineLength));
  return Array.from(
    { length: count },
    (_, index) => start + shown.slice(index * lineLength, (index + 1) * lineLength),
  );
}

function cut(lines: readonly string[], maxLines: number): string[] {
  if (lines.length <= maxLines) return [...lines];
  return [
    ...lines.slice(0, maxLines),
    `      … and ${(lines.length - maxLines).toLocaleString("en")} more ${lines.length - maxLines === 1 ? "line" : "lines"}; plan --show prints all`,
  ];
}

/** Describes everything that awaits approval, what stands on one page only first. */
export function describeReview(
  scripts: readonly PendingScript[],
  { maxScripts = 25, ...options }: DescribeOptions = {},
): string[] {
  const lines = scripts.slice(0, maxScripts).flatMap((script) => describePending(script, options));
  const left = scripts.length - maxScripts;
  return left > 0 ? [...lines, `… and ${left} more; --json lists all`] : lines;
}

/** A word or two on a review. */
export function summarizeReview({ approved, added, unreviewed, unused }: Review): string {
  return [
    `${approved} approved`,
    ...(added.length > 0 ? [`${added.length} new`] : []),
    ...(unreviewed.length > 0 ? [`${unreviewed.length} recorded, not approved`] : []),
    ...(unused.length > 0 ? [`${unused.length} no longer there`] : []),
  ].join(", ");
}
