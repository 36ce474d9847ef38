import { CurtainwallError } from "../../shared/index.ts";

type LimitUnit = "s" | "min" | "h" | "day";

/** How often: `"120/min"`, `"5/15min"`. */
export type RateText = `${number}/${LimitUnit}` | `${number}/${number}${LimitUnit}`;

/**
 * Whom a limit counts: a network address (an IPv6 client is its network), a caller's subject, its tenant, its API key; or the route,
 * whoever calls it.
 */
export type LimitSubject = "client" | "user" | "tenant" | "key" | "route";

/**
 * How often a route may be called: `"120/min per client"`, `"60/h per user, burst 10"`. The allowance regrows evenly (120/min is one every
 * 500 ms) and `burst`, by default the whole count, is how many may come at once.
 */
export type LimitText =
  | `${RateText} per ${LimitSubject}`
  | `${RateText} per ${LimitSubject}, burst ${number}`;

/** How often, parsed. */
export interface Rate {
  readonly text: string;
  /** How many in a window. */
  readonly count: number;
  readonly windowSeconds: number;
  /** How many at once. */
  readonly burst: number;
}

/** A {@link LimitText}, parsed. */
export interface Limit extends Rate {
  readonly by: LimitSubject;
}

const unitSeconds: Record<LimitUnit, number> = { s: 1, min: 60, h: 3600, day: 86_400 };
/** What a counter can look ahead. */
const longestSpanSeconds = 31 * 86_400;
const rateGrammar = /^(\d{1,9})\/(\d{0,4})(s|min|h|day)$/;
const limitGrammar = /^([^ ]{1,20}) per (client|user|tenant|key|route)(?:, burst (\d{1,9}))?$/;

/**
 * Parses a limit.
 *
 * @throws {CurtainwallError} `CONTRACT_OPTION_INVALID` when the text does not follow the grammar, or a number is 0.
 */
export function parseLimit(text: unknown): Limit {
  const match = typeof text === "string" ? limitGrammar.exec(text) : null;
  const limit = match === null ? undefined : readRate(match[0], match[1] ?? "", match[3]);
  if (match === null || limit === undefined) {
    throw invalid(
      `${JSON.stringify(text)} is not a limit. Write "120/min per client" or "60/h per user, burst 10" (units: s, min, h, day).`,
    );
  }
  return { ...assertSpan(limit), by: match[2] as LimitSubject };
}

/**
 * Reads how often, as in `5/15min`. Undefined if that is not what stands there, or a number is 0.
 *
 * @param whole the text that it is part of
 */
export function readRate(whole: string, rate: string, burstText: string | undefined): Rate | undefined {
  const match = rateGrammar.exec(rate);
  const count = Number(match?.[1]);
  const units = match?.[2] === "" ? 1 : Number(match?.[2]);
  const burst = burstText === undefined ? count : Number(burstText);
  if (match === null || count < 1 || units < 1 || burst < 1) return undefined;
  return { text: whole, count, windowSeconds: units * unitSeconds[match[3] as LimitUnit], burst };
}

/** @throws {CurtainwallError} `CONTRACT_OPTION_INVALID` when a burst would take longer to be regained than counters can tell */
export function assertSpan<Checked extends Rate>(rate: Checked): Checked {
  const { text, count, windowSeconds, burst } = rate;
  if (burst * (windowSeconds / count) <= longestSpanSeconds) return rate;
  const most = Math.floor((longestSpanSeconds * count) / windowSeconds);
  throw invalid(
    `${JSON.stringify(text)} takes longer than 31 days to regain its burst of ${burst}. Write a burst of at most ${most}.`,
  );
}

const invalid = (message: string): CurtainwallError =>
  new CurtainwallError("CONTRACT_OPTION_INVALID", message);
