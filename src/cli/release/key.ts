import { existsSync, readFileSync } from "node:fs";
import { outsideProgram, parsePublicKey } from "../../contract/index.ts";
import type { Contract, EnvelopeSigner, Program, ReleaseIndex } from "../../contract/index.ts";
import {
  createKeyFile,
  openKeyFile,
  openOrCreateKeyFile,
  openReleaseStore,
  openSshKey,
  readPackIndex,
  readPublicHalf,
  writeWhole,
} from "../../release/node.ts";
import { CurtainwallError, counted } from "../../shared/index.ts";
import type { Secret } from "../../shared/index.ts";
import {
  findSiteKeys,
  findVaultReleaseKey,
  hasVault,
  loadContract,
  functionsOutside,
  neededProgram,
  readSignedProgram,
  signProgram,
  stackFolders,
} from "../../stack/index.ts";
import { folderArgument } from "../../stack/node.ts";
import { actionError, usageError } from "../command.ts";
import type { Command, CommandInput } from "../command.ts";
import { describePermissions } from "../plan/describe-permissions.ts";
import { askPassphrase, askVaultPassphrase } from "../secret/passphrase.ts";
import { exitCodes, print, printJson, say, styled } from "../voice.ts";

export const keyCommand: Command = {
  name: "key",
  usage: "new <file> | show [folder] | export-public <file> | release [folder] | sign [folder] --key <file>",
  summary: "The two keys: one signs what may run, the other signs each release",
  options: {
    key: { type: "string", says: "the program key's file" },
    ssh: { type: "string", says: "an OpenSSH Ed25519 key instead; its .pub file if an agent holds it" },
    "passphrase-fd": {
      type: "string",
      says: "read the passphrase from this descriptor; npx hands none on: node_modules/.bin/curtainwall does, and both take it from stdin",
    },
    json: { type: "boolean", says: "print the result as JSON" },
  },
  notes: [
    "new             make a program key, on a developer's machine; asks for a passphrase twice",
    "release         make the host's release key, if there is none, and print its public half",
    "show            say which keys a site's releases are checked against, and which of them are here",
    "export-public   print the public half of a key file; without its passphrase while <file>.pub lies beside it",
    "sign            sign the program that the last build needs, after saying what it newly permits; writes",
    "                curtainwall.program.json beside the contract, which belongs into the repository",
    "",
    'Pin both in the contract:  keys: { program: "ed25519:…", release: "ed25519:…" }',
    "Without that, development keys are made on the first build: they protect nothing from who can run code as you.",
  ],
  async run(input) {
    const [action, ...rest] = input.positionals;
    const run = action === undefined ? undefined : actions.get(action);
    if (run === undefined) throw actionError(action, actions.keys(), keyCommand);
    return run(input, rest);
  },
};

type Action = (input: CommandInput, rest: readonly string[]) => Promise<number>;

const actions: ReadonlyMap<string, Action> = new Map([
  ["new", makeProgramKey],
  ["release", makeReleaseKey],
  ["show", showKeys],
  ["export-public", exportPublic],
  ["sign", signPendingProgram],
]);

async function makeProgramKey(
  { values, flags }: CommandInput,
  [file, ...more]: readonly string[],
): Promise<number> {
  if (file === undefined || more.length > 0)
    throw usageError("Name the file that the key goes into", keyCommand);
  if (existsSync(file)) throw keyExists(file);
  const source = { fd: values.get("passphrase-fd") };
  const key = createKeyFile(file, await askPassphrase("Passphrase of the new key", source, true));
  if (flags.has("json")) printJson({ file, publicKey: key.text });
  else print(key.text);
  say(`${styled("green", "made")} ${file}, encrypted, and ${file}.pub`);
  say(
    `Pin it:  keys: { program: "${key.text}", release: "…" },   the other comes from the host: npx curtainwall key release`,
  );
  say("Keep the file and its passphrase off the host, and a copy of both where you find it in five years.");
  return exitCodes.done;
}

function keyExists(file: string): CurtainwallError {
  return new CurtainwallError("RELEASE_KEY_EXISTS", `There is something in ${file} already.`, {
    hint: "Choose another name",
  });
}

async function makeReleaseKey({ flags }: CommandInput, [folder = "."]: readonly string[]): Promise<number> {
  const { contract, root } = await loadContract(folder);
  const { releaseKeyFile } = stackFolders(root);
  if (hasVault(contract)) return takeVaultKey(contract, root, flags);
  const { signer, isNew } = await openOrCreateKeyFile(releaseKeyFile);
  const { text } = signer.publicKey;
  if (flags.has("json")) printJson({ file: releaseKeyFile, publicKey: text, isNew });
  else print(text);
  say(
    `${isNew ? styled("green", "made") : "it was there already:"} ${releaseKeyFile}, not encrypted: whoever is this user can sign content with it, and nothing that runs.`,
  );
  return exitCodes.done;
}

/** The vault's own: made there, or handed over from the file that it was in. */
async function takeVaultKey(contract: Contract, root: string, flags: CommandInput["flags"]): Promise<number> {
  const folders = stackFolders(root);
  const wasInFile = existsSync(folders.releaseKeyFile);
  const key = await findVaultReleaseKey(contract, folders, {
    create: true,
    askPassphrase: askVaultPassphrase,
  });
  if (wasInFile) await key?.withSigner(async () => undefined);
  const { text = "" } = key?.publicKey ?? {};
  if (flags.has("json")) printJson({ vault: true, publicKey: text, handedOver: wasInFile });
  else print(text);
  say(
    `${wasInFile ? `${styled("green", "handed over")} ${folders.releaseKeyFile} is gone:` : "It is"} in the vault: no build has it, and each asks the vault to sign.`,
  );
  return exitCodes.done;
}

async function showKeys({ flags }: CommandInput, [folder = "."]: readonly string[]): Promise<number> {
  const { contract, root } = await loadContract(folder);
  const folders = stackFolders(root);
  const keys = await findSiteKeys(contract, folders);
  const shown = {
    program: keys.pinned.program.text,
    release: keys.pinned.release.text,
    pinned: !keys.isDevelopment,
    releaseKeyIsHere: keys.canSignReleases,
    programIsSigned: keys.isDevelopment || (await readSignedProgram(folders, keys.pinned)) !== undefined,
  };
  if (flags.has("json")) {
    printJson(shown);
    return exitCodes.done;
  }
  print(`program  ${shown.program}\nrelease  ${shown.release}`);
  say(
    shown.pinned
      ? "Pinned in the contract."
      : styled("yellow", "Development keys, made here: the contract pins none."),
  );
  if (!shown.releaseKeyIsHere)
    say("This machine does not hold the release key: it can build, and not publish.");
  const where = folderArgument(root);
  if (!shown.programIsSigned)
    say(
      `No program was signed yet:  npx curtainwall build${where} && npx curtainwall key sign${where} --key <file>`,
    );
  return exitCodes.done;
}

async function exportPublic({ values }: CommandInput, [file, ...more]: readonly string[]): Promise<number> {
  if (file === undefined || more.length > 0) throw usageError("Name the key's file", keyCommand);
  const fromSsh = existsSync(file) ? parsePublicKey(readFileSync(file, "utf8").trim()) : undefined;
  const source = { fd: values.get("passphrase-fd") };
  const passphrase = (): Promise<Secret> => askPassphrase(`Passphrase of ${file}`, source);
  const key = fromSsh ?? (await readPublicHalf(file, { passphrase }));
  print(key.text);
  return exitCodes.done;
}

async function signPendingProgram(input: CommandInput, [folder = "."]: readonly string[]): Promise<number> {
  const loaded = await loadContract(folder);
  const folders = stackFolders(loaded.root);
  const keys = loaded.contract.keys;
  if (keys === undefined)
    throw usageError("The contract pins no keys, and development keys sign by themselves", keyCommand);
  const index = await pendingRelease(folders);
  // Read off the release again: what lies on disk since the build says only which release is meant.
  const program = await neededProgram(loaded, index);
  // One that was signed with a former key is replaced.
  const before = await readSignedProgram(folders, keys).catch(() => undefined);
  describe(program, before?.program, index);
  const signer = await openSigner(input);
  if (signer.publicKey.text !== keys.program.text) {
    throw new CurtainwallError(
      "RELEASE_KEY_MISMATCH",
      `The contract pins the program key ${keys.program.text}, and this is ${signer.publicKey.text}.`,
      {
        hint: "Sign with the pinned key, or pin this one in the contract if you mean to change it",
      },
    );
  }
  const { envelope } = await signProgram(program, signer);
  writeWhole(folders.programFile, Buffer.from(`${JSON.stringify(envelope, null, 2)}\n`), 0o644);
  if (input.flags.has("json")) printJson({ file: folders.programFile, release: index.digest, program });
  else print(folders.programFile);
  say(
    `${styled("green", "signed")} Commit it, and publish:  npx curtainwall release promote ${index.digest.slice(0, 12)}${folderArgument(loaded.root)}`,
  );
  return exitCodes.done;
}

async function pendingRelease(folders: ReturnType<typeof stackFolders>): Promise<ReleaseIndex> {
  if (!existsSync(folders.pendingProgramFile)) {
    throw new CurtainwallError("RELEASE_UNKNOWN", "No build waits for a signature.", {
      hint: `Build it first: npx curtainwall build${folderArgument(folders.root)}`,
    });
  }
  const digest = readFileSync(folders.pendingProgramFile, "utf8").trim();
  return readPackIndex(openReleaseStore(folders.releases).find(digest).packFile);
}

/** Says what a signature would permit, before there is one. */
function describe(program: Program, before: Program | undefined, { manifest, digest }: ReleaseIndex): void {
  const hashes = new Set(
    program.policy.flatMap(([, sources]) => sources).filter((source) => source.includes("'sha")),
  );
  say(
    `The program of release ${digest.slice(0, 12)}: ${counted(manifest.files.length, "file")}, ${counted(program.code.length, "script or stylesheet", "scripts and stylesheets")}, ${counted(hashes.size, "inline hash", "inline hashes")}, for ${program.site}`,
  );
  for (const line of functionsOutside(program, before ?? { functions: [] })) say(`Of functions, ${line}.`);
  const news = before === undefined ? [] : outsideProgram(manifest, before, 50);
  if (before === undefined) {
    say("It is the first one. Browsers may run and load:");
    for (const line of describePermissions(program, manifest)) say(`  ${line}`);
  } else {
    if (before.contract !== program.contract) say("The contract's routes change.");
    say(
      news.length === 0
        ? "For browsers it permits nothing new."
        : "New, against the program that was signed before:",
    );
    for (const line of news) say(`  ${line}`);
    if (news.length === 50) say("  … and more");
  }
}

function openSigner({ values }: CommandInput): EnvelopeSigner | Promise<EnvelopeSigner> {
  const ssh = values.get("ssh");
  const file = values.get("key");
  if ((ssh === undefined) === (file === undefined))
    throw usageError("Name the program key, by --key or by --ssh", keyCommand);
  if (ssh !== undefined) return openSshKey(ssh, "program");
  const source = { fd: values.get("passphrase-fd") };
  return openKeyFile(file as string, { passphrase: () => askPassphrase(`Passphrase of ${file}`, source) });
}
