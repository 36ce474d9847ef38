import type { Backend } from "./backend.ts";

/**
 * Chooses the address with the fewest requests under way, among those that work and were not tried; of equals the one that
 * comes first after `turn`, so that all are used.
 */
export function chooseBackend(
  backends: readonly Backend[],
  turn: number,
  tried: readonly Backend[] = none,
): Backend | undefined {
  const count = backends.length;
  let best: Backend | undefined;
  for (let index = 0; index < count; index++) {
    const backend = backends[(turn + index) % count] as Backend;
    if (best !== undefined && best.outstanding <= backend.outstanding) continue;
    if (backend.breaker.admits() && !tried.includes(backend)) best = backend;
  }
  return best;
}

const none: readonly Backend[] = [];
