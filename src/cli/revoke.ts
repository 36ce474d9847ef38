import { CurtainwallError } from "../shared/index.ts";
import {
  loadContract,
  makeStateFolder,
  readRevoked,
  recordedAction,
  revokeTokens,
  stackFolders,
} from "../stack/index.ts";
import { usageError } from "./command.ts";
import type { Command } from "./command.ts";
import { exitCodes, print, printJson, say, styled } from "./voice.ts";

export const revokeCommand: Command = {
  name: "revoke",
  usage: "<subject> [folder] | --everyone [folder] | --list [folder]",
  summary: "end a subject's access tokens, or everybody's",
  options: {
    everyone: { type: "boolean", says: "everybody's, whoever they were issued to" },
    list: { type: "boolean", says: "say what was revoked" },
    json: { type: "boolean", says: "print the result as JSON" },
  },
  notes: [
    "What was issued until now does not count any more: a running stack refuses it on all threads within two seconds, and goes on doing so after",
    "a restart. What is issued from a few seconds later on counts (identity.clockToleranceSeconds). API keys are ended by  api-key revoke.",
  ],
  async run({ positionals, flags }) {
    const isList = flags.has("list");
    const isEveryone = flags.has("everyone");
    const [subject, path = "."] = isList || isEveryone ? [undefined, ...positionals] : positionals;
    if (isList && isEveryone) throw usageError("Say one of --list and --everyone", revokeCommand);
    if (!isList && !isEveryone && subject === undefined)
      throw usageError("Name the subject, or say --everyone", revokeCommand);
    if ((isList || isEveryone) && positionals.length > 1)
      throw usageError("A subject and --everyone, or --list, don't go together", revokeCommand);
    const { contract, root } = await loadContract(path);
    const folders = stackFolders(root);
    if (isList) return list(readRevoked(folders), flags.has("json"));
    if (contract.identity === undefined)
      throw new CurtainwallError("CLI_USAGE_INVALID", "The contract accepts no access tokens.", {
        hint: 'Add  identity: { issuer: "https://login.example.com/", audience: "…" },',
      });
    makeStateFolder(folders);
    const until = await recordedAction(
      { contract, root },
      { action: "revoke", target: subject ?? "everyone" },
      () => revokeTokens(folders, contract, { subject }),
    );
    if (flags.has("json")) printJson({ subject: subject ?? null, until });
    say(
      `${styled("green", "revoked")} ${subject === undefined ? "everybody's tokens" : `the tokens of ${subject}`} that were issued until ${timeOf(until)}`,
    );
    return exitCodes.done;
  },
};

function list({ everyone, subjects }: ReturnType<typeof readRevoked>, asJson: boolean): number {
  if (asJson) {
    printJson({ everyone, subjects });
    return exitCodes.done;
  }
  if (everyone > 0) print(`*\t${timeOf(everyone)}`);
  for (const [subject, until] of Object.entries(subjects)) print(`${subject}\t${timeOf(until)}`);
  if (everyone === 0 && Object.keys(subjects).length === 0) say("Nothing is revoked.");
  return exitCodes.done;
}

const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
