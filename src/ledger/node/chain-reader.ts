import type { GivenUpRecords, LogFinding, LogVerdict } from "../verdict.ts";
import { chainStart, createLinkCheck, readLink } from "./chain.ts";
import type { Link } from "./chain.ts";
import { isBeginning, readChainEvent } from "./chain-event.ts";
import type { ChainEvent } from "./chain-event.ts";
import { createChainMemory } from "./chain-memory.ts";
import { createLogCheckpoints } from "./log-checkpoints.ts";
import type { Brought, LogCheckpoints, SignedPart, SoFar } from "./log-checkpoints.ts";
import type { ReadRecord } from "./late-records.ts";
import { createLogFindings } from "./log-findings.ts";
import { tellChanged, trustIn } from "./log-trust.ts";
import { createRecordOrder } from "./record-order.ts";
import { createUnchainedLines } from "./unchained-lines.ts";
import { counted } from "../../shared/index.ts";

/** Options of {@link createChainReader}. */
export interface ChainReaderOptions extends Brought {
  /** Records whose values are remembered whatever comes after them. */
  readonly remember: readonly number[];
}

/** Follows a chain through the lines of a log, the oldest first. */
export interface ChainReader extends Pick<LogCheckpoints, "forgotten" | "learnt"> {
  beginFile(name: string): void;
  line(bytes: Buffer, isWhole: boolean): void;
  /** Of a line that is too long for a record. */
  part(bytes: Buffer, isLast: boolean): void;
  end(): LogVerdict;
}

interface Removal extends Omit<GivenUpRecords, "since"> {
  /** The chain's value after the last of them, base64url. */
  readonly head: string;
}

/** The first record that is there. */
interface FirstRecord {
  readonly seq: number;
  readonly line: Buffer;
  readonly link: Link;
  readonly isBeginning: boolean;
  readonly time: string;
}

export function createChainReader({ remember, ...brought }: ChainReaderOptions): ChainReader {
  const follows = createLinkCheck();
  const memory = createChainMemory([...brought.checkpoints.map(({ through }) => through), ...remember]);
  const findings = createLogFindings();
  const checkpoints = createLogCheckpoints(brought, memory, findings);
  const order = createRecordOrder(follows, memory, findings);
  const between = createUnchainedLines();
  let removal: Removal | undefined;
  /** Of records, each with its line feed. */
  let readBytes = 0;
  let log: string | undefined;
  let first: FirstRecord | undefined;
  let [file, line, before] = ["", 0, 0];
  /** Whether a line that comes in parts is not over yet. */
  let isInside = false;
  /** Lines of files that lie before the one in which the chain begins. */
  let beforeFiles = 0;

  /** @param whole the last record before what is wrong */
  const finding = (
    kind: LogFinding["kind"],
    says: string,
    at: Partial<LogFinding>,
    whole = order.last().seq,
  ): unknown => findings.add({ kind, ...at, says }, whole);
  const soFar = (): SoFar => ({ log, first: first?.seq ?? 0, last: order.last().seq });

  function readRecord(bytes: Buffer, link: Link): void {
    const { seq } = link;
    const record = { file, line, bytes, link };
    const event = readChainEvent(bytes);
    accountFor(event, seq);
    if (first === undefined) judgeBefore(event, seq);
    const place = order.take(record);
    if (first === undefined || (place === "late" && seq < first.seq)) first = firstOf(record, event);
    if (typeof place === "string") return;
    readBytes += bytes.length + 1;
    if (event !== undefined) readEvent(event, seq, place.wrong);
  }

  /** Only the log itself closes unfinished lines off, and says which bytes they were. */
  function accountFor(event: ChainEvent | undefined, seq: number): void {
    const { bytes, digest, at } = between.take();
    if (isBeginning(event) ? event.bytes === bytes && event.digest === digest : bytes === 0) return;
    finding(
      "foreign",
      `${counted(bytes, "byte")} before record ${seq} are not what the log says that a crash left there`,
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
    finding(
      "foreign",
      `${counted(beforeFiles, "line lies", "lines lie")} in files before record ${seq}: ${reason}`,
      {},
    );
    before -= beforeFiles;
  }

  /** @param wrong what was found if the record does not follow from the one before */
  function readEvent(event: ChainEvent, seq: number, wrong: number | undefined): void {
    if (isBeginning(event)) {
      if (log !== undefined && event.log !== log)
        finding("replaced", `the log bears another name from record ${seq} on`, { file, line, seq }, seq - 1);
      else if (event.event === "ledger.opened" && seq !== 1)
        finding("replaced", `a log begins with record ${seq}`, { file, line, seq }, seq - 1);
      log ??= event.log;
    }
    if (event.event === "ledger.rotated") readRemoval(event, seq);
    if (event.event === "ledger.checkpoint") {
      const named = checkpoints.read(event, soFar(), { file, line, seq }, wrong);
      log ??= named;
    }
  }

  /** Of all that were removed, those right before the first that is there are what it must follow from. */
  function readRemoval({ last: through, head, time }: ChainEvent, saidBy: number): void {
    if (through === undefined || typeof head !== "string" || through + 1 !== first?.seq) return;
    removal = { head, through, saidBy, time: textOf(time), followedBy: readBytes };
  }

  /** The first record that is there must follow from what was removed before it, which the log says by then; each file begins with its name. */
  function checkBeginning({ seq, line: bytes, link, isBeginning: isNamed }: FirstRecord): void {
    const head = seq === 1 ? text64(chainStart.chain) : removal?.head;
    if (head === undefined)
      finding(
        "missing",
        `${numbers(1, seq - 1)} not there, and the log does not say that they were removed`,
        { seq },
        0,
      );
    else if (!follows(Buffer.from(head, "base64url"), bytes, link))
      finding(
        "changed",
        `record ${seq}, the first, does not follow from what the log says was before it`,
        { seq },
        0,
      );
    else if (!isNamed)
      finding(
        "missing",
        `record ${seq}, the first, is none that a log or a file of it begins with`,
        { seq },
        0,
      );
  }

  function givenUp(): GivenUpRecords | undefined {
    if (removal === undefined) return undefined;
    const { head: _, ...told } = removal;
    return { ...told, since: first?.isBeginning === true ? first.time : "" };
  }

  /** That records were given up is said by the log; once it is signed, that must be too. */
  function untoldRemoval({
    isAny,
    checkpoints: { through },
  }: Pick<SignedPart, "isAny" | "checkpoints">): string[] {
    if (removal === undefined || !isAny || removal.saidBy <= through) return [];
    return [
      `record ${removal.saidBy}, which says that the records before ${first?.seq} were given up, is not signed`,
    ];
  }

  return {
    beginFile(name) {
      [file, line, isInside] = [name, 0, false];
      if (first !== undefined) return;
      // A file without any chain lies before one that has it: the log's first record speaks of its own file alone.
      between.take();
      beforeFiles = before;
    },
    line(bytes, isWhole) {
      line++;
      const link = readLink(bytes);
      if (link !== undefined) return readRecord(bytes, link);
      if (first === undefined) before++;
      between.add(bytes, isWhole, line);
    },
    part(bytes, isLast) {
      if (!isInside) line++;
      if (!isInside && first === undefined) before++;
      isInside = !isLast;
      between.add(bytes, isLast, line);
    },
    end() {
      order.end();
      const last = order.last();
      if (first !== undefined) checkBeginning(first);
      const rest = between.take();
      const isCut = first !== undefined && rest.isCut;
      // A line without its end is one that is being written, or that a crash cut short.
      if (first !== undefined && rest.bytes > 0 && !isCut)
        finding(
          "foreign",
          `${counted(rest.bytes, "byte")} after record ${last.seq} ${rest.bytes === 1 ? "is" : "are"} no record`,
          {
            file,
            line: rest.at,
          },
        );
      const { isAny, vouched, ...signed } = checkpoints.end(soFar());
      const [found, start] = [findings.list(), first?.seq ?? 0];
      return {
        log,
        first: start,
        last: last.seq,
        head: first === undefined ? "" : text64(last.chain),
        givenUp: givenUp(),
        before,
        ...signed,
        untold: [...signed.untold, ...untoldRemoval({ ...signed, isAny })],
        unsigned: first === undefined ? 0 : last.seq - Math.max(vouched, start - 1),
        unfinished: isCut ? { file, line: rest.at, bytes: rest.bytes } : undefined,
        findings: tellChanged(found, start, checkpoints),
        found: findings.count(),
        trusted: trustIn(findings.before(), found, start, checkpoints),
      };
    },
    forgotten: () => [...order.forgotten(), ...checkpoints.forgotten()],
    learnt: () => checkpoints.learnt(),
  };
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const text64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");

const firstOf = ({ bytes, link }: ReadRecord, event: ChainEvent | undefined): FirstRecord => ({
  seq: link.seq,
  line: Buffer.from(bytes),
  link,
  isBeginning: isBeginning(event),
  time: textOf(event?.time),
});

const numbers = (from: number, to: number): string =>
  from === to ? `record ${from} is` : `records ${from} to ${to} are`;
