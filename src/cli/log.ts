import { existsSync, readFileSync } from "node:fs";
import { readCheckpoint, selects } from "../ledger/index.ts";
import type { Checkpoint, LedgerRecord, LogVerdict } from "../ledger/index.ts";
import { followRecords, lastRecords, readLog, verifyLog } from "../ledger/node.ts";
import { parsePublicKey } from "../contract/index.ts";
import { CurtainwallError, printable } from "../shared/index.ts";
import type { CliErrorCode } from "./errors.ts";
import { actionError, usageError } from "./command.ts";
import type { Command, CommandInput } from "./command.ts";
import { findLog } from "./find-log.ts";
import type { FoundLog } from "./find-log.ts";
import { filterOptions, readFilter } from "./log-filter.ts";
import { logActionHelp } from "./log-help.ts";
import { recordJson, recordText } from "./log-line.ts";
import { exitCodes, print, printJson, say, styled } from "./voice.ts";

export const logCommand: Command = {
  name: "log",
  usage: "verify | tail | query | checkpoint  [folder or file] [options]",
  summary: "The security log: whether anything in it was changed, and what it says",
  options: {
    checkpoint: { type: "string", says: "verify: a checkpoint that was kept elsewhere" },
    key: { type: "string", says: "verify: the public key that checkpoints must be signed with (ed25519:…)" },
    lines: { type: "string", says: "tail: how many of the last records to begin with; by default 10" },
    follow: { type: "boolean", says: "tail: go on with each that is written, until Ctrl-C" },
    ...filterOptions,
    json: { type: "boolean", says: "print JSON: one record a line; of verify, one object" },
  },
  notes: [
    "verify      tell an edit, a record taken out, put in, moved or doubled",
    "tail        print the last records",
    "query       print all that the options name, the oldest first",
    "checkpoint  print what the log was signed up to last",
    "",
    "More of each:  npx curtainwall log verify --help",
    "",
    "That a log was cut off at its end, rolled back or replaced shows against a checkpoint alone. The supervisor keeps the last one, and the vault, if there is one; keep another where nobody can change it together with the log. verify ends with 1 if anything was found, if no record is chained, or if it can't tell what it was asked to.",
    "",
    "A record that does not follow from the one before is marked NOT IN THE CHAIN (in JSON: unchained).",
    "",
    "The log belongs to the ledger's user: run this as root, or as that user. A copy is read by its file: log verify copy/events.jsonl",
  ],
  actions: logActionHelp,
  async run(input) {
    const [action, place] = input.positionals;
    const run = action === undefined ? undefined : actions.get(action);
    if (run === undefined) throw actionError(action, actions.keys(), logCommand);
    return run(input, await findLog(place));
  },
};

type Action = (input: CommandInput, log: FoundLog) => number | Promise<number>;

const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  ["verify", verify],
  ["tail", tail],
  ["query", query],
  ["checkpoint", checkpoint],
]);

function checkpoint(_: CommandInput, { last }: FoundLog): number {
  if (last === undefined)
    throw new CurtainwallError<CliErrorCode>("CLI_PART_MISSING", "The log was not signed yet.", {
      hint: "It is once a minute while the site runs, and when it stops",
    });
  print(JSON.stringify(last));
  return exitCodes.done;
}

function verify({ values, flags }: CommandInput, { file, last, witnessed, hasWitness }: FoundLog): number {
  const given = values.get("checkpoint");
  const key = readKey(values.get("key")) ?? last?.key ?? witnessed?.key;
  const checkpoints = [last, witnessed, given === undefined ? undefined : readGiven(given)].filter(
    (one) => one !== undefined,
  );
  const verdict = verifyLog(file, { checkpoints, ...(key === undefined ? {} : { keys: [key] }) });
  if (flags.has("json")) printJson(verdict);
  else for (const line of described(verdict)) print(line);
  const isWhole = verdict.found === 0 && verdict.log !== undefined && verdict.untold.length === 0;
  say(conclusion(verdict));
  if (hasWitness && witnessed === undefined)
    say(
      `${styled("yellow", "look at")} ledger.witness: its file is not there, so it says nothing of this log`,
    );
  if (isWhole && given === undefined && witnessed === undefined)
    say(
      `${styled("dim", "→")} that nothing was cut off its end is told by a checkpoint alone, one that was kept elsewhere:  --checkpoint <file>`,
    );
  return isWhole ? exitCodes.done : exitCodes.failed;
}

function readKey(text: string | undefined): string | undefined {
  const key = text === undefined ? undefined : parsePublicKey(text);
  if (text !== undefined && key === undefined)
    throw usageError("--key takes a public key, like  ed25519:…", logCommand);
  return key?.text;
}

function conclusion({ log, found, untold }: LogVerdict): string {
  if (found > 0) return styled("red", "the log is not as it was written");
  if (untold.length > 0) return styled("red", "it can't be told whether the log is as it was written");
  return log === undefined
    ? styled("yellow", "nothing in this log can be verified: no record is chained")
    : styled("green", "the log is as it was written");
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

function* described(verdict: LogVerdict): Generator<string> {
  const { log, first, last, before, checkpoints, outside, carried, findings, found } = verdict;
  const { unsigned, unfinished, untold } = verdict;
  if (log !== undefined) yield `log ${printable(log, 30)}: records ${first} to ${last}`;
  if (before > 0)
    yield `${before} lines before the chain began: an older version wrote them, nothing protects them`;
  if (checkpoints.count > 0) yield `${checkpoints.count} signed checkpoints`;
  if (checkpoints.through > 0) yield `signed through record ${checkpoints.through}`;
  if (log !== undefined && unsigned > 0)
    yield `${unsigned} records${checkpoints.through > 0 ? ` after record ${checkpoints.through}` : ""} carry no signature yet: who writes the log could have written them anew`;
  for (const { key, holder, through } of checkpoints.signers)
    yield `  signed by the ${holder} up to record ${through}, with ${printable(key, 60)}`;
  if (outside > 0) yield `${outside} checkpoints from outside the log hold`;
  if (carried > 0)
    yield `${carried} checkpoints from outside the log are about records that were given up; what was signed after them holds`;
  if (unfinished !== undefined)
    yield `${unfinished.bytes} bytes in ${printable(unfinished.file, 60)}:${unfinished.line} are an unfinished line, in no chain: one that is being written, or not the log's`;
  for (const says of untold) yield `${styled("red", "untold".padEnd(10))} ${printable(says)}`;
  for (const { kind, file, line, says } of findings)
    yield `${styled("red", kind.padEnd(10))} ${file === undefined ? "" : `${printable(file, 60)}:${line ?? 0}  `}${printable(says)}`;
  if (found > findings.length) yield `and ${found - findings.length} more`;
}

async function tail(input: CommandInput, { file }: FoundLog): Promise<number> {
  const count = Number(input.values.get("lines") ?? 10);
  if (!Number.isInteger(count) || count < 0 || count > 100_000)
    throw usageError("--lines takes 0 to 100000", logCommand);
  const filter = readFilter(input, Date.now());
  const isFollowing = input.flags.has("follow");
  const show = shownAs(input);
  const fresh: LedgerRecord[] = [];
  let onFresh = (record: LedgerRecord): void => void fresh.push(record);
  // Followed before the rest is read: what comes meanwhile waits its turn.
  const followed = isFollowing
    ? followRecords(file, (record) => {
        if (selects(filter, record)) onFresh(record);
      })
    : undefined;
  const last = lastRecords(file, count, (record) => selects(filter, record));
  for (const record of last) show(record);
  if (followed === undefined) return exitCodes.done;
  onFresh = show;
  const shown = Number(last.at(-1)?.["seq"] ?? 0);
  for (const record of fresh) if (!(Number(record["seq"]) <= shown)) show(record);
  await new Promise<void>((end) => {
    process.once("SIGINT", end);
    process.once("SIGTERM", end);
  });
  followed.close();
  return exitCodes.done;
}

async function query(input: CommandInput, { file }: FoundLog): Promise<number> {
  const filter = readFilter(input, Date.now());
  const show = shownAs(input);
  let count = 0;
  let unchained = 0;
  for await (const record of readLog(file)) {
    if (!selects(filter, record)) continue;
    show(record);
    count++;
    if (record["unchained"] === true) unchained++;
  }
  if (!input.flags.has("json")) say(`${count.toLocaleString("en")} records`);
  if (unchained > 0)
    say(
      `${styled("yellow", "look at")} ${unchained.toLocaleString("en")} of them do not follow from the record before: anybody may have written them  npx curtainwall log verify`,
    );
  return exitCodes.done;
}

const shownAs = ({ flags }: CommandInput): ((record: LedgerRecord) => void) =>
  flags.has("json") ? (record) => print(recordJson(record)) : (record) => print(recordText(record));
