import type { LedgerRecord } from "../../ledger/index.ts";
import { followRecords, lastRecords, readLog } from "../../ledger/node.ts";
import { CurtainwallError, counted, escapeControls } from "../../shared/index.ts";
import type { CliErrorCode } from "../errors.ts";
import { actionError, usageError } from "../command.ts";
import type { Command, CommandInput } from "../command.ts";
import { findLog, missingLog } from "./find-log.ts";
import type { FoundLog } from "./find-log.ts";
import { filterOptions, readFilter } from "./log-filter.ts";
import { logActionHelp } from "./log-help.ts";
import { recordJson, recordText } from "./log-line.ts";
import { askLog } from "./log-question.ts";
import { verifyCommand } from "./log-verify.ts";
import { exitCodes, print, say, styled } from "../voice.ts";

export const logCommand: Command = {
  name: "log",
  usage: "verify | tail | query | checkpoint  [folder or file] [options]",
  summary: "The security log: whether anything in it was changed, and what it says",
  options: {
    checkpoint: { type: "string", says: "verify: a checkpoint that was kept elsewhere" },
    key: { type: "string", says: "verify: the public key that checkpoints must be signed with (ed25519:…)" },
    signed: {
      type: "boolean",
      says: "verify: end with 1 if the log's end is signed by nobody for 2 minutes",
    },
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
    if (action === undefined || run === undefined) throw actionError(action, actions.keys(), logCommand);
    assertOwnOptions(action, input);
    const log = await findLog(place);
    const missing = missingLog(log);
    // What is followed may begin later.
    if (missing !== undefined && input.flags.has("follow")) sayLookAt(missing);
    else if (missing !== undefined) throw missing;
    return run(input, log);
  },
};

/** An option that another action has would be left out of account in silence. */
function assertOwnOptions(action: string, { flags, values }: CommandInput): void {
  const own = logActionHelp[action];
  const wrong = [...flags, ...values.keys()].find((name) => own?.options[name] === undefined);
  if (own === undefined || wrong === undefined) return;
  const others = Object.keys(logActionHelp).filter(
    (name) => logActionHelp[name]?.options[wrong] !== undefined,
  );
  throw usageError(`log ${action} takes no --${wrong}: it is of log ${others.join(", log ")}`, {
    name: `log ${action}`,
    usage: own.usage,
  });
}

type Action = (input: CommandInput, log: FoundLog) => number | Promise<number>;

const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  ["verify", (input, log) => verifyCommand(input, log, logCommand)],
  ["tail", tail],
  ["query", query],
  ["checkpoint", checkpoint],
]);

function checkpoint(_: CommandInput, { last }: FoundLog): number {
  if (last === undefined)
    throw new CurtainwallError<CliErrorCode>("CLI_PART_MISSING", "The log was not signed yet.", {
      hint: "It is once a minute while the site runs, and when it stops",
    });
  print(escapeControls(JSON.stringify(last)));
  return exitCodes.done;
}

async function tail(input: CommandInput, { file, routes }: FoundLog): Promise<number> {
  const count = Number(input.values.get("lines") ?? 10);
  if (!Number.isInteger(count) || count < 0 || count > 100_000)
    throw usageError("--lines takes 0 to 100000", logCommand);
  const question = askLog(readFilter(input, Date.now()), routes);
  const isFollowing = input.flags.has("follow");
  const show = shownAs(input);
  const fresh: LedgerRecord[] = [];
  let onFresh = (record: LedgerRecord): void => void fresh.push(record);
  // Followed before the rest is read: what comes meanwhile waits its turn.
  const followed = isFollowing
    ? followRecords(file, (record) => {
        if (question.selects(record)) onFresh(record);
      })
    : undefined;
  const last = lastRecords(file, count, (record) => question.selects(record));
  for (const record of last) show(record);
  const unknown = last.length === 0 && count > 0 ? question.unknown() : undefined;
  if (followed === undefined) {
    if (unknown !== undefined) throw unknown;
    return exitCodes.done;
  }
  // It may be written yet, by a contract or a version that is to come.
  if (unknown !== undefined) sayLookAt(unknown);
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

async function query(input: CommandInput, { file, routes }: FoundLog): Promise<number> {
  const question = askLog(readFilter(input, Date.now()), routes);
  const show = shownAs(input);
  let count = 0;
  let unchained = 0;
  for await (const record of readLog(file)) {
    if (!question.selects(record)) continue;
    show(record);
    count++;
    if (record["unchained"] === true) unchained++;
  }
  const unknown = question.unknown();
  if (count === 0 && unknown !== undefined) throw unknown;
  if (!input.flags.has("json")) say(counted(count, "record"));
  if (unknown !== undefined) sayLookAt(unknown);
  const aboutId = question.aboutId();
  if (aboutId !== undefined) say(`${styled("dim", "→")} ${aboutId}`);
  if (unchained > 0)
    say(
      `${styled("yellow", "look at")} ${unchained.toLocaleString("en")} of them ${unchained === 1 ? "does" : "do"} not follow from the record before: anybody may have written ${unchained === 1 ? "it" : "them"}  npx curtainwall log verify`,
    );
  return exitCodes.done;
}

/** Of what is asked for beside something that is there. */
const sayLookAt = ({ message, hint }: CurtainwallError): void =>
  say(`${styled("yellow", "look at")} ${message}${hint === undefined ? "" : ` ${hint}`}`);

const shownAs = ({ flags }: CommandInput): ((record: LedgerRecord) => void) =>
  flags.has("json") ? (record) => print(recordJson(record)) : (record) => print(recordText(record));
