import type { LogFinding } from "../verdict.ts";
import type { LogFindings } from "./log-findings.ts";

type Kind = Extract<LogFinding["kind"], "doubled" | "foreign">;

/** A record that stands after one of a higher number. */
export interface StrayRecord {
  readonly file: string;
  readonly line: number;
  readonly seq: number;
  /** The highest number before it. */
  readonly after: number;
}

/** Tells of records that stand where they don't belong: those that follow each other, in one. */
export interface StrayRecords {
  add(kind: Kind, record: StrayRecord): void;
  /** What comes next is in its place. */
  end(): void;
  /** What came last is in its place after all. */
  drop(): void;
}

export function createStrayRecords(findings: LogFindings): StrayRecords {
  let run: { readonly kind: Kind; readonly from: StrayRecord; to: StrayRecord } | undefined;

  function end(): void {
    if (run === undefined) return;
    const { kind, from, to } = run;
    const { file, line, seq, after } = from;
    findings.add({ kind, file, line, seq, says: said(kind, from, to) }, after);
    run = undefined;
  }

  return {
    add(kind, record) {
      const { to } = run ?? {};
      const goesOn =
        run?.kind === kind &&
        to?.file === record.file &&
        to.line + 1 === record.line &&
        to.seq + 1 === record.seq;
      if (run !== undefined && goesOn) run.to = record;
      else {
        end();
        run = { kind, from: record, to: record };
      }
    },
    end,
    drop() {
      run = undefined;
    },
  };
}

function said(kind: Kind, { seq, after }: StrayRecord, to: StrayRecord): string {
  const [records, verb] =
    seq === to.seq ? [`record ${seq}`, "stands"] : [`records ${seq} to ${to.seq}`, "stand"];
  if (kind === "doubled") return `${records} ${verb} twice: once more after record ${after}`;
  return `${seq === to.seq ? "another" : "other"} ${records} ${verb} after record ${after}`;
}
