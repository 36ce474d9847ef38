import { existsSync } from "node:fs";
import { join } from "node:path";
import { makeProof, shellWord } from "../../audit/index.ts";
import type { AuditReport, KeySource } from "../../audit/index.ts";
import type { EnvelopeSigner } from "../../contract/index.ts";
import { openKeyFile } from "../../release/node.ts";
import { CurtainwallError, counted } from "../../shared/index.ts";
import type { Secret } from "../../shared/index.ts";
import { findSiteKeys, loadContract, stackFolders } from "../../stack/index.ts";
import type { LoadedContract } from "../../stack/index.ts";
import { auditFolder, readArguments } from "./audit-folder.ts";
import { usageError } from "../command.ts";
import type { Command, CommandInput } from "../command.ts";
import { askPassphrase, askVaultPassphrase } from "../secret/passphrase.ts";
import { assertPackPlace, makePackFolder, removeEmptyPack, writePack } from "./proof-folder.ts";
import { verifyPack } from "./prove-verify.ts";
import { exitCodes, print, printJson, say, showProgress, styled } from "../voice.ts";

export const proveCommand: Command = {
  name: "prove",
  isOverWhenRun: true,
  usage:
    "[folder] [https://address] --out <pack> [--force] [--key file] [--passphrase-fd n] [--days n] [--browser path] [--json] | --verify <pack> [folder] [--key ed25519:…] [--json]",
  summary: "Audit a running stack and sign what was found; check such a pack anywhere",
  options: {
    out: { type: "string", says: "the folder to write the pack to; what is there already is left as it is" },
    force: { type: "boolean", says: "write over a pack that is there already, and over nothing else" },
    verify: { type: "string", says: "a pack to check, instead of making one" },
    key: {
      type: "string",
      says: "making: a key file to sign with, instead of the release key; checking: the public key that must have signed",
    },
    days: { type: "string", says: "how long the proof counts, in days, 1 to 366 (default 30)" },
    "passphrase-fd": {
      type: "string",
      says: "read the passphrase of --key, or of the vault that has the release key, from this descriptor",
    },
    browser: { type: "string", says: "path of Chromium; by default it is looked for in the usual places" },
    json: { type: "boolean", says: "print the result as JSON" },
  },
  notes: [
    "A pack holds the report as JSON and as a page, and statement.json: an in-toto statement in a DSSE envelope, signed with Ed25519. It",
    "states the digests of the contract and the release, the verdicts, the hash of each piece of evidence, and what was not looked at.",
    "--verify needs no network and no contract. Without --key it takes the release key that the contract in the folder pins; where there",
    "is none it can tell that a pack is whole, and not whose it is, which is no success.",
    "Exit codes: 0 written, or as it was signed by that key; 1 not; 2 misused. A proof that rows failed is a proof all the same.",
  ],
  async run(input) {
    const { values, positionals } = input;
    const pack = values.get("verify");
    const out = values.get("out");
    if ((pack === undefined) === (out === undefined)) throw unnamed(positionals[0]);
    if (pack !== undefined) return verifyPack(input, pack, positionals, proveCommand);
    return prove(input, out as string);
  },
};

/** Whoever names a pack alone wants it checked, most likely. */
function unnamed(folder: string | undefined): CurtainwallError {
  const isPack = folder !== undefined && existsSync(join(folder, "statement.json"));
  const pack = isPack ? shellWord(folder) : "pack";
  const check = `npx curtainwall prove --verify ${pack}`;
  return new CurtainwallError(
    "CLI_USAGE_INVALID",
    "Name the pack, by --out to make it or by --verify to check it.",
    {
      hint: isPack
        ? `Did you mean  ${check}?`
        : `To make one:  npx curtainwall prove --out ${pack}  To check one:  ${check}`,
    },
  );
}

async function prove({ values, positionals, flags }: CommandInput, out: string): Promise<number> {
  const { folder, target } = readArguments(positionals, proveCommand);
  const lifetimeDays = readDays(values.get("days"));
  assertPackPlace(out, flags.has("force"));
  const loaded = await loadContract(folder);
  // Found before the audit: a minute of work that nobody can sign helps nobody.
  const key = await findKey(loaded, values);
  // So is a place that can't be written to.
  makePackFolder(out, proveCommand);
  const progress = showProgress({ onlyOnTerminal: flags.has("json") });
  const audited = await auditFolder({ loaded, folder, target, values, progress }, proveCommand);
  const { result: report, stopped } = audited;
  if (stopped !== undefined) {
    removeEmptyPack(out);
    say(styled("yellow", "Stopped: nothing was signed. The rows by then:  npx curtainwall audit"));
    return stopped;
  }
  const files = await key.withSigner((signer) =>
    makeProof({ report, signer, keySource: key.source, now: Date.now(), lifetimeDays }),
  );
  writePack(out, files);
  conclude(report, key, out, flags);
  return exitCodes.done;
}

function readDays(text = "30"): number {
  const days = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > 366) throw usageError("--days takes a number from 1 to 366", proveCommand);
  return days;
}

interface ProofKey {
  readonly publicKey: string;
  readonly source: KeySource;
  withSigner<Result>(use: (signer: EnvelopeSigner) => Promise<Result>): Promise<Result>;
}

async function findKey(
  { contract, root }: LoadedContract,
  values: CommandInput["values"],
): Promise<ProofKey> {
  const file = values.get("key");
  const fd = values.get("passphrase-fd");
  if (file !== undefined) {
    const signer = await openKeyFile(file, {
      passphrase: () => askPassphrase(`Passphrase of ${file}`, { fd }),
    });
    return { publicKey: signer.publicKey.text, source: "named", withSigner: (use) => use(signer) };
  }
  // Asked for once: the vault is opened before the audit, to see that it can be, and after it, to sign.
  let passphrase: Promise<Secret> | undefined;
  const keys = await findSiteKeys(contract, stackFolders(root), {
    askPassphrase: (environment) => (passphrase ??= askVaultPassphrase(environment, fd)),
  });
  if (!keys.canSignReleases)
    throw new CurtainwallError(
      "RELEASE_KEY_MISSING",
      "This machine does not hold the release key that the contract pins, so it can't sign what it finds.",
      {
        hint: "Sign with another key, and tell who verifies its public half:  npx curtainwall prove --key <file>",
      },
    );
  await keys.withReleaseSigner(async () => undefined);
  return {
    publicKey: keys.pinned.release.text,
    source: keys.isDevelopment ? "development" : "pinned",
    withSigner: keys.withReleaseSigner,
  };
}

function conclude(
  { rows, summary, release }: AuditReport,
  { publicKey, source }: ProofKey,
  out: string,
  flags: CommandInput["flags"],
): void {
  const missing = rows.flatMap(({ checks }) => checks).filter(({ state }) => state === "missing").length;
  if (flags.has("json"))
    printJson({
      pack: out,
      key: publicKey,
      keySource: source,
      served: release?.served ?? "no release",
      summary,
      notLookedAt: missing,
    });
  else print(out);
  if (flags.has("json")) return;
  const counts = Object.entries(summary).flatMap(([verdict, count]) =>
    count > 0 ? [`${count} ${verdict}`] : [],
  );
  say(
    `${styled("green", "signed")} ${counts.join(", ")}; ${counted(missing, "check was", "checks were")} not made, which the proof says.`,
  );
  if (release?.served !== "as built")
    say(
      styled(
        "yellow",
        "It names no release as the one that is served: that was not seen, or another one was.",
      ),
    );
  if (source === "development")
    say(
      styled(
        "yellow",
        "A development key signed it, which the contract does not pin: it proves nothing to others.",
      ),
    );
  const pack = /[^\w./@:-]/.test(out) ? "<pack>" : out;
  say(`Who gets it checks it with  npx curtainwall prove --verify ${pack} --key ${publicKey}`);
}
