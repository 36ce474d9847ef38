import type { LogFinding } from "../verdict.ts";

/** What is found in a log while it is read. */
export interface LogFindings {
  /**
   * @param before the last record that lies before what is wrong
   * @returns its number, for `change`
   */
  add(finding: LogFinding, before: number): number;
  /** What has one cause is told once, where it was seen first, and how often. */
  again(cause: string, finding: LogFinding, before: number): void;
  /** Says something else of what was found there. Undefined: that is told by another one. What was withdrawn stays so, and counts once. */
  change(number: number, finding: LogFinding | undefined): void;
  /** The same of all that has a cause. */
  withdraw(cause: string): void;
  /** The first of them. */
  list(): readonly LogFinding[];
  /** How many there are, each cause once. */
  count(): number;
  /** The last record that lies before all that is wrong. Infinity: nothing is. */
  before(): number;
}

const mostFindings = 20;
/** So that no log makes a reading remember more: what is found after so many is not withdrawn, and counts whatever comes of it. */
const mostOpen = 10_000;

export function createLogFindings(): LogFindings {
  const findings = new Map<number, LogFinding>();
  /** Numbers of what may still be withdrawn: twice may not count as two, or as many as were found would come out as none. */
  const open = new Set<number>();
  const causes = new Map<string, { readonly at: number; more: number }>();
  let [added, withdrawn, first] = [0, 0, Infinity];

  function add(finding: LogFinding, before: number): number {
    first = Math.min(first, before);
    if (findings.size < mostFindings) findings.set(added, finding);
    if (open.size < mostOpen) open.add(added);
    return added++;
  }

  function change(number: number, finding: LogFinding | undefined): void {
    if (finding === undefined) {
      if (!open.delete(number)) return;
      withdrawn++;
      findings.delete(number);
    } else if (findings.has(number)) findings.set(number, finding);
  }

  return {
    add,
    again(cause, finding, before) {
      const known = causes.get(cause);
      if (known !== undefined) {
        first = Math.min(first, before);
        return void known.more++;
      }
      // What is not told counts all the same, but for what nobody would read.
      if (causes.size < mostFindings) causes.set(cause, { at: added, more: 0 });
      add(finding, before);
    },
    change,
    withdraw(cause) {
      const known = causes.get(cause);
      if (known !== undefined) change(known.at, undefined);
      causes.delete(cause);
    },
    list() {
      const more = new Map([...causes.values()].map((cause) => [cause.at, cause.more]));
      return [...findings].map(([at, finding]) => withOthers(finding, more.get(at) ?? 0));
    },
    count: () => added - withdrawn,
    before: () => first,
  };
}

const withOthers = (finding: LogFinding, others: number): LogFinding =>
  others === 0
    ? finding
    : { ...finding, says: `${finding.says} (and ${others.toLocaleString("en")} more like it)` };
