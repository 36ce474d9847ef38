import { CurtainwallError } from "../../shared/index.ts";
import type { BrowserProbe, Wire } from "../probes/probe.ts";
import { timeIsUp } from "../out-of-time.ts";
import { wasInterrupted } from "./clock.ts";

/** The time that an audit has: what is begun after it fails at once. */
export interface Deadline {
  remainingMs: () => number;
  /** @throws {CurtainwallError} `AUDIT_BUDGET_SPENT` from each method of the result, once time is up. */
  wire(wire: Wire): Wire;
  /** The same for a browser. */
  browser(browser: BrowserProbe): BrowserProbe;
}

/** Starts the clock of an audit. What the signal ends is over as when time is up. */
export function createDeadline(budgetMs: number, now: () => number, signal?: AbortSignal): Deadline {
  const endsAt = now() + budgetMs;
  const remainingMs = (): number => endsAt - now();
  const guard =
    <Input extends unknown[], Output>(work: (...input: Input) => Promise<Output>) =>
    async (...input: Input): Promise<Output> => {
      if (signal?.aborted === true) throw new CurtainwallError("AUDIT_INTERRUPTED", wasInterrupted);
      if (remainingMs() <= 0) throw new CurtainwallError("AUDIT_BUDGET_SPENT", timeIsUp);
      return work(...input);
    };
  return {
    remainingMs,
    wire: ({ abandon, canChangeClient, connect, send, sendRaw, trickle }) => ({
      abandon: guard(abandon),
      canChangeClient,
      connect,
      send: guard(send),
      sendRaw: guard(sendRaw),
      trickle: guard(trickle),
    }),
    browser: ({ version, visit }) => ({
      version,
      visit: guard((...input: Parameters<typeof visit>) => visitInTime(visit(...input), remainingMs())),
    }),
  };
}

/** Above what its own waits come to: a page whose scripts never rest answers no question. */
const maxVisitMs = 45_000;

async function visitInTime<T>(visit: Promise<T>, remainingMs: number): Promise<T> {
  const error =
    remainingMs < maxVisitMs
      ? new CurtainwallError("AUDIT_BUDGET_SPENT", timeIsUp)
      : new CurtainwallError(
          "AUDIT_TARGET_UNREACHABLE",
          `the page did not rest within ${maxVisitMs / 1000} s`,
        );
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(error), Math.min(remainingMs, maxVisitMs));
  });
  try {
    return await Promise.race([visit, late]);
  } finally {
    clearTimeout(timer);
  }
}
