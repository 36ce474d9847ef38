import type { Command, CommandOption } from "../command.ts";
import { filterOptions } from "./log-filter.ts";

const checkpoint: CommandOption = { type: "string", says: "a checkpoint that was kept elsewhere" };
const key: CommandOption = {
  type: "string",
  says: "the public key that checkpoints must be signed with (ed25519:…)",
};
const signed: CommandOption = {
  type: "boolean",
  says: "end with 1 if records at its end are signed by nobody, and older than a running stack leaves them (2 minutes)",
};
const lines: CommandOption = {
  type: "string",
  says: "how many of the last records to begin with; by default 10",
};
const follow: CommandOption = { type: "boolean", says: "go on with each that is written, until Ctrl-C" };
const asJson: CommandOption = { type: "boolean", says: "print records as JSON, one a line" };

const marked =
  "A record that does not follow from the one before is marked NOT IN THE CHAIN (in JSON: unchained).";
const owned =
  "The log belongs to the ledger's user: run this as root, or as that user. Of a copy, name the file: copy/events.jsonl";

/** What each action of `log` says of itself. */
export const logActionHelp: NonNullable<Command["actions"]> = {
  verify: {
    usage: "[folder or file] [--checkpoint <file>] [--key <ed25519:…>] [--signed] [--json]",
    summary:
      "Tell an edit, a record taken out, put in, moved or doubled; against a checkpoint, a log cut off or replaced",
    options: { checkpoint, key, signed, json: { type: "boolean", says: "print one object" } },
    notes: [
      "Exit codes: 0 the log is as it was written; 1 it is not, no record is chained, or it can't be told; 2 misused.",
      "Of a file it can't be told without --key or --checkpoint: anybody can write a log and sign it with a key of his own.",
      "",
      "A file is read and never run. A folder is a site's: its contract says where the log and the witness are.",
      owned,
    ],
  },
  tail: {
    usage: "[folder or file] [--lines <n>] [--follow] [which records] [--json]",
    summary: "Print the last records, and those that follow",
    options: { lines, follow, ...filterOptions, json: asJson },
    notes: [marked, owned],
  },
  query: {
    usage: "[folder or file] [which records] [--json]",
    summary: "Print all records that the options name, the oldest first",
    options: { ...filterOptions, json: asJson },
    notes: [marked, owned],
  },
  checkpoint: {
    usage: "[folder]",
    summary: "Print what the log was signed up to last, as JSON",
    options: { json: { type: "boolean", says: "as it is anyway" } },
    notes: [
      "Keep it where nobody can change it together with the log, on another machine:",
      "  npx curtainwall log checkpoint . | ssh backup 'cat > site-checkpoint.json'",
      "and hold the log against it later:",
      "  npx curtainwall log verify . --checkpoint site-checkpoint.json",
    ],
  },
};
