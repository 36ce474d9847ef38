import type { LogVerdict } from "../../ledger/index.ts";
import { lastRecords } from "../../ledger/node.ts";
import { counted, spellDuration } from "../../shared/index.ts";

/** The records at the end of a log that nobody signed. */
export interface UnsignedTail {
  /** What it is, and what that means. */
  readonly says: string;
  /** When the first of them was written, as it says; empty if it says nothing. */
  readonly since: string;
  /** A stack that runs would have signed them. */
  readonly isOld: boolean;
}

/** It is signed once a minute, and a vault that is started again just then takes ten seconds. What a clock differs by is no more. */
const mostMs = 120_000;

/**
 * Looks at what nobody signed of a log; undefined where there is none. Whoever can write the file and can't sign adds records there, and says of them what he likes: that they
 * were just written too, but not for long.
 */
export function unsignedTail(
  file: string,
  { unsigned, last }: Pick<LogVerdict, "unsigned" | "last">,
  now: number,
): UnsignedTail | undefined {
  if (unsigned === 0) return undefined;
  const from = last - unsigned + 1;
  const [first] = lastRecords(file, 1, ({ seq, unchained }) => seq === from && unchained !== true);
  const time = first?.["time"];
  const since = typeof time === "string" ? time : "";
  const ageMs = now - Date.parse(since);
  const isOld = !(Math.abs(ageMs) <= mostMs);
  const which =
    unsigned === 1
      ? `the last record (${last}) is`
      : `the last ${counted(unsigned, "record")} (${from} to ${last}) are`;
  const age =
    ageMs > mostMs ? `, for ${spellDuration(ageMs)} by ${unsigned === 1 ? "its" : "their"} own time` : "";
  return {
    says: `${which} signed by nobody${isOld ? `${age}, and a stack that runs signs once a minute` : ""}: whoever can write the file could have written ${unsigned === 1 ? "it" : "them"}`,
    since,
    isOld,
  };
}
