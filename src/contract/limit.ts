import { CurtainwallError } from "../shared/index.ts";

type LimitUnit = "s" | "min" | "h" | "day";
type LimitSubject = "client" | "user";

/**
 * How often a route may be called: `"120/min per client"`, `"60/h per user, burst 10"`.
 *
 * `client` is the network address (an IPv6 client is its /64); `user` is the token's subject. The allowance regrows evenly
 * (120/min is one every 500 ms) and `burst`, by default the whole count, is how many may come at once.
 */
export type LimitText =
  | `${number}/${LimitUnit} per ${LimitSubject}`
  | `${number}/${LimitUnit} per ${LimitSubject}, burst ${number}`;

/** A {@link LimitText}, parsed. */
export interface Limit {
  readonly text: string;
  readonly by: LimitSubject;
  /** Requests in a window. */
  readonly count: number;
  readonly windowSeconds: number;
  /** Requests admitted at once. */
  readonly burst: number;
}

const unitSeconds: Record<LimitUnit, number> = { s: 1, min: 60, h: 3600, day: 86_400 };
/** What a counter can look ahead. */
const longestSpanSeconds = 31 * 86_400;
const grammar = /^(\d{1,9})\/(s|min|h|day) per (client|user)(?:, burst (\d{1,9}))?$/;

/**
 * Parses a limit.
 *
 * @throws {CurtainwallError} `CONTRACT_OPTION_INVALID` when the text does not follow the grammar, or a number is 0.
 */
export function parseLimit(text: unknown): Limit {
  const match = typeof text === "string" ? grammar.exec(text) : null;
  const count = Number(match?.[1]);
  const burst = match?.[4] === undefined ? count : Number(match[4]);
  if (match === null || count < 1 || burst < 1) {
    throw new CurtainwallError(
      "CONTRACT_OPTION_INVALID",
      `${JSON.stringify(text)} is not a limit. Write "120/min per client" or "60/h per user, burst 10" (units: s, min, h, day).`,
    );
  }
  const windowSeconds = unitSeconds[match[2] as LimitUnit];
  if (burst * (windowSeconds / count) > longestSpanSeconds) {
    throw new CurtainwallError(
      "CONTRACT_OPTION_INVALID",
      `${JSON.stringify(text)} takes longer than 31 days to regain its burst. Write fewer: "${match[1]}/${match[2]} per ${match[3]}, burst ${count}".`,
    );
  }
  return { text: match[0], by: match[3] as LimitSubject, count, windowSeconds, burst };
}
