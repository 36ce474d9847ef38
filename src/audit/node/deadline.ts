import { CurtainwallError } from "../../shared/index.ts";
import type { BrowserProbe, Wire } from "../probe.ts";

/** The time that an audit has: what is begun after it fails at once. */
export interface Deadline {
  remainingMs: () => number;
  /** @throws {CurtainwallError} `AUDIT_BUDGET_SPENT` from each method of the result, once time is up. */
  wire(wire: Wire): Wire;
  /** The same for a browser. */
  browser(browser: BrowserProbe): BrowserProbe;
}

/** Starts the clock of an audit. */
export function createDeadline(budgetMs: number, now: () => number): Deadline {
  const endsAt = now() + budgetMs;
  const remainingMs = (): number => endsAt - now();
  const guard =
    <Input extends unknown[], Output>(work: (...input: Input) => Promise<Output>) =>
    async (...input: Input): Promise<Output> => {
      if (remainingMs() <= 0)
        throw new CurtainwallError("AUDIT_BUDGET_SPENT", "the audit's time was used up");
      return work(...input);
    };
  return {
    remainingMs,
    wire: ({ canChangeClient, send, sendRaw, trickle }) => ({
      canChangeClient,
      send: guard(send),
      sendRaw: guard(sendRaw),
      trickle: guard(trickle),
    }),
    browser: ({ version, visit }) => ({ version, visit: guard(visit) }),
  };
}
