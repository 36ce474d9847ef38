import type { LogFinding } from "../verdict.ts";
import { chainStart } from "./chain.ts";
import type { ChainHead, LinkCheck } from "./chain.ts";
import type { ChainMemory } from "./chain-memory.ts";
import { createLateRecords } from "./late-records.ts";
import type { ReadRecord } from "./late-records.ts";
import type { LogFindings } from "./log-findings.ts";
import { createOtherBranch } from "./other-branch.ts";
import type { Branch } from "./other-branch.ts";
import { createStrayRecords } from "./stray-records.ts";

/** Holds each record against the one before, and tells of those that are missed, moved or put in, each once. */
export interface RecordOrder {
  /**
   * Takes the next record.
   *
   * @returns `late`: it stands after one of a higher number, and was missed. `stray`: so it does, and was not. Else what was found if it does not follow
   */
  take(record: ReadRecord): "late" | "stray" | { readonly wrong: number | undefined };
  /** The last record in order. */
  last(): ChainHead;
  /** Records that stand twice, and whose value was forgotten by then. */
  forgotten(): readonly number[];
  end(): void;
}

/** So that no log makes a reading remember more. */
const mostForgotten = 10_000;
/** Of more than that nobody is told. */
const mostChanged = 1000;

interface Changed {
  readonly seq: number;
  readonly finding: number;
  readonly file: string;
  readonly line: number;
}

export function createRecordOrder(
  follows: LinkCheck,
  memory: ChainMemory,
  findings: LogFindings,
): RecordOrder {
  const late = createLateRecords(follows, findings);
  const branch = createOtherBranch(follows);
  const strays = createStrayRecords(findings);
  const forgotten = new Set<number>();
  /** Records that do not follow from the one before, and what was found for them. */
  let changed: Changed[] = [];
  let last = chainStart;

  /** Gives what is found if a record does not follow, though it has the next number. */
  function judge(record: ReadRecord): number | undefined {
    const { file, line, bytes, link } = record;
    const { seq } = link;
    const isNext = seq === last.seq + 1;
    // Whether the first follows is told once it is known what was given up before it.
    if (isNext && (last === chainStart || follows(last.chain, bytes, link))) return undefined;
    const other = branch.goesOn(record);
    if (other !== undefined) goOnWith(other);
    else if (!isNext) miss(record);
    if (other !== undefined || !isNext) return undefined;
    const says = `record ${seq} does not follow from record ${seq - 1}`;
    const finding = findings.add({ kind: "changed", file, line, seq, says }, last.seq);
    if (changed.length < mostChanged) changed.push({ seq, finding, file, line });
    return finding;
  }

  function miss(closer: ReadRecord): void {
    const { file, line, link } = closer;
    const { seq } = link;
    const says = `${missed(last.seq + 1, seq - 1)} not there`;
    const finding =
      last === chainStart ? undefined : findings.add({ kind: "missing", file, line, seq, says }, last.seq);
    late.open({ from: last.seq + 1, before: last.chain, closer, finding });
  }

  /** One that stands after a record of a higher number. */
  function takeStray(record: ReadRecord): "late" | "stray" {
    const { file, line, bytes, link } = record;
    const { seq, chain } = link;
    const before = seq === 1 ? chainStart.chain : memory.at(seq - 1);
    const taken = late.take(record, last.seq);
    branch.take(record, before);
    if (taken !== undefined) {
      strays.end();
      if (taken.isFollowed) branch.end();
      memory.remember(seq, chain);
      return "late";
    }
    const there = memory.at(seq);
    const isForgotten = there === undefined && !late.misses(seq);
    if (isForgotten && forgotten.size < mostForgotten) forgotten.add(seq);
    const isDoubled = isForgotten || (there !== undefined && Buffer.compare(there, chain) === 0);
    const other = isDoubled ? changed.find((one) => one.seq === seq) : undefined;
    if (other !== undefined && before !== undefined && follows(before, bytes, link)) {
      // The one before bore its value, and was none.
      findings.change(other.finding, foreign({ file: other.file, line: other.line, seq }, seq, seq));
      return "stray";
    }
    strays.add(isDoubled ? "doubled" : "foreign", { file, line, seq, after: last.seq });
    return "stray";
  }

  /** What comes next follows from records that stand after others of the same numbers: the others were put in. */
  function goOnWith({ from, links, ...at }: Branch): void {
    const gap = late.gapFrom(from);
    const [seq, { file, line }] = gap === undefined ? [from, at] : [gap.closer.link.seq, gap.closer];
    const found = foreign({ file, line, seq }, last.seq, from, gap === undefined);
    for (const one of changed) if (one.seq >= seq) findings.change(one.finding, undefined);
    changed = changed.filter((one) => one.seq < seq);
    strays.drop();
    if (gap?.finding === undefined) findings.add(found, from - 1);
    else findings.change(gap.finding, found);
    if (gap !== undefined) late.close(gap);
    for (const link of links) memory.remember(link.seq, link.chain);
    last = links.at(-1) ?? last;
  }

  return {
    take(record) {
      const { seq, chain } = record.link;
      if (seq <= last.seq) return takeStray(record);
      const wrong = judge(record);
      strays.end();
      branch.end();
      // On from what it says itself, so that one change is found once.
      last = record.link;
      memory.remember(seq, chain);
      return { wrong };
    },
    last: () => last,
    forgotten: () => [...forgotten],
    end() {
      const other = branch.present();
      const gap = other === undefined ? undefined : late.gapFrom(other.from);
      const putInInstead = gap === undefined ? 0 : last.seq - gap.closer.link.seq + 1;
      // It is the shorter one that was put in, as far as anybody can tell.
      if (other !== undefined && gap !== undefined && other.links.length > putInInstead) goOnWith(other);
      strays.end();
      late.end();
    },
  };
}

/** Of records that were put in, up to one, where another should stand. */
function foreign(
  at: Pick<LogFinding, "file" | "line"> & { seq: number },
  to: number,
  place: number,
  isOther = true,
): LogFinding {
  const { seq } = at;
  const [other, verb, them] = seq === to ? ["another ", "stands", "it"] : ["other ", "stand", "them"];
  const records = seq === to ? `record ${seq}` : `records ${seq} to ${to}`;
  const where = place === 1 ? "before record 1" : `after record ${place - 1}`;
  const says = `${isOther ? other : ""}${records} ${verb} ${where}, and nothing follows from ${them}`;
  return { ...at, kind: "foreign", says };
}

const missed = (from: number, to: number): string =>
  from === to ? `record ${from} is` : `records ${from} to ${to} are`;
