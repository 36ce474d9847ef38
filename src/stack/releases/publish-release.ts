import { readFileSync, statSync } from "node:fs";
import { decodeRelease, openSignatures, programDigest, readReleaseIndex } from "../../contract/index.ts";
import type {
  EnvelopeSigner,
  Release,
  ReleaseKeys,
  ReleaseSink,
  WrittenRelease,
} from "../../contract/index.ts";
import { signRelease } from "../../release/index.ts";
import type { SignedProgram } from "../../release/index.ts";
import { openReleaseStore, readPackIndex } from "../../release/node.ts";
import type { StoredRelease } from "../../release/node.ts";
import { CurtainwallError } from "../../shared/index.ts";
import { readAccepted } from "./accepted-release.ts";
import { makeStateFolder, stackFolders } from "../folders.ts";
import type { StackFolders } from "../folders.ts";
import type { LoadedContract } from "../contract/load-contract.ts";
import { findSiteKeys } from "./release-keys.ts";
import type { FindKeysOptions } from "./release-keys.ts";
import { findProgram, neededProgram } from "./site-program.ts";

/** What {@link publishRelease} did. */
export interface PublishedRelease {
  /** The content's name. */
  readonly digest: string;
  readonly packFile: string;
  /** Of the pack. */
  readonly bytes: number;
  /** Its number. Undefined: this machine does not hold the release key, so the content is in the store and not yet the site's. */
  readonly sequence: number | undefined;
  /** False when the site had this very content already, under this very program. */
  readonly isNew: boolean;
  /** Signed with keys that were made here: fine for a try, and no protection from who can run code as this user. */
  readonly isDevelopment: boolean;
}

/** Statements that a store keeps: what can be gone back to. */
const keptReleases = 10;

/**
 * Makes a release the site's: takes it into the store, checks that it lies inside a program that was signed, signs it with the release
 * key (the vault does, where the site has one), and puts it in place of the one before, which stays until the new one is whole and on disk. A running stack serves it
 * about a second later.
 *
 * @param release a pack, or what writes one
 * @throws {CurtainwallError} `STACK_PROGRAM_UNSIGNED` when it needs a program that the program key has not signed;
 *   `RELEASE_STORE_UNWRITABLE`, `RELEASE_KEY_UNREADABLE`, `RELEASE_FORMAT_INVALID`
 */
export async function publishRelease(
  loaded: Pick<LoadedContract, "contract" | "root">,
  release: Uint8Array | ((sink: ReleaseSink) => Promise<WrittenRelease>),
  options: FindKeysOptions = {},
): Promise<PublishedRelease> {
  const folders = stackFolders(loaded.root);
  makeStateFolder(folders);
  const store = openReleaseStore(folders.releases);
  const { digest } = await store.add(
    typeof release === "function" ? release : (sink) => copyPack(release, sink),
  );
  return publishStored(loaded, digest, options);
}

async function copyPack(pack: Uint8Array, sink: ReleaseSink): Promise<{ digest: string }> {
  const { digest } = await readReleaseIndex({
    size: pack.length,
    read: (offset, length) => pack.slice(offset, offset + length),
  });
  await sink(pack);
  return { digest };
}

/**
 * Makes content of the store the site's, whether it is new or was served before: it gets a new number, so that going back is no replay.
 *
 * @param name the content's digest, or its first letters
 * @param options.renew give it a new number even if it is the site's already
 * @throws {CurtainwallError} as {@link publishRelease}, and `RELEASE_UNKNOWN`
 */
export async function publishStored(
  { contract, root }: Pick<LoadedContract, "contract" | "root">,
  name: string,
  {
    renew = false,
    lifetimeDays,
    ...finding
  }: { renew?: boolean; lifetimeDays?: number | undefined } & FindKeysOptions = {},
): Promise<PublishedRelease> {
  const folders = stackFolders(root);
  const store = openReleaseStore(folders.releases);
  const keys = await findSiteKeys(contract, folders, finding);
  const { digest, packFile } = store.find(name);
  const index = await readPackIndex(packFile);
  if (index.digest !== digest) {
    throw new CurtainwallError(
      "RELEASE_DIGEST_MISMATCH",
      `${packFile} holds another release than its name says.`,
      {
        hint: "Delete it, and build again: npx curtainwall build",
      },
    );
  }
  const program = await findProgram(index, await neededProgram({ contract, root }, index), keys, folders);
  const done = { digest, packFile, bytes: statSync(packFile).size, isDevelopment: keys.isDevelopment };

  const current = store.current();
  const accepted = readAccepted(folders);
  const isCurrent = current?.digest === digest && current.sequence >= (accepted?.sequence ?? 0);
  if (!renew && isCurrent && (await isStillGood(current, program, keys.pinned)))
    return { ...done, sequence: current.sequence, isNew: false };
  if (!keys.canSignReleases) return { ...done, sequence: undefined, isNew: true };
  const site = contract.origin;
  const sign = (signer: EnvelopeSigner, sequence: number): Promise<string> =>
    signRelease({
      release: index,
      program,
      site,
      sequence,
      signer,
      now: Date.now(),
      ...(lifetimeDays === undefined ? {} : { lifetimeDays }),
    });
  const { sequence } = await keys.withReleaseSigner((signer) =>
    store.publish((number) => sign(signer, number), accepted?.sequence),
  );
  store.collect(keptReleases);
  return { ...done, sequence, isNew: true };
}

/** The site's newest release, checked byte for byte. Undefined if there is none. @throws {CurtainwallError} as `decodeRelease` */
export async function readCurrentRelease({ releases }: StackFolders): Promise<Release | undefined> {
  const current = openReleaseStore(releases).current();
  return current === undefined ? undefined : decodeRelease(readFileSync(current.packFile));
}

/** A release that may be taken into use for longer than this needs no new number for the same content. */
const renewBeforeMs = 30 * 86_400_000;

async function isStillGood(
  current: StoredRelease,
  program: SignedProgram,
  keys: ReleaseKeys,
): Promise<boolean> {
  try {
    const { statement } = await openSignatures(current.signatures, keys);
    const isSame = statement.program === (await programDigest(program.document));
    return isSame && Date.parse(statement.expires) - Date.now() > renewBeforeMs;
  } catch {
    return false;
  }
}
