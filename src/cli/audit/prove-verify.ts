import { readFileSync, statSync } from "node:fs";
import { printable, shellWord, verifyProof } from "../../audit/index.ts";
import type { KeySource, ProofStatement, VerifiedProof } from "../../audit/index.ts";
import { parsePublicKey } from "../../contract/index.ts";
import type { ReleasePublicKey } from "../../contract/index.ts";
import { hasContract, loadContract } from "../../stack/index.ts";
import type { Command, CommandInput } from "../command.ts";
import { wrap } from "./audit-evidence.ts";
import { toolName } from "./audit-folder.ts";
import { openPack } from "./open-pack.ts";
import { exitCodes, print, printJson, say, styled } from "../voice.ts";
import { CurtainwallError, counted } from "../../shared/index.ts";

/** Checks a pack, and says all that is wrong with it. */
export async function verifyPack(
  { values, flags }: CommandInput,
  pack: string,
  [folder = "."]: readonly string[],
  command: Command,
): Promise<number> {
  const { files, problems: unread } = openPack(pack, command);
  const { key, whence } = await findKey(values.get("key"), folder);
  const verified = await verifyProof({ files, key, now: Date.now(), tool: toolName() });
  const problems = [...unread, ...verified.problems].map((problem) => printable(problem, 500));
  const isGood = problems.length === 0 && key !== undefined;
  if (flags.has("json")) {
    printJson({ ...verified, problems, isKeyKnown: key !== undefined });
    return isGood ? exitCodes.done : exitCodes.failed;
  }
  const name = printable(pack, 500);
  if (problems.length > 0) {
    say(styled("red", `${name} ${conclusion(verified, unread.length)}`));
    for (const problem of problems) print(problem);
    return exitCodes.failed;
  }
  if (key === undefined) {
    say(
      styled("red", `Whole, but whose it is nobody said: ${whence}. It names ${verified.signedBy} itself.`),
    );
    say(
      `Name the key that you were given by another way:  npx curtainwall prove --verify ${shellWord(pack)} --key ed25519:…`,
    );
  } else say(`${styled("green", "verified")} ${name} is as ${key.text} signed it, ${whence}.`);
  describe(verified);
  return isGood ? exitCodes.done : exitCodes.failed;
}

/** What is wrong with a pack, in one sentence, where it has problems. */
function conclusion({ statement, problems, isOutOfTime, isAsSigned }: VerifiedProof, unread: number): string {
  if (statement === undefined) return "does not count: no signature of that key holds for it.";
  const others = problems.length + unread - (isOutOfTime ? 1 : 0);
  if (others === 0) return "is as it was signed, and does not count at this time.";
  const what =
    isAsSigned && unread === 0
      ? "is as it was signed, and does not bear out what it states"
      : "is not as it was signed";
  return `${what}${isOutOfTime ? ", and does not count at this time either" : ""}.`;
}

interface FoundKey {
  readonly key: ReleasePublicKey | undefined;
  /** Where it is from, or was looked for. */
  readonly whence: string;
}

/** The key that was named, or the one that the contract in the folder pins. */
async function findKey(named: string | undefined, folder: string): Promise<FoundKey> {
  if (named !== undefined) {
    // A key first: whoever made the pack may have put a file beside it that is called like one.
    const key = parsePublicKey(named) ?? keyInFile(named);
    if (key === undefined) throw noKey(named);
    return { key, whence: "which you named" };
  }
  const where = folder === "." ? "this folder" : printable(folder, 300);
  if (!hasContract(folder)) return { key: undefined, whence: `there is no contract in ${where}` };
  const key = (await loadContract(folder)).contract.keys?.release;
  const contract = `the contract in ${where}`;
  return {
    key,
    whence: key === undefined ? `${contract} pins no release key` : `which ${contract} pins`,
  };
}

/** Says what is wrong with what was named as one. */
function noKey(named: string): CurtainwallError {
  const isThere = statSync(named, { throwIfNoEntry: false }) !== undefined;
  const wrong = named.startsWith("ed25519:")
    ? "is no public key: after ed25519: stand the 43 letters and digits of 32 bytes (base64url)"
    : isThere
      ? "holds no public key"
      : "is neither a public key nor a file that is there";
  return new CurtainwallError("CLI_USAGE_INVALID", `--key ${printable(named, 200)} ${wrong}.`, {
    hint: "--key takes a public key as prove named it, like  ed25519:…, or a file that holds that line",
  });
}

function keyInFile(file: string): ReleasePublicKey | undefined {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  return parsePublicKey(readFileSync(file, "utf8").slice(0, 1000).trim());
}

const servedAs: Readonly<Record<ProofStatement["predicate"]["served"], string>> = {
  "as built": "served as it was built",
  differs: "something else was served",
  unknown: "whether it was served is not known",
  "no release": "",
};

const keyFrom: Readonly<Record<KeySource, string>> = {
  pinned: "the one that the contract pins",
  named: "one that whoever made this named",
  development: "a development key: it proves nothing to others",
};

function describe({ statement, isPageCompared }: VerifiedProof): void {
  if (statement === undefined) return;
  const { target, auditedAt, expires, keySource, served, summary, tool } = statement.predicate;
  const counts = Object.entries(summary).flatMap(([verdict, count]) =>
    count > 0 ? [`${count} ${verdict}`] : [],
  );
  const line = (name: string, value: string): void => say(`  ${name.padEnd(13)} ${printable(value, 300)}`);
  const digestOf = (name: string): string =>
    statement.subject.find((subject) => subject.name === name)?.digest.sha256 ?? "none";
  say("It states:");
  line("target", target);
  line("audited", `${auditedAt}; counts until ${expires}`);
  line("verdicts", counts.join(", "));
  line("contract", digestOf("contract"));
  line("release", [digestOf("release"), servedAs[served]].filter((text) => text !== "").join(", "));
  line("key", keyFrom[keySource]);
  if (!isPageCompared)
    say(
      styled(
        "yellow",
        `  report.html was not compared with report.json, nor its checks with those that its maker makes: that is ${printable(tool, 100)}, and this is ${toolName()}.`,
      ),
    );
  describeGaps(statement.predicate.notLookedAt);
}

const maxGaps = 12;

/** What was not looked at: each reason once, with the items that it keeps from a verdict. */
function describeGaps(gaps: ProofStatement["predicate"]["notLookedAt"]): void {
  say(`  not looked at ${counted(gaps.length, "check")}${gaps.length === 0 ? "" : ":"}`);
  const reasons = [...Map.groupBy(gaps, ({ reason }) => reason)].map(([reason, alike]) => {
    const rows = [...new Set(alike.map(({ row }) => row))].join(", ");
    const what = alike.length === 1 ? `${rows}, ${alike[0]?.check ?? ""}` : `${rows}, ${alike.length} checks`;
    return printable(`${what}: ${reason}`, 300);
  });
  for (const reason of reasons.slice(0, maxGaps))
    for (const line of wrap(reason, process.stderr.columns ?? 100, "    ")) say(line);
  if (reasons.length > maxGaps)
    say(`    and ${counted(reasons.length - maxGaps, "more reason")}, in report.html`);
}
