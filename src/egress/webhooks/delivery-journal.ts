import type { ContractRoute } from "../../contract/index.ts";
import type { RememberedDelivery } from "./replay-memory.ts";

/** Keeps what is remembered of deliveries beyond this process. */
export interface DeliveryJournal {
  /** Since when all that was taken with this secret's key is in it, in milliseconds since 1970. */
  sinceMs(secret: string): number;
  /** What it has of the time before. */
  kept(secret: string): Iterable<RememberedDelivery>;
  /**
   * Notes how one is now. Resolves once the next process will know of it, and, if it was taken, whoever starts after a loss of power.
   * Rejects if it can't be noted.
   */
  note(secret: string, delivery: RememberedDelivery): Promise<void>;
}

/** Keeps nothing: what was signed before now can't be told from what was taken then. */
export const keepNothing = (nowMs: number): DeliveryJournal => ({
  sinceMs: () => nowMs,
  kept: () => [],
  note: () => Promise.resolve(),
});

/** For how long after it was signed a delivery may come, by secret: what one route took must not be sent to another that waits longer. */
export function tolerancesOf(routes: readonly Pick<ContractRoute, "webhook">[]): ReadonlyMap<string, number> {
  const tolerances = new Map<string, number>();
  for (const { webhook } of routes)
    if (webhook !== undefined)
      tolerances.set(
        webhook.secret,
        Math.max(tolerances.get(webhook.secret) ?? 0, webhook.toleranceSeconds * 1000),
      );
  return tolerances;
}
