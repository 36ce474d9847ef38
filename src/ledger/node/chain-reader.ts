import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { readCheckpoint } from "../checkpoint.ts";
import type { Checkpoint } from "../checkpoint.ts";
import type { LogFinding, LogVerdict } from "../verdict.ts";
import { chainStart, createHasher, readLink } from "./chain.ts";
import type { Link } from "./chain.ts";
import { createChainMemory } from "./chain-memory.ts";
import { createCheckpointSigners } from "./checkpoint-signers.ts";

/** Options of {@link createChainReader}. */
export interface ChainReaderOptions {
  readonly checkpoints: readonly Checkpoint[];
  /** All that may sign, those included that `named` say signed before them. */
  readonly keys: readonly string[] | undefined;
  /** Those that were given. */
  readonly named: readonly string[];
  /** Records whose values are remembered whatever comes after them. */
  readonly remember: readonly number[];
}

/** Follows a chain through the lines of a log, the oldest first. */
export interface ChainReader {
  beginFile(name: string): void;
  line(bytes: Buffer, isWhole: boolean): void;
  end(): LogVerdict;
  /** Records that a checkpoint in the log is about, and whose value was forgotten by then: to be remembered in a second reading. */
  forgotten(): readonly number[];
  /** Keys that signed before those which may sign, as these say: to be taken in another reading. */
  learnt(): readonly string[];
}

const mostFindings = 20;
const eventMark = Buffer.from('"source":"ledger","severity":"');
const text64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");

/** What the log itself writes into its chain, as far as its place there depends on it. */
interface ChainEvent {
  readonly event: string;
  readonly log?: string;
  readonly bytes?: number;
  readonly digest?: string;
  readonly earlier?: number;
  readonly first?: number;
  readonly last?: number;
  readonly head?: string;
}

export function createChainReader({ checkpoints, keys, named, remember }: ChainReaderOptions): ChainReader {
  const hasher = createHasher();
  const memory = createChainMemory([...checkpoints.map(({ through }) => through), ...remember]);
  const removed = new Map<number, { head: string; saidBy: number }>();
  const forgotten: number[] = [];
  const holding: Checkpoint[] = [];
  const untold: string[] = [];
  const findings: LogFinding[] = [];
  const signers = createCheckpointSigners(keys, { checkpoints, named });
  let found = 0;
  let log: string | undefined;
  let first: { seq: number; line: Buffer; link: Link } | undefined;
  let last = chainStart;
  let [file, line, before] = ["", 0, 0];
  let [signed, signedThrough] = [0, 0];
  /** Lines of files that lie before the one in which the chain begins. */
  let beforeFiles = 0;
  let between = startBetween();

  function finding(kind: LogFinding["kind"], says: string, at: Partial<LogFinding> = { file, line }): void {
    if (found++ < mostFindings) findings.push({ kind, ...at, says });
  }

  function readRecord(bytes: Buffer, link: Link): void {
    const { seq } = link;
    const event = readEvent(bytes);
    accountFor(event, seq);
    if (first === undefined) {
      judgeBefore(event, seq);
      first = { seq, line: Buffer.from(bytes), link };
    } else {
      if (seq <= last.seq)
        return finding("moved", `record ${seq} stands after record ${last.seq}`, { file, line, seq });
      if (seq > last.seq + 1)
        finding("missing", `${numbers(last.seq + 1, seq - 1)} not there`, { file, line, seq });
      else if (!follows(last.chain, bytes, link))
        finding("changed", `record ${seq} does not follow from the one before: one of the two was changed`, {
          file,
          line,
          seq,
        });
    }
    // On from what it says itself, so that one change is found once.
    last = link;
    memory.remember(seq, link.chain);
    if (event !== undefined) readChainEvent(event, seq);
  }

  const follows = (from: Uint8Array, bytes: Buffer, { covered, chain }: Link): boolean =>
    Buffer.compare(hasher(from, bytes.subarray(0, covered)), chain) === 0;

  /** Only the log itself closes unfinished lines off, and says which bytes they were. */
  function accountFor(event: ChainEvent | undefined, seq: number): void {
    const { bytes, digest, at } = between.end();
    between = startBetween();
    const isSaid = event?.event === "ledger.opened" || event?.event === "ledger.resumed";
    if (isSaid ? event.bytes === bytes && event.digest === digest : bytes === 0) return;
    finding(
      "foreign",
      `${bytes} bytes before record ${seq} are not what the log says that a crash left there`,
      bytes === 0 ? { file, line, seq } : { file, line: at, seq },
    );
  }

  /** Files of older versions are told from what somebody put there: the chain's first record says whether there were any. */
  function judgeBefore(event: ChainEvent | undefined, seq: number): void {
    if (beforeFiles === 0) return;
    const hasOlder =
      seq === 1 && event?.event === "ledger.opened" && (event.bytes !== 0 || (event.earlier ?? 0) > 0);
    if (hasOlder) return;
    const reason = seq === 1 ? "the log says that none did" : "what was before it was given up";
    finding("foreign", `${beforeFiles} lines lie in files before record ${seq}: ${reason}`, {});
    before -= beforeFiles;
  }

  function readChainEvent(event: ChainEvent, seq: number): void {
    if (event.event === "ledger.opened" || event.event === "ledger.resumed") {
      if (log !== undefined && event.log !== log)
        finding("replaced", `the log bears another name from record ${seq} on`, { file, line, seq });
      else if (event.event === "ledger.opened" && seq !== 1)
        finding("replaced", `a log begins with record ${seq}`, { file, line, seq });
      log ??= event.log;
    }
    if (event.event === "ledger.rotated" && event.last !== undefined && event.head !== undefined)
      removed.set(event.last, { head: event.head, saidBy: seq });
    if (event.event === "ledger.checkpoint") readSigned(event, seq);
  }

  function readSigned(event: ChainEvent, seq: number): void {
    const checkpoint = readCheckpoint(event);
    const problem =
      checkpoint === undefined
        ? "is none"
        : checkpoint.through >= seq
          ? "covers what comes after it"
          : problemOf(checkpoint, "log");
    if (problem !== undefined || checkpoint === undefined)
      return finding("checkpoint", `the checkpoint in record ${seq} ${problem}`, { file, line, seq });
    // About a record that is not there it says nothing of those that are: anybody can copy it into another log.
    if (memory.at(checkpoint.through) === undefined) {
      if (first !== undefined && checkpoint.through >= first.seq) forgotten.push(checkpoint.through);
      return;
    }
    signed++;
    hold(checkpoint);
  }

  function hold(checkpoint: Checkpoint): void {
    signedThrough = Math.max(signedThrough, checkpoint.through);
    holding.push(checkpoint);
    signers.held(checkpoint);
    // Of each key the last is enough.
    if (holding.length > 64) holding.splice(0, holding.length, ...lastOfEach(holding));
  }

  /** Says why a checkpoint does not hold, as what follows "the checkpoint". */
  function problemOf(checkpoint: Checkpoint, from: "log" | "elsewhere"): string | undefined {
    if (checkpoint.log !== log) return `is of another log (${checkpoint.log})`;
    const problem = signers.problemOf(checkpoint, from);
    if (problem !== undefined) return problem;
    const there = memory.at(checkpoint.through);
    return there === undefined || text64(there) === checkpoint.head
      ? undefined
      : `says of record ${checkpoint.through} what the log does not: it was changed`;
  }

  /** The first record that is there must follow from what was removed before it, which the log says by then. */
  function checkBeginning(): void {
    if (first === undefined) return;
    const { seq, line: bytes, link } = first;
    const removal = removed.get(seq - 1);
    const head = seq === 1 ? text64(chainStart.chain) : removal?.head;
    if (head === undefined)
      return finding(
        "missing",
        `${numbers(1, seq - 1)} not there, and the log does not say that they were removed`,
        {
          seq,
        },
      );
    if (!follows(Buffer.from(head, "base64url"), bytes, link))
      finding("changed", `record ${seq}, the first, does not follow from what the log says was before it`, {
        seq,
      });
  }

  /** A checkpoint that was given counts for nothing but the record that it is about, or for what its key signed after it. */
  function checkOutside(): Pick<LogVerdict, "outside" | "carried"> {
    const given = checkpoints.filter((checkpoint) => {
      const problem = problemOf(checkpoint, "elsewhere");
      if (problem !== undefined) finding("checkpoint", `a checkpoint that was given ${problem}`, {});
      else if (checkpoint.through > last.seq)
        finding(
          "truncated",
          `the log ends with record ${last.seq}; a checkpoint covers it up to ${checkpoint.through}`,
          { seq: last.seq },
        );
      else return true;
      return false;
    });
    const there = given.filter(({ through }) => memory.at(through) !== undefined);
    for (const checkpoint of there) hold(checkpoint);
    let carried = 0;
    for (const checkpoint of given.filter((one) => !there.includes(one))) {
      const { through } = checkpoint;
      if (through < (first?.seq ?? 0) && holding.some((later) => carries(later, checkpoint))) carried++;
      else
        untold.push(
          `record ${through}, which a checkpoint that was given is about, is not there, and nothing that holds was signed after it: the log may be another one`,
        );
    }
    return { outside: there.length, carried };
  }

  /** Who signs sees that what is signed goes on from what was signed before. Any key will do only where somebody said which may sign. */
  const carries = (later: Checkpoint, earlier: Checkpoint): boolean =>
    later.through > earlier.through && (keys !== undefined || later.key === earlier.key);

  /** That records were given up is said by the log; once it is signed, that must be too. */
  function checkRemoval(): void {
    const removal = removed.get((first?.seq ?? 1) - 1);
    const isAsked = holding.length > 0 || checkpoints.length > 0;
    if (removal === undefined || !isAsked || removal.saidBy <= signedThrough) return;
    untold.push(
      `record ${removal.saidBy}, which says that the records before ${first?.seq} were given up, is not signed`,
    );
  }

  return {
    beginFile(name) {
      [file, line] = [name, 0];
      // A file without any chain lies before one that has it: the log's first record speaks of its own file alone.
      if (first === undefined) between = startBetween();
      if (first === undefined) beforeFiles = before;
    },
    line(bytes, isWhole) {
      line++;
      const link = readLink(bytes);
      if (link !== undefined) return readRecord(bytes, link);
      if (first === undefined) before++;
      between.add(bytes, isWhole, line);
    },
    end() {
      checkBeginning();
      const rest = first === undefined ? { bytes: 0, isCut: false, at: 0 } : between.end();
      // A line without its end is one that is being written, or that a crash cut short.
      if (rest.bytes > 0 && !rest.isCut)
        finding("foreign", `${rest.bytes} bytes after record ${last.seq} are no record`, {
          file,
          line: rest.at,
        });
      const given = checkOutside();
      checkRemoval();
      return {
        log,
        first: first?.seq ?? 0,
        last: last.seq,
        head: first === undefined ? "" : text64(last.chain),
        before,
        checkpoints: { count: signed, through: signedThrough, signers: signers.list() },
        ...given,
        unsigned: first === undefined ? 0 : last.seq - Math.max(signedThrough, first.seq - 1),
        unfinished: rest.isCut ? { file, line: rest.at, bytes: rest.bytes } : undefined,
        untold,
        findings,
        found,
      };
    },
    forgotten: () => forgotten,
    learnt: () => signers.learnt(),
  };
}

function lastOfEach(checkpoints: readonly Checkpoint[]): Checkpoint[] {
  const last = new Map<string, Checkpoint>();
  for (const one of checkpoints) if ((last.get(one.key)?.through ?? 0) < one.through) last.set(one.key, one);
  return [...last.values()];
}

const numbers = (from: number, to: number): string =>
  from === to ? `record ${from} is` : `records ${from} to ${to} are`;

/** Bytes between two records. */
interface Between {
  add(bytes: Buffer, isWhole: boolean, line: number): void;
  end(): { bytes: number; digest: string; isCut: boolean; at: number };
}

const lineFeed = Buffer.from("\n");

function startBetween(): Between {
  let digest: Hash | undefined;
  let [bytes, at, lines] = [0, 0, 0];
  let isCut = false;
  return {
    add(line, isWhole, number) {
      digest ??= createHash("sha256");
      if (bytes === 0) at = number;
      digest.update(line);
      if (isWhole) digest.update(lineFeed);
      bytes += line.length + (isWhole ? 1 : 0);
      lines++;
      isCut = lines === 1 && !isWhole;
    },
    end: () => ({ bytes, digest: digest?.digest("base64url") ?? "", isCut, at }),
  };
}

/** Reads what the log says of itself. No text of a record can have the mark: there a quotation mark comes after a backslash. */
function readEvent(bytes: Buffer): ChainEvent | undefined {
  const at = bytes.indexOf(eventMark);
  if (at < 0 || at > 64) return undefined;
  try {
    return JSON.parse(bytes.toString("utf8")) as ChainEvent;
  } catch {
    return undefined;
  }
}
