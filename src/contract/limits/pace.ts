import { CurtainwallError } from "../../shared/index.ts";
import { assertSpan, readRate } from "./limit.ts";
import type { LimitSubject, Rate, RateText } from "./limit.ts";

type PaceStart = `${RateText} per ${LimitSubject}` | `${RateText} per ${LimitSubject}, burst ${number}`;

/**
 * How fast requests are let through: `"10/s per client, queue 50, wait 2s"`. Those that come faster wait in a queue of so many, at most so
 * long, and clients take turns in it; what finds no place, or waits in vain, is answered 503. `burst`, by default 1, is how many pass at once.
 */
export type PaceText = `${PaceStart}, queue ${number}, wait ${number}${"ms" | "s"}`;

/** A {@link PaceText}, parsed. */
export interface Pace extends Rate {
  readonly by: LimitSubject;
  /** Requests that may wait, in one thread. */
  readonly queue: number;
  readonly waitMs: number;
}

const grammar =
  /^([^ ]{1,20}) per (client|user|tenant|key|route)(?:, burst (\d{1,9}))?, queue (\d{1,5}), wait (\d{1,6})(ms|s)$/;
const longestWaitMs = 60_000;

/**
 * Parses a pace.
 *
 * @throws {CurtainwallError} `CONTRACT_OPTION_INVALID` when the text does not follow the grammar, or a number is out of range
 */
export function parsePace(text: unknown): Pace {
  const match = typeof text === "string" ? grammar.exec(text) : null;
  const rate = match === null ? undefined : readRate(match[0], match[1] ?? "", match[3] ?? "1");
  const queue = Number(match?.[4]);
  const waitMs = Number(match?.[5]) * (match?.[6] === "s" ? 1000 : 1);
  if (
    match === null ||
    rate === undefined ||
    queue < 1 ||
    queue > 10_000 ||
    waitMs < 1 ||
    waitMs > longestWaitMs
  )
    throw new CurtainwallError(
      "CONTRACT_OPTION_INVALID",
      `${JSON.stringify(text)} is not a pace. Write "10/s per client, queue 50, wait 2s" (a queue of at most 10000, a wait of at most 60s).`,
    );
  return { ...assertSpan(rate), by: match[2] as LimitSubject, queue, waitMs };
}
