import { join } from "node:path";
import type { AuditOptions, CleanedUp } from "../../audit/index.ts";
import { isLoopbackHost } from "../../contract/index.ts";
import type { StackFolders } from "../../stack/index.ts";
import { clean } from "./audit-evidence.ts";
import { say, styled } from "../voice.ts";

/** Has it noted beside the site's state what an audit or an attack makes, and says what became of what one left that was killed. */
export function rememberingLeftovers(
  folders: StackFolders,
  target: URL,
): Pick<AuditOptions, "journal" | "onCleanUp"> {
  // Elsewhere nothing is made.
  if (!isLoopbackHost(target.hostname)) return {};
  return {
    journal: join(folders.state, "audit", `left-at-${target.port === "" ? "443" : target.port}.jsonl`),
    onCleanUp: (cleaned) => say(wordsOf(cleaned)),
  };
}

function wordsOf({ isFormer, since, routes, problem }: CleanedUp): string {
  const what = isFormer
    ? `An earlier attack or audit, begun at ${since}, ended without cleaning up`
    : "What this made is still there";
  const made = routes.length === 0 ? "" : ` (${clean(routes.join(", "))})`;
  if (problem === undefined) return `${what}; what it had made${made} was taken away.`;
  if (problem === "no cleanUp")
    return styled(
      "yellow",
      `${what}; what it made${made} is still there. Give the plan a cleanUp that takes it away.`,
    );
  return styled("yellow", `${what}${made}: the plan's cleanUp failed: ${clean(problem.failed)}`);
}
