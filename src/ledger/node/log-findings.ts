import type { LogFinding } from "../verdict.ts";

/** What is found in a log while it is read. */
export interface LogFindings {
  add(finding: LogFinding): void;
  /** What has one cause is told once, where it was seen first, and how often. */
  again(cause: string, finding: LogFinding): void;
  /** The first of them. */
  list(): readonly LogFinding[];
  /** How many there are, each cause once. */
  count(): number;
}

const mostFindings = 20;

export function createLogFindings(): LogFindings {
  const findings: LogFinding[] = [];
  const causes = new Map<string, { at: number; more: number }>();
  let found = 0;

  function add(finding: LogFinding): void {
    if (found++ < mostFindings) findings.push(finding);
  }

  return {
    add,
    again(cause, finding) {
      const known = causes.get(cause);
      if (known !== undefined) return void known.more++;
      // What is not told counts all the same, but for what nobody would read.
      if (causes.size < mostFindings) causes.set(cause, { at: found, more: 0 });
      add(finding);
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
  };
}
