/** How the time of an audit is divided: what is asked, and what comes after that. */
export interface TimePlan {
  /** For all that is asked and looked at. */
  readonly checksMs: number;
  /** For calls that are under way then. */
  readonly settleMs: number;
  /** For browser and sockets. */
  readonly closeMs: number;
  /** For taking away what was made; the same before the first check, for what an earlier run left. */
  readonly cleanUpMs: number;
}

const [mostSettleMs, mostCloseMs, mostCleanUpMs] = [2000, 3000, 10_000];
/** What comes after the checks may take a quarter of a small budget, and this beyond it: what was made is not left there for a second. */
const graceMs = 1000;

/**
 * Divides a budget, so that the end of an audit is within it, or a second late where it is small: a target that answers nothing uses up all that the checks have, and
 * what takes away what was made may wait for that same target.
 *
 * @param hasCleanUp whether the plan takes away what was made
 */
export function divideTime(budgetMs: number, hasCleanUp: boolean): TimePlan {
  const cleanUpMs = hasCleanUp ? mostCleanUpMs : 0;
  const mostMs = mostSettleMs + mostCloseMs + cleanUpMs;
  const keptMs = Math.min(mostMs, budgetMs / 4);
  const share = Math.min(1, (keptMs + graceMs) / mostMs);
  return {
    checksMs: budgetMs - keptMs,
    settleMs: mostSettleMs * share,
    closeMs: mostCloseMs * share,
    cleanUpMs: cleanUpMs * share,
  };
}
