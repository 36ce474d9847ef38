import { printable } from "./mask.ts";
import { matchesPath } from "./pattern.ts";
import type { LeakException, LeakHit } from "./types.ts";

/** Says which hits may pass, and remembers which exceptions did something. */
export interface Exceptions {
  /** Whether an exception that still counts lets it pass. */
  admits(hit: LeakHit): boolean;
  /** Exceptions that expired (hits) or met nothing (notes). */
  finish(): LeakHit[];
}

/** Reads the exceptions as of a time. */
export function createExceptions(allow: readonly LeakException[], now: Date): Exceptions {
  const met = new Set<LeakException>();
  const expired = (exception: LeakException): boolean =>
    now.getTime() >= Date.parse(`${exception.expires}T00:00:00Z`) + 86_400_000;
  return {
    admits(hit) {
      const matching = allow.filter(({ rule, path }) => rule === hit.rule && matchesPath(path, hit.path));
      for (const exception of matching) met.add(exception);
      return matching.some((exception) => !expired(exception));
    },
    finish: () =>
      allow.flatMap((exception) => {
        if (expired(exception))
          return [
            aboutException(
              exception,
              "hit",
              "exception-expired",
              `its exception for ${exception.rule} ended on ${exception.expires}`,
            ),
          ];
        if (met.has(exception)) return [];
        return [
          aboutException(
            exception,
            "note",
            "exception-unused",
            `its exception for ${exception.rule} met nothing`,
          ),
        ];
      }),
  };
}

function aboutException(
  { path, reason }: LeakException,
  level: LeakHit["level"],
  rule: LeakHit["rule"],
  message: string,
): LeakHit {
  return {
    level,
    rule,
    path,
    member: undefined,
    offset: 0,
    line: 1,
    column: 1,
    encodings: [],
    occurrences: 1,
    message,
    excerpt: printable(reason),
    hint:
      level === "hit"
        ? "Remove what it let pass, or decide again and set a new day"
        : "Take it out of leaks.allow",
  };
}
