import { existsSync, readFileSync } from "node:fs";
import { parsePublicKey } from "../../contract/index.ts";
import { readCheckpoint } from "../../ledger/index.ts";
import type { Checkpoint, GivenUpRecords, LogSigner, LogTrust, LogVerdict } from "../../ledger/index.ts";
import { verifyLog } from "../../ledger/node.ts";
import { CurtainwallError, counted, printable, spellDuration } from "../../shared/index.ts";
import type { RememberedFlood } from "../../stack/index.ts";
import { usageError } from "../command.ts";
import type { Command, CommandInput } from "../command.ts";
import type { FoundLog } from "./find-log.ts";
import { unsignedTail } from "./unsigned-tail.ts";
import type { UnsignedTail } from "./unsigned-tail.ts";
import { exitCodes, print, printJson, say, styled } from "../voice.ts";

/** A checkpoint that a log is held against, and who has it. */
interface Held {
  readonly whose: string;
  readonly checkpoint: Checkpoint;
}

/** Looks through a log, and says what is wrong with it, then what it is and who signed it. */
export function verifyCommand({ values, flags }: CommandInput, found: FoundLog, command: Command): number {
  const given = values.get("checkpoint");
  const { file, last, witnessed, hasWitness } = found;
  const key = readKey(values.get("key"), command) ?? last?.key ?? witnessed?.key;
  const held = heldAgainst(found, given === undefined ? undefined : readGiven(given));
  const checkpoints = held.map(({ checkpoint }) => checkpoint);
  const read = verifyLog(file, { checkpoints, ...(key === undefined ? {} : { keys: [key] }) });
  const isKnown = (one: string): boolean => key !== undefined || checkpoints.some((held) => held.key === one);
  const tail = isAsWritten(read) ? unsignedTail(file, read, Date.now()) : undefined;
  const unsigned = flags.has("signed") && tail?.isOld === true ? [tail.says] : [];
  const verdict = { ...read, untold: [...read.untold, ...unvouched(read, isKnown, key), ...unsigned] };
  const flood = floodOf(found, verdict);
  const since = tail === undefined ? {} : { unsignedSince: tail.since };
  if (flags.has("json")) printJson({ ...verdict, ...since, ...(flood === undefined ? {} : { flood }) });
  else for (const line of described(verdict, held, isKnown)) print(line);
  if (isTooLittle(verdict.givenUp, found.keptBytes))
    say(
      `${styled("yellow", "look at")} the records that were given up: by the contract that happens when there are ${found.keptBytes} bytes of newer ones; if it did not keep less then, somebody removed them`,
    );
  for (const says of floods(verdict, flood)) say(`${styled("yellow", "look at")} ${says}`);
  if (hasWitness && witnessed === undefined)
    say(
      `${styled("yellow", "look at")} ledger.witness: its file is not there, so it says nothing of this log`,
    );
  const isWhole = isAsWritten(verdict);
  if (isWhole && given === undefined && witnessed === undefined)
    say(`${styled("dim", "→")} ${last === undefined ? cutOff : bothTakenBack}:  --checkpoint <file>`);
  // The one end: whoever reads no more than the last line has what this command is for.
  say(conclusion(verdict, tail));
  return isWhole ? exitCodes.done : exitCodes.failed;
}

/** Of a log in which nothing else is wrong: why it could be all made up. Anybody has keys, and a log says itself whose they are. */
function* unvouched(
  verdict: LogVerdict,
  isKnown: (key: string) => boolean,
  wanted: string | undefined,
): Generator<string> {
  if (!isAsWritten(verdict)) return;
  const [last] = verdict.checkpoints.signers.toSorted((one, other) => other.through - one.through);
  const anybody = "whoever had this log could have written all of it";
  if (last === undefined)
    yield wanted === undefined
      ? `nothing in it is signed: ${anybody}`
      : `nothing in it is signed with ${wanted}: ${anybody}`;
  else if (!isKnown(last.key))
    yield `it is signed by ${callsItself(last)} (${printable(last.key, 60)}), and anybody can make such a key; give --key to hold it to yours`;
}

const callsItself = ({ holder }: Pick<LogSigner, "holder">): string =>
  `a key that calls itself the ${holder}'s`;

/** Half of it, as for who signs: what a crash left is kept, and is no record. */
const isTooLittle = (given: GivenUpRecords | undefined, keptBytes = 0): boolean =>
  given !== undefined && given.followedBy < keptBytes / 2;

/** What the supervisor saw of this log, and not of one that was there before. */
const floodOf = ({ flood }: FoundLog, { log }: LogVerdict): RememberedFlood | undefined =>
  flood?.log === log ? flood : undefined;

const dayMs = 86_400_000;

/** What pushed records out in little time: as the supervisor saw it, whom who writes the log can't reach; and as the log says itself. */
function* floods({ givenUp }: LogVerdict, flood: RememberedFlood | undefined): Generator<string> {
  if (flood !== undefined)
    yield `a flood: until ${printable(flood.time, 30)} the supervisor saw ${counted(flood.bytes, "byte")} written within ${spellDuration(flood.withinMs)}, and records up to ${flood.through} went for it`;
  const lastedMs = givenUp === undefined ? Number.NaN : Date.parse(givenUp.time) - Date.parse(givenUp.since);
  if (givenUp !== undefined && lastedMs < dayMs)
    yield `how short this log is: all of it was written within ${spellDuration(lastedMs)} when record ${givenUp.through} went. Either it is flooded, or it keeps too little (ledger.keepFiles)`;
}

const cutOff = "that its end was cut off, or all of it replaced, is told only by a checkpoint";
const bothTakenBack =
  "the supervisor's checkpoint lies beside the log: that both were taken back is told only by one that was kept elsewhere";

/** Mostly the witness and the supervisor remember the same. */
function heldAgainst({ last, witnessed }: FoundLog, given: Checkpoint | undefined): Held[] {
  const all = new Map<string, { whose: string[]; checkpoint: Checkpoint }>();
  for (const [whose, checkpoint] of [
    ["the supervisor's", last],
    ["the witness's", witnessed],
    ["the one that was given", given],
  ] as const) {
    if (checkpoint === undefined) continue;
    const known = all.get(checkpoint.signature);
    if (known === undefined) all.set(checkpoint.signature, { whose: [whose], checkpoint });
    else known.whose.push(whose);
  }
  return [...all.values()].map(({ whose, checkpoint }) => ({ whose: whose.join(" and "), checkpoint }));
}

function readKey(text: string | undefined, command: Command): string | undefined {
  const key = text === undefined ? undefined : parsePublicKey(text);
  if (text !== undefined && key === undefined)
    throw usageError("--key takes a public key, like  ed25519:…", command);
  return key?.text;
}

function readGiven(file: string): Checkpoint {
  if (!existsSync(file)) throw new CurtainwallError("CLI_USAGE_INVALID", `There is no ${file}.`);
  try {
    const checkpoint = readCheckpoint(JSON.parse(readFileSync(file, "utf8")));
    if (checkpoint !== undefined) return checkpoint;
  } catch {
    // Said below, as of any file that is none.
  }
  throw new CurtainwallError("CLI_USAGE_INVALID", `${file} is no checkpoint.`, {
    hint: 'It is JSON with "log", "through", "head", "key" and "signature", as a record ledger.checkpoint has them',
  });
}

const isAsWritten = ({ log, found, findings, untold }: LogVerdict): boolean =>
  log !== undefined && found === 0 && findings.length === 0 && untold.length === 0;

function conclusion(
  { log, found, findings, untold, last, unsigned }: LogVerdict,
  tail: UnsignedTail | undefined,
): string {
  if (found > 0 || findings.length > 0) return styled("red", "the log is not as it was written");
  if (untold.length > 0) return styled("red", "it can't be told whether the log is as it was written");
  if (log === undefined) return styled("yellow", "nothing in this log can be verified: no record is chained");
  return tail === undefined
    ? styled("green", "the log is as it was written")
    : `${styled("green", `the log is as it was written up to record ${last - unsigned}`)}; ${tail.says}`;
}

function* described(
  verdict: LogVerdict,
  held: readonly Held[],
  isKnown: (key: string) => boolean,
): Generator<string> {
  yield* wrong(verdict);
  const { log, first, last, givenUp, before, unfinished, trusted } = verdict;
  if (log !== undefined)
    yield `log ${printable(log, 30)}: ${first === last ? `record ${first}` : `records ${first} to ${last}`}`;
  if (givenUp !== undefined)
    yield `${givenUp.through === 1 ? "record 1 was" : `records 1 to ${givenUp.through} were`} given up for newer ones, as record ${givenUp.saidBy} says (${printable(givenUp.time, 30)}): ${counted(givenUp.followedBy, "byte")} had come after`;
  if (before > 0)
    yield `${counted(before, "line")} before the chain began: an older version wrote ${before === 1 ? "it, nothing protects it" : "them, nothing protects them"}`;
  if (unfinished !== undefined)
    yield `${counted(unfinished.bytes, "byte")} in ${printable(unfinished.file, 60)}:${unfinished.line} are an unfinished line, in no chain: one that is being written, or not the log's`;
  if (trusted === undefined) yield* signed(verdict, held, isKnown);
  else yield* trustworthy(trusted, first);
}

/** What is signed later is so as it is now: of a log that was changed it says nothing. */
function* trustworthy({ through, signed }: LogTrust, first: number): Generator<string> {
  yield signed > 0
    ? `trust it up to record ${signed}: so far it is signed, and nothing is wrong`
    : "trust none of it: nothing is signed that lies before the first thing that is wrong";
  const next = Math.max(signed + 1, first);
  if (next === through) yield `record ${next} is not signed: who writes the log could have written it anew`;
  if (next < through)
    yield `records ${next} to ${through} follow one from the other, but are not signed: who writes the log could have written them anew`;
}

/** What is wrong comes first: who reads on knows what the rest is worth. */
function* wrong({ findings, found, untold }: LogVerdict): Generator<string> {
  for (const { kind, file, line, says } of findings)
    yield `${styled("red", kind.padEnd(10))} ${file === undefined ? "" : `${printable(file, 60)}:${line ?? 0}  `}${printable(says)}`;
  if (found > findings.length) yield `and ${found - findings.length} more`;
  for (const says of untold) yield `${styled("red", "untold".padEnd(10))} ${printable(says)}`;
}

/** Keys that are told, the last of them; more are in the JSON. */
const mostSigners = 10;

function* signed(
  { log, last, checkpoints: { count, through, signers }, unsigned, outside, carried }: LogVerdict,
  held: readonly Held[],
  isKnown: (key: string) => boolean,
): Generator<string> {
  const own = through > 0 && through + 1 === last ? ` (record ${last} is the last of them itself)` : "";
  if (through > 0)
    yield `signed through record ${through}, by ${counted(count, "checkpoint")} in the log${own}`;
  for (const { key, holder, through: far } of signers.slice(-mostSigners))
    yield `  signed by ${isKnown(key) ? `the ${holder}` : callsItself({ holder })} up to record ${far}, with ${printable(key, 60)}`;
  if (signers.length > mostSigners) yield `  and by ${counted(signers.length - mostSigners, "key")} before`;
  if (log !== undefined && unsigned > 0)
    yield `${counted(unsigned, "record")}${through > 0 ? ` after record ${last - unsigned}` : ""} ${unsigned === 1 ? "carries" : "carry"} no signature`;
  const whose = outside === held.length ? ` (${held.map((one) => one.whose).join(", ")})` : "";
  if (outside > 0)
    yield `${counted(outside, "checkpoint")} from outside the log ${outside === 1 ? "holds" : "hold"}${whose}`;
  if (carried > 0)
    yield `${counted(carried, "checkpoint")} from outside the log ${carried === 1 ? "is" : "are"} about records that were given up; what was signed after ${carried === 1 ? "it" : "them"} holds`;
}
