import { say } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";

/** Tells, each time that a stack starts, what of it is weaker than it could be. */
export function tellWeakenings(surroundings: Surroundings): void {
  const { isolation, loaded, events } = surroundings;
  if (isolation === "reduced") {
    say(
      surroundings,
      "warning",
      "REDUCED ISOLATION: neither root nor bwrap, so the edge and the ledger run as one user, and whoever breaks into one can read the other. Install bubblewrap, or start as root.",
    );
  }
  for (const { at, reason } of loaded.contract.weakenings) {
    say(surroundings, "warning", `the contract weakens a default: ${at}: ${reason}`);
    events({ type: "stack.weakened", time: Date.now(), option: at, reason });
  }
}
