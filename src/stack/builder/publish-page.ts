import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import {
  createReleaseWriter,
  openSignatures,
  outsideProgram,
  parsePublicKey,
  parseSignatures,
  readReleaseIndex,
} from "../../contract/index.ts";
import type {
  Contract,
  Encoding,
  Release,
  ReleaseFile,
  ReleaseSink,
  WrittenRelease,
} from "../../contract/index.ts";
import type { ValueFingerprints } from "../../harden/fingerprints.ts";
import type { LeakGate } from "../../harden/index.ts";
import { signRelease } from "../../release/index.ts";
import { openReleaseStore } from "../../release/node.ts";
import type { StoredRelease } from "../../release/node.ts";
import { fromBase64 } from "../../shared/index.ts";
import { readAccepted } from "../releases/accepted-release.ts";
import { stackFolders } from "../folders.ts";
import { assertNoLeaks, createContractGate, fileOf } from "../hardening/leak-gate.ts";
import { foreignForm } from "../releases/same-forms.ts";
import { vaultOfBuild, withPageSigner } from "../vault/page-signer.ts";
import type { PageSigner, VaultOfBuild } from "../vault/page-signer.ts";
import type { PageReport } from "./read-page-report.ts";
import { pageForms } from "./write-page-report.ts";

/** What publishing one page has to know of the contract, as JSON can say it. */
export interface PagePolicy {
  readonly origin: string;
  readonly publicNames: readonly string[];
  readonly privateNames: readonly string[];
  readonly leaks: Contract["leaks"];
  /** Undefined: there is none, and the release key lies in its file. */
  readonly vault: VaultOfBuild | undefined;
  /** The public keys that the site's releases are checked against. */
  readonly keys: { readonly program: string; readonly release: string };
}

/**
 * What publishing one page of a contract's site has to know. Undefined if none can be published by itself.
 *
 * @param fingerprints what the whole build was searched for
 */
export function pagePolicyOf(
  contract: Pick<Contract, "origin" | "environment" | "leaks" | "secrets" | "vault">,
  keys: PagePolicy["keys"],
  fingerprints: ValueFingerprints | undefined,
): PagePolicy | undefined {
  const { origin, environment, leaks } = contract;
  const whose = vaultOfBuild(contract, fingerprints);
  if (whose === undefined) return undefined;
  return {
    origin,
    ...whose,
    publicNames: [...environment.public.keys()],
    privateNames: [...environment.private.keys()],
    leaks,
    keys,
  };
}

/** Options of {@link publishPage}. */
export interface PublishPageOptions {
  readonly root: string;
  readonly policy: PagePolicy;
  /** The site's release: it passed the gate, and nothing that decides what passes has changed since. */
  readonly base: { readonly digest: string; readonly sequence: number };
  /** Asked for once there is what signs: a vault starts while the page is made. Undefined: it could not be made. */
  readonly page: () => Promise<PageReport | undefined>;
}

/** A release in which one page is new. */
export interface PublishedPage {
  readonly digest: string;
  readonly packFile: string;
  readonly sequence: number;
  readonly isNew: boolean;
  /** Of the pack. */
  readonly bytes: number;
  /** How much longer the page is, before compression. */
  readonly grownBy: number;
  readonly notSearched: LeakGate["notSearched"];
  /** The page's file, as the leak gate names it. */
  readonly file: string;
}

/**
 * Makes a release of the site's own, with the bytes of one page in place of those before, and publishes it. The page keeps its headers:
 * what it may run was decided with them. Its bytes pass the leak gate; those of all others have.
 *
 * Undefined when the site's release is another, this machine can't sign, or the page would need more than new bytes: then a whole build
 * has to see to it.
 *
 * @throws {CurtainwallError} `HARDEN_LEAK_FOUND`, `RELEASE_STORE_UNWRITABLE`, and what reading a release throws
 */
export async function publishPage(options: PublishPageOptions): Promise<PublishedPage | undefined> {
  const { root, policy, base } = options;
  const folders = stackFolders(root);
  const current = openReleaseStore(folders.releases).current();
  if (current?.digest !== base.digest || current.sequence !== base.sequence) return undefined;
  const acceptedSequence = readAccepted(folders)?.sequence ?? 0;
  if (acceptedSequence > current.sequence) return undefined;
  const program = await findProgram(current, policy);
  if (program === undefined) return undefined;
  const { origin, vault, keys } = policy;
  return withPageSigner({ origin, vault, publicKey: keys.release, folders }, async (signer) => {
    const page = await options.page();
    return page && publishIn(current, page, { ...options, ...program, ...signer, acceptedSequence });
  });
}

interface PublishInOptions extends Omit<PublishPageOptions, "page">, SignedFor, PageSigner {
  readonly acceptedSequence: number;
}

async function publishIn(
  { packFile }: StoredRelease,
  page: PageReport,
  { root, policy, base, program, permits, signer, fingerprints, acceptedSequence }: PublishInOptions,
): Promise<PublishedPage | undefined> {
  const store = openReleaseStore(stackFolders(root).releases);
  const release = await openPackFile(packFile);
  const file = release.manifest.files.find(({ path }) => path === page.path);
  if (release.digest !== base.digest || file === undefined) return undefined;
  if (!hasSameForms(file, page) || !isPage(file) || foreignForm(page.bytes) !== undefined) return undefined;
  if (outsideProgram({ ...release.manifest, files: [file] }, permits).length > 0) return undefined;
  const notSearched = inspect(page, policy, { root, fingerprints });
  if (notSearched === undefined) return undefined;

  const written = await store.add((sink) => writeRelease(release, page, sink));
  const done = {
    digest: written.digest,
    packFile: store.find(written.digest).packFile,
    bytes: written.bytes,
    grownBy: (page.bytes.identity?.length ?? 0) - (file.variants[0]?.length ?? 0),
    notSearched,
    file: fileOf(page.path),
  };
  if (written.digest === base.digest) return { ...done, sequence: base.sequence, isNew: false };
  const named = { digest: written.digest, manifest: written.manifest };
  const site = policy.origin;
  const { sequence } = await store.publish(
    (number) => signRelease({ release: named, program, signer, site, sequence: number, now: Date.now() }),
    acceptedSequence,
  );
  store.collect(keptReleases);
  return { ...done, sequence, isNew: true };
}

/** As for a whole build. */
const keptReleases = 10;

const digestOf = (bytes: Uint8Array): Uint8Array => hash("sha256", bytes, "buffer");

interface SignedFor {
  readonly program: Parameters<typeof signRelease>[0]["program"];
  readonly permits: Parameters<typeof outsideProgram>[1];
}

/** The program that the site's release lies in; undefined if there is none, or another's. */
async function findProgram(
  { signatures }: StoredRelease,
  { keys }: PagePolicy,
): Promise<SignedFor | undefined> {
  const program = parsePublicKey(keys.program);
  const release = parsePublicKey(keys.release);
  const envelope = parseSignatures(signatures)?.program;
  if (program === undefined || release === undefined || envelope === undefined) return undefined;
  const { program: permits } = await openSignatures(signatures, { program, release });
  const document = new TextDecoder().decode(fromBase64(envelope.payload));
  return { program: { document, envelope }, permits };
}

/** Its headers say whether a file has forms to choose from. */
const hasSameForms = ({ variants }: ReleaseFile, { bytes }: PageReport): boolean =>
  pageForms.every(
    (form) => variants.some(({ encoding }) => encoding === form) === (bytes[form] !== undefined),
  );

const isPage = ({ headers }: ReleaseFile): boolean =>
  headers.some(([name, value]) => name === "content-type" && value.startsWith("text/html"));

/** The headers and all other files passed with the release before. Undefined: the gate has something to say, which the whole build tells. */
function inspect(
  page: PageReport,
  policy: PagePolicy,
  { root, fingerprints }: Pick<PublishInOptions, "root" | "fingerprints">,
): LeakGate["notSearched"] | undefined {
  const schemas = (names: readonly string[]): ReadonlyMap<string, z.ZodUnknown> =>
    new Map(names.map((name) => [name, z.unknown()]));
  const environment = { public: schemas(policy.publicNames), private: schemas(policy.privateNames) };
  const gate = createContractGate({
    contract: { environment, leaks: policy.leaks },
    root,
    variables: process.env,
    fingerprints,
  });
  const bytes = page.bytes.identity ?? new Uint8Array();
  const found = gate.inspect({ path: fileOf(page.path), bytes });
  // That an exception met nothing means nothing here: the others may.
  assertNoLeaks([...found, ...gate.finish()]);
  return found.length > 0 ? undefined : gate.notSearched;
}

interface OpenPack extends Pick<Release, "manifest" | "digest"> {
  readonly pack: Uint8Array;
  readonly bodyStart: number;
}

/**
 * Reads a release of ours. Its files' bytes are not compared with their digests once more: that is done by whoever serves it, and this
 * one is the release that the last build wrote, by its place on the disk.
 */
async function openPackFile(file: string): Promise<OpenPack> {
  const pack = readFileSync(file);
  const { manifest, digest } = await readReleaseIndex({
    size: pack.length,
    read: (offset, length) => pack.subarray(offset, offset + length),
  });
  // A pack begins with a line that says so, and the files' bytes follow.
  return { manifest, digest, pack, bodyStart: pack.indexOf(newline) + 1 };
}

const newline = 10;

/** Copies the release, with the page's forms in place of those before. */
async function writeRelease(
  { manifest, pack, bodyStart }: OpenPack,
  page: PageReport,
  sink: ReleaseSink,
): Promise<WrittenRelease & Pick<Release, "manifest">> {
  const digests = new Map<Uint8Array, string>();
  const together = joined(sink);
  const writer = createReleaseWriter(together.add, (bytes) => {
    const digest = digests.get(bytes);
    return digest === undefined ? digestOf(bytes) : Buffer.from(digest, "hex");
  });
  const files: ReleaseFile[] = [];
  for (const file of manifest.files) {
    const bytes: Partial<Record<Encoding, Uint8Array>> = {};
    const variants = file.variants.map((variant) => {
      const { encoding, offset, length, sha256 } = variant;
      if (file.path !== page.path) {
        const part = pack.subarray(bodyStart + offset, bodyStart + offset + length);
        digests.set(part, sha256);
        bytes[encoding] = part;
        return variant;
      }
      const part = page.bytes[encoding] ?? new Uint8Array();
      bytes[encoding] = part;
      return { ...variant, length: part.length, sha256: hash("sha256", part) };
    });
    await writer.add({ path: file.path, headers: file.headers, bytes });
    files.push({ ...file, variants });
  }
  const { format, files: _before, ...extras } = manifest;
  const written = await writer.finish(extras);
  await together.flush();
  return { ...written, manifest: { format, files, ...extras } };
}

/** Hands on in one piece what lies in memory in one piece: a call of the system for each of some thousand parts takes longer than all else. */
function joined(sink: ReleaseSink): { add: ReleaseSink; flush: () => Promise<void> } {
  let waiting: Uint8Array | undefined;
  const flush = async (): Promise<void> => {
    if (waiting !== undefined) await sink(waiting);
    waiting = undefined;
  };
  return {
    flush,
    async add(bytes) {
      if (waiting === undefined || !follows(bytes, waiting)) await flush();
      waiting =
        waiting === undefined
          ? bytes
          : new Uint8Array(waiting.buffer, waiting.byteOffset, waiting.length + bytes.length);
    },
  };
}

const follows = (bytes: Uint8Array, before: Uint8Array): boolean =>
  bytes.buffer === before.buffer && bytes.byteOffset === before.byteOffset + before.length;
