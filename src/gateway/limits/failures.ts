import { paramNames } from "../../contract/index.ts";
import type { ContractFailures, ContractRoute, FailureLimit } from "../../contract/index.ts";
import type { Passage } from "../answers/route-answers.ts";
import type { ForwardedAnswer } from "../types.ts";
import type { Charge, CountedLimit, Counting } from "./counting.ts";
import type { Hold } from "./hold.ts";
import { nameSubject } from "./subjects.ts";

/** A limit on failures that is counted. */
export interface CountedFailures {
  readonly failure: FailureLimit;
  readonly limit: CountedLimit;
}

/**
 * Counts failures. Each request is charged before the upstream is asked and gets its charge back when the answer is no failure: so that of a
 * thousand guesses at once no more are made than one after another. What names an account is read as most accounts are: without regard to case,
 * to blanks around it, and to how its letters are composed (NFKC).
 */
export function compileFailures(
  route: Pick<ContractRoute, "segments">,
  { statuses }: ContractFailures,
  counted: readonly CountedFailures[],
  counting: Counting,
  ipv6Prefix: number,
): Hold {
  // Who leaves before it is known whether it failed would otherwise guess for nothing.
  const isFailure = (answer: ForwardedAnswer): boolean =>
    "status" in answer
      ? statuses.includes(answer.status)
      : answer.kind === "failed" && answer.isCancelled === true;
  const limits = counted.map(({ failure, limit }) => ({
    limit,
    keyOf: compileKey(route, failure, ipv6Prefix),
  }));
  return (passage, body, done) => {
    const charges = limits.map(({ limit, keyOf }): Charge => ({ limit, key: keyOf(passage, body), cost: 1 }));
    counting.charge(charges, (left, isExact) => {
      // Whoever guesses would otherwise have a share on each host, and begin anew on each.
      if (!isExact) return done(uncounted);
      const last = left.length - 1;
      const wait = -(left[last] ?? 0);
      if (wait <= 0)
        return done({
          finish: (answer) => {
            if (answer === undefined || !isFailure(answer)) counting.giveBack(charges);
          },
        });
      counting.giveBack(charges.slice(0, last));
      const retryAfter = ["retry-after", String(Math.ceil(wait / 1000))];
      done({ refusal: { code: "GATEWAY_FAILURES_REACHED", headers: retryAfter } });
    });
  };
}

const uncounted = { refusal: { code: "GATEWAY_LIMITS_UNAVAILABLE", headers: ["retry-after", "5"] } } as const;

type KeyOf = (passage: Passage, body: unknown) => string;

function compileKey(
  { segments }: Pick<ContractRoute, "segments">,
  { by, field }: FailureLimit,
  ipv6Prefix: number,
): KeyOf {
  if (by === "body") return (_passage, body) => normalised(valueAt(body, field));
  if (by === "params") {
    const index = paramNames(segments).indexOf(field[0] ?? "");
    return ({ values }) => normalised(values[index]);
  }
  return nameSubject(by, ipv6Prefix);
}

function valueAt(body: unknown, field: readonly string[]): unknown {
  // A form goes on as the text that it is.
  if (typeof body === "string") return new URLSearchParams(body).get(field.join("."));
  let value = body;
  for (const name of field) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/** No account has a longer name, and a body's worth of text would take its time. */
const maxNameLength = 1000;

const normalised = (value: unknown): string =>
  typeof value === "string" || typeof value === "number"
    ? String(value).trim().slice(0, maxNameLength).normalize("NFKC").trim().toLowerCase()
    : "";
