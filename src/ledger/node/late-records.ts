import type { LogFinding } from "../verdict.ts";
import type { Link, LinkCheck } from "./chain.ts";
import type { LogFindings } from "./log-findings.ts";

/** A record that was read. */
export interface ReadRecord {
  readonly file: string;
  readonly line: number;
  /** Of the reader: overwritten by what it reads next. */
  readonly bytes: Buffer;
  readonly link: Link;
}

/** Records that are not where they should be. */
export interface Gap {
  readonly from: number;
  /** What the first of them must follow. */
  readonly before: Uint8Array;
  /** The record that stands where they should. */
  readonly closer: ReadRecord;
  /** What was found for it. Undefined: nothing yet, since they may have been given up. */
  readonly finding: number | undefined;
}

/** Follows records that are not where they should be, until they come later. */
export interface LateRecords {
  open(gap: Gap): void;
  /**
   * Takes a record that stands after one of a higher number. Undefined: it is none of those that are missed, or another one of that number.
   *
   * @param after the highest number before it
   * @returns whether the record that follows from it is there
   */
  take(record: ReadRecord, after: number): { readonly isFollowed: boolean } | undefined;
  /** Whether a record is missed. */
  misses(seq: number): boolean;
  /** The gap that begins with a record. Undefined: there is none, or what came of it did not come in order. */
  gapFrom(seq: number): Gap | undefined;
  /** They are there, and what stood in their place is none of the log. */
  close(gap: Gap): void;
  /** Says of each gap what became of it. */
  end(): void;
}

/** What came later of a gap. */
interface Late {
  readonly gap: Gap;
  left: number;
  first: { readonly file: string; readonly line: number; readonly after: number } | undefined;
  /** The last number that came, and whether all came one after the other. */
  last: number;
  inOrder: boolean;
}

/** Of a gap what did not come yet: all, or what lies between those that came. */
interface Piece {
  readonly from: number;
  readonly to: number;
  readonly before: Uint8Array;
  readonly closer: Pick<ReadRecord, "bytes" | "link">;
  readonly late: Late;
}

/** So that no log makes each record be held against more. */
const mostPieces = 1000;

export function createLateRecords(follows: LinkCheck, findings: LogFindings): LateRecords {
  const lates: Late[] = [];
  let pieces: Piece[] = [];

  function isFit({ from, to, before, closer }: Piece, { bytes, link }: ReadRecord): boolean {
    const follow = link.seq !== from || follows(before, bytes, link);
    return follow && (link.seq !== to || follows(link.chain, closer.bytes, closer.link));
  }

  function note(late: Late, { file, line, link: { seq } }: ReadRecord, after: number): void {
    late.left--;
    late.inOrder &&= late.first === undefined || seq === late.last + 1;
    late.first ??= { file, line, after };
    late.last = seq;
  }

  return {
    open(gap) {
      if (pieces.length >= mostPieces) return;
      const { from, before, closer } = gap;
      const to = closer.link.seq - 1;
      const late: Late = { gap, left: to - from + 1, first: undefined, last: 0, inOrder: true };
      lates.push(late);
      pieces.push({ from, to, before, closer: kept(closer), late });
    },
    take(record, after) {
      const { seq, chain } = record.link;
      const at = pieces.findIndex(({ from, to }) => from <= seq && seq <= to);
      const piece = pieces[at];
      if (piece === undefined || !isFit(piece, record)) return undefined;
      const parts = [];
      if (piece.from < seq) parts.push({ ...piece, to: seq - 1, closer: kept(record) });
      if (seq < piece.to) parts.push({ ...piece, from: seq + 1, before: chain });
      pieces.splice(at, 1, ...parts);
      note(piece.late, record, after);
      return { isFollowed: seq === piece.to };
    },
    misses: (seq) => pieces.some(({ from, to }) => from <= seq && seq <= to),
    gapFrom: (seq) => lates.find(({ gap, inOrder }) => gap.from === seq && inOrder)?.gap,
    close(gap) {
      pieces = pieces.filter(({ late }) => late.gap !== gap);
      lates.splice(
        lates.findIndex((late) => late.gap === gap),
        1,
      );
    },
    end() {
      for (const late of lates) {
        if (late.first === undefined) continue;
        const { finding, from } = late.gap;
        // What lies before all that came may have been given up: whether it was is judged apart.
        const none =
          finding === undefined ? pieces.find((one) => one.late === late && one.from === from) : undefined;
        const said = toldOf(late, late.first, (none?.to ?? from - 1) + 1);
        if (finding !== undefined) findings.change(finding, said);
        else findings.add(said, 0);
      }
    },
  };
}

/** What is compared with later stands in a buffer that is written over. */
const kept = ({ bytes, link }: ReadRecord): Pick<ReadRecord, "bytes" | "link"> => ({
  bytes: Buffer.from(bytes),
  link,
});

/** @param from the first of those that are missed */
function toldOf(
  { gap: { from: begin, closer }, left, last, inOrder }: Late,
  { file, line, after }: NonNullable<Late["first"]>,
  from: number,
): LogFinding {
  const to = closer.link.seq - 1;
  const missed = left - (from - begin);
  const came = to - from + 1 - missed;
  if (missed > 0) {
    const says = `${numbers(from, to)} are not there, but for ${came} that ${came === 1 ? "stands" : "stand"} after record ${after}`;
    return { kind: "missing", file: closer.file, line: closer.line, seq: to + 1, says };
  }
  const isBlock = inOrder && last === to && file === closer.file && line - closer.line === after - to;
  // Of two that changed places the shorter was moved, as far as anybody can tell.
  if (isBlock && after - to < came) {
    const says = `${numbers(to + 1, after)} ${to + 1 === after ? "stands" : "stand"} before record ${from}`;
    return { kind: "moved", file, line: closer.line, seq: to + 1, says };
  }
  const stand = `${numbers(from, to)} ${from === to ? "stands" : "stand"} after record ${after}`;
  return { kind: "moved", file, line, seq: from, says: inOrder ? stand : `${stand}, in another order` };
}

const numbers = (from: number, to: number): string =>
  from === to ? `record ${from}` : `records ${from} to ${to}`;
