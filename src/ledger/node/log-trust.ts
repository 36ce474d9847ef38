import type { LogFinding, LogTrust } from "../verdict.ts";
import type { LogCheckpoints } from "./log-checkpoints.ts";

type Signed = Pick<LogCheckpoints, "signedUpTo">;

/** Says of records that do not follow from the one before which of the two was changed, as far as signatures tell. */
export const tellChanged = (
  findings: readonly LogFinding[],
  first: number,
  checkpoints: Signed,
): readonly LogFinding[] =>
  findings.map((finding) => (isBetween(finding, first) ? withWhich(finding, checkpoints) : finding));

function withWhich(finding: LogFinding, checkpoints: Signed): LogFinding {
  const before = (finding.seq ?? 0) - 1;
  const which = isSigned(before, checkpoints)
    ? `it was changed, since record ${before} is as it was signed`
    : "one of the two was changed, and nothing signed tells which";
  return { ...finding, says: `${finding.says}: ${which}` };
}

/** @param before the last record that lies before all that is wrong. Infinity: nothing is */
export function trustIn(
  before: number,
  findings: readonly LogFinding[],
  first: number,
  checkpoints: Signed,
): LogTrust | undefined {
  if (before === Infinity) return undefined;
  // If it can't be told which of two was changed, neither is to be trusted.
  const isEither =
    findings.some((one) => isBetween(one, first) && one.seq === before + 1) && !isSigned(before, checkpoints);
  const through = isEither ? before - 1 : before;
  return { through, signed: checkpoints.signedUpTo(through) };
}

/** Whether it is about two records that are there. */
const isBetween = ({ kind, seq }: LogFinding, first: number): boolean => kind === "changed" && seq !== first;

const isSigned = (seq: number, checkpoints: Signed): boolean => checkpoints.signedUpTo(seq) === seq;
