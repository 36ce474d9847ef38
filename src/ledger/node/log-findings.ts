import type { LogFinding } from "../verdict.ts";

/** What is found in a log while it is read. */
export interface LogFindings {
  /** @param before the last record that lies before what is wrong */
  add(finding: LogFinding, before: number): void;
  /** What has one cause is told once, where it was seen first, and how often. */
  again(cause: string, finding: LogFinding, before: number): void;
  /** The first of them. */
  list(): readonly LogFinding[];
  /** How many there are, each cause once. */
  count(): number;
  /** The last record that lies before all that is wrong. Infinity: nothing is. */
  before(): number;
}

const mostFindings = 20;

export function createLogFindings(): LogFindings {
  const findings: LogFinding[] = [];
  const causes = new Map<string, { at: number; more: number }>();
  let [found, first] = [0, Infinity];

  function add(finding: LogFinding, before: number): void {
    first = Math.min(first, before);
    if (found++ < mostFindings) findings.push(finding);
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
      if (causes.size < mostFindings) causes.set(cause, { at: found, more: 0 });
      add(finding, before);
    },
    list() {
      const more = new Map([...causes.values()].map((cause) => [cause.at, cause.more]));
      return findings.map((finding, at) => {
        const others = more.get(at) ?? 0;
        return others === 0
          ? finding
          : { ...finding, says: `${finding.says} (and ${others.toLocaleString("en")} more like it)` };
      });
    },
    count: () => found,
    before: () => first,
  };
}
