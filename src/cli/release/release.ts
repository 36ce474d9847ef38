import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { decodeRelease, detachManifest } from "../../contract/index.ts";
import { openPack, openReleaseStore } from "../../release/node.ts";
import type { ReleaseStore, StoredRelease } from "../../release/node.ts";
import { CurtainwallError } from "../../shared/index.ts";
import {
  assertStateUsable,
  loadContract,
  publishStored,
  readAccepted,
  recordedAction,
  stackFolders,
} from "../../stack/index.ts";
import type { LoadedContract, PublishedRelease } from "../../stack/index.ts";
import { folderArgument } from "../../stack/node.ts";
import { askVaultPassphrase } from "../secret/passphrase.ts";
import { actionError, usageError } from "../command.ts";
import type { Command, CommandInput } from "../command.ts";
import { exitCodes, print, printJson, say, styled } from "../voice.ts";

export const releaseCommand: Command = {
  name: "release",
  usage:
    "list [folder] | promote <name, number or file> [folder] | rollback [number] [folder] | export <name> <file> [folder]",
  summary: "Say which release is the site's, go back to an earlier one, hand one on",
  options: {
    days: { type: "string", says: "how long it may be taken into use (promote, rollback; default 365)" },
    manifest: { type: "boolean", says: "export the signed manifest alone, for  curtainwall verify" },
    json: { type: "boolean", says: "print the result as JSON" },
  },
  notes: [
    "A release is named by the SHA-256 of its manifest (its first letters will do) and gets a number each time it becomes the site's.",
    "promote    makes a release of the store, or of a file that was exported elsewhere, the site's",
    "rollback   makes an earlier one the site's again: the one before, or that number. It gets a new number, since the edge takes no",
    "           number below the last one; so an old release can't be slipped in, and going back is still one command",
    "export     copies a release into a file, for another machine; or its manifest, to hold a host against",
    "",
    "A stack that runs takes the new one within about a second, without dropping a request.",
  ],
  async run(input) {
    const [action, ...rest] = input.positionals;
    const run = action === undefined ? undefined : actions.get(action);
    if (run === undefined) throw actionError(action, actions.keys(), releaseCommand);
    return run(input, rest);
  },
};

type Action = (input: CommandInput, rest: readonly string[]) => Promise<number>;

const actions: ReadonlyMap<string, Action> = new Map([
  ["list", list],
  ["promote", promote],
  ["rollback", rollback],
  ["export", exportRelease],
]);

interface Site {
  loaded: LoadedContract;
  folders: ReturnType<typeof stackFolders>;
  store: ReleaseStore;
}

async function openSite(folder: string): Promise<Site> {
  const loaded = await loadContract(folder);
  const folders = stackFolders(loaded.root);
  return { loaded, folders, store: openReleaseStore(folders.releases) };
}

async function list({ flags }: CommandInput, [folder = "."]: readonly string[]): Promise<number> {
  const { folders, store } = await openSite(folder);
  // It belongs to the supervisor's user; who may not read it sees the list without.
  const served = existsSync(folders.acceptedFile) ? readAccepted(folders)?.sequence : undefined;
  const rows = store.list().map(({ sequence, digest, created, expires, bytes }, index) => ({
    sequence,
    digest,
    created,
    expires,
    bytes: bytes ?? null,
    newest: index === 0,
    servedLast: sequence === served,
  }));
  if (flags.has("json")) printJson(rows);
  else for (const row of rows) print(describeRow(row));
  if (rows.length === 0)
    say(`There is no release yet:  npx curtainwall build${folderArgument(folders.root)}`);
  return exitCodes.done;
}

interface Row {
  sequence: number;
  digest: string;
  created: string;
  expires: string;
  bytes: number | null;
  newest: boolean;
  servedLast: boolean;
}

function describeRow({ sequence, digest, created, expires, bytes, newest, servedLast }: Row): string {
  const size = bytes === null ? "content is gone" : `${Math.round(bytes / 1000).toLocaleString("en")} kB`;
  const marks = [...(newest ? ["newest"] : []), ...(servedLast ? ["served last"] : [])].join(", ");
  return `${String(sequence).padStart(5)}  ${digest.slice(0, 12)}  ${created.slice(0, 16)}  until ${expires.slice(0, 10)}  ${size}${marks === "" ? "" : `  (${marks})`}`;
}

async function promote(
  input: CommandInput,
  [what, folder = ".", ...more]: readonly string[],
): Promise<number> {
  if (what === undefined || more.length > 0) throw usageError("Name the release to promote", releaseCommand);
  const site = await openSite(folder);
  assertStateUsable(site.folders, "build");
  return publish(input, site, await findContent(site.store, what));
}

async function findContent(store: ReleaseStore, what: string): Promise<string> {
  const numbered = /^\d{1,12}$/.test(what)
    ? store.list().find(({ sequence }) => sequence === Number(what))
    : undefined;
  if (numbered !== undefined) return numbered.digest;
  if (!statSync(what, { throwIfNoEntry: false })?.isFile()) return store.find(what).digest;
  const pack = readFileSync(what);
  const { digest } = await decodeRelease(pack);
  await store.add(async (sink) => {
    await sink(pack);
    return { digest };
  });
  return digest;
}

async function rollback(input: CommandInput, rest: readonly string[]): Promise<number> {
  const isNumber = /^\d{1,12}$/.test(rest[0] ?? "");
  const [folder = ".", ...more] = isNumber ? rest.slice(1) : rest;
  if (more.length > 0) throw usageError(`"${more[0]}" is one argument too many`, releaseCommand);
  const site = await openSite(folder);
  assertStateUsable(site.folders, "build");
  const target = findEarlier(site, isNumber ? Number(rest[0]) : undefined);
  return publish(input, site, target.digest);
}

function findEarlier({ store, folders }: Site, number: number | undefined): StoredRelease {
  const releases = store.list();
  const [newest] = releases;
  const found = releases.find(({ sequence, digest, bytes }) =>
    number === undefined ? digest !== newest?.digest && bytes !== undefined : sequence === number,
  );
  if (found?.bytes !== undefined) return found;
  const what = number === undefined ? "earlier release" : `release ${number}`;
  throw new CurtainwallError("RELEASE_UNKNOWN", `There is no ${what} to go back to.`, {
    hint: `See what there is: npx curtainwall release list${folderArgument(folders.root)}`,
  });
}

async function publish({ values, flags }: CommandInput, { loaded }: Site, digest: string): Promise<number> {
  const days = values.get("days");
  if (days !== undefined && !/^[1-9]\d{0,3}$/.test(days))
    throw usageError("--days takes a number of days", releaseCommand);
  const published = await recordedAction(loaded, { action: "release publish", target: digest }, () =>
    publishStored(loaded, digest, {
      renew: true,
      askPassphrase: askVaultPassphrase,
      lifetimeDays: days === undefined ? undefined : Number(days),
    }),
  );
  if (published.sequence === undefined) {
    throw new CurtainwallError(
      "RELEASE_KEY_MISMATCH",
      "This machine does not hold the release key that the contract pins, so it can't publish.",
      {
        hint: `Run it on the host that does. To take the release there:  npx curtainwall release export ${digest.slice(0, 12)} <file>`,
      },
    );
  }
  report(published, flags);
  return exitCodes.done;
}

function report(published: PublishedRelease, flags: ReadonlySet<string>): void {
  const { sequence, digest } = published;
  if (flags.has("json")) printJson(published);
  else print(`${sequence}  ${digest}`);
  say(
    `${styled("green", "published")} release ${sequence} (${digest.slice(0, 12)}). A stack that runs takes it within about a second.`,
  );
}

async function exportRelease(
  { flags }: CommandInput,
  [what, file, folder = "."]: readonly string[],
): Promise<number> {
  if (what === undefined || file === undefined)
    throw usageError("Name the release, and the file to write", releaseCommand);
  const { store } = await openSite(folder);
  const digest = await findContent(store, what);
  const { packFile } = store.find(digest);
  if (flags.has("manifest")) writeFileSync(file, await manifestOf(store, digest, packFile));
  else copyFileSync(packFile, file);
  print(file);
  return exitCodes.done;
}

/** The manifest with its newest signatures, if it has any. */
async function manifestOf(store: ReleaseStore, digest: string, packFile: string): Promise<Uint8Array> {
  const pack = openPack(packFile);
  try {
    return await detachManifest(
      pack.source,
      store.list().find((stored) => stored.digest === digest)?.signatures,
    );
  } finally {
    pack.close();
  }
}
