import { CurtainwallError } from "../../shared/index.ts";
import { assertSpan, readRate } from "./limit.ts";
import type { LimitSubject, Rate, RateText } from "./limit.ts";

/**
 * How often a route may answer that it failed: `"5/15min per client"`; or, so that one account is not attacked from many addresses, by what
 * the request names: `"20/h per body.email"`, `"20/h per params.user"`.
 */
export type FailureText = `${RateText} per ${LimitSubject | `body.${string}` | `params.${string}`}`;

/** A {@link FailureText}, parsed. */
export interface FailureLimit extends Rate {
  readonly by: LimitSubject | "body" | "params";
  /** The field of the body, from the outermost on, or the path's parameter; empty for a subject. */
  readonly field: readonly string[];
}

const grammar =
  /^([^ ]{1,20}) per (?:(client|user|tenant|key|route)|(body|params)\.([A-Za-z_]\w{0,63}(?:\.[A-Za-z_]\w{0,63}){0,4}))$/;

/**
 * Parses a limit on failures.
 *
 * @throws {CurtainwallError} `CONTRACT_OPTION_INVALID` when the text does not follow the grammar, or a number is 0
 */
export function parseFailureLimit(text: unknown): FailureLimit {
  const match = typeof text === "string" ? grammar.exec(text) : null;
  const rate = match === null ? undefined : readRate(match[0], match[1] ?? "", undefined);
  if (match === null || rate === undefined)
    throw new CurtainwallError(
      "CONTRACT_OPTION_INVALID",
      `${JSON.stringify(text)} is not a limit on failures. Write "5/15min per client" or "20/h per body.email".`,
    );
  const by = (match[2] ?? match[3]) as FailureLimit["by"];
  return { ...assertSpan(rate), by, field: match[4]?.split(".") ?? [] };
}
