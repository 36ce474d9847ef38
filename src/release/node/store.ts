import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { parseSignatures, readReleaseIndex } from "../../contract/index.ts";
import type { ReleaseIndex, ReleaseSink, ReleaseSource, WrittenRelease } from "../../contract/index.ts";
import { CurtainwallError, fromBase64 } from "../../shared/index.ts";
import type { ReleaseErrorCode } from "../errors.ts";
import { draftName, removeLeftovers, syncFolder, writeAll, writeDraft } from "./durable.ts";

/** One entry of a store: content that was made the site's at some time. */
export interface StoredRelease {
  readonly sequence: number;
  /** Name of the content: SHA-256 of its manifest. The same content may stand under several numbers. */
  readonly digest: string;
  readonly created: string;
  readonly expires: string;
  /** The pack's file. */
  readonly packFile: string;
  /** Of the pack; undefined when it is gone. */
  readonly bytes: number | undefined;
  /** JSON of `ReleaseSignatures`. */
  readonly signatures: string;
}

/** Releases in a folder: each content once, and a growing list of signed statements which of them is the site's. */
export interface ReleaseStore {
  readonly folder: string;
  /**
   * Takes in a pack. It has no name until it is whole and on disk.
   *
   * @throws {CurtainwallError} `RELEASE_STORE_UNWRITABLE`, and what `write` throws; nothing is left behind then
   */
  add<Result extends Pick<WrittenRelease, "digest">>(
    write: (sink: ReleaseSink) => Promise<Result>,
  ): Promise<Result>;
  /**
   * Makes content the site's, under the next number. That is one step on disk: whoever looks, and whenever the machine stops, there is
   * the old list or the new one.
   *
   * @param sign gives the signatures for a number
   * @param above a number that was used before, should the store no longer know; default 0
   * @throws {CurtainwallError} `RELEASE_STORE_UNWRITABLE`, also when there is no number left, or others take each one first
   */
  publish(sign: (sequence: number) => Promise<string>, above?: number): Promise<StoredRelease>;
  /** The highest number; 0: nothing was published yet. Costs no more than a look at the folder. */
  newest(): number;
  /** Newest first. */
  list(): StoredRelease[];
  /** The newest one whose content is there. */
  current(): StoredRelease | undefined;
  /** The content's file. @throws {CurtainwallError} `RELEASE_UNKNOWN` if no content's name begins like this, or several do */
  find(digest: string): { digest: string; packFile: string };
  /** Forgets all but the newest `keep` statements, and content that no statement names any more. Gives how much was removed. */
  collect(keep: number): number;
}

const packName = /^([0-9a-f]{64})\.release$/;
const statementName = /^(\d{12})\.json$/;
const highestSequence = 999_999_999_999;
/** Publishers at the same time take the number from each other; more often than this is no race. */
const maxAttempts = 100;
/** A statement holds the program's policies and hashes: of a site with a hundred thousand pages a few megabytes. */
const maxStatementBytes = 67_108_864;
/** Content that was taken in but not yet published, perhaps by another process, is left alone for as long. */
const unpublishedMs = 3_600_000;

/** Opens the store in a folder, which is made with the first release. */
export function openReleaseStore(folder: string): ReleaseStore {
  const names = (): string[] => (existsSync(folder) ? readdirSync(folder) : []);
  const packFileOf = (digest: string): string => join(folder, `${digest}.release`);

  function sequences(): number[] {
    const found = names().flatMap((name) => statementName.exec(name)?.[1] ?? []);
    return found.map(Number).sort((left, right) => right - left);
  }

  function read(sequence: number): StoredRelease | undefined {
    const file = statementFile(folder, sequence);
    try {
      const stats = statSync(file);
      if (!stats.isFile() || stats.size > maxStatementBytes) return undefined;
      return parseStored(sequence, readFileSync(file, "utf8"), packFileOf);
    } catch (error) {
      // Collected by somebody else since the names were read.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Newest first, without files that only have a statement's name. */
  function* statements(): Generator<StoredRelease> {
    for (const sequence of sequences()) {
      const stored = read(sequence);
      if (stored !== undefined) yield stored;
    }
  }

  /** Counts on from what is a statement: a file with any number could else use all of them up. */
  function nextSequence(above: number): number {
    const [newest] = statements().take(1);
    const taken = new Set(sequences());
    let sequence = Math.max(above, newest?.sequence ?? 0) + 1;
    while (taken.has(sequence)) sequence++;
    if (sequence <= highestSequence) return sequence;
    throw new CurtainwallError<ReleaseErrorCode>(
      "RELEASE_STORE_UNWRITABLE",
      `There is no number after ${highestSequence} for a release in ${folder}.`,
      {
        hint: "No site gets that far: somebody wrote that number. Look at the newest files of the folder, and remove them",
      },
    );
  }

  function prepare(): void {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    removeLeftovers(folder);
  }

  const store: ReleaseStore = {
    folder,
    async add(write) {
      const draft = join(folder, draftName());
      const fd = guarded(folder, () => {
        prepare();
        return openSync(draft, "wx", 0o644);
      });
      try {
        const written = await write((bytes) => guarded(folder, () => writeAll(fd, bytes)));
        guarded(folder, () => {
          fsyncSync(fd);
          renameSync(draft, packFileOf(written.digest));
          syncFolder(folder);
        });
        return written;
      } finally {
        closeSync(fd);
        rmSync(draft, { force: true });
      }
    },
    async publish(sign, above = 0) {
      guarded(folder, prepare);
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const sequence = nextSequence(above);
        const text = await sign(sequence);
        const draft = join(folder, draftName());
        try {
          writeDraft(draft, Buffer.from(text), 0o644);
          // Unlike a rename this fails if somebody else took the number meanwhile.
          linkSync(draft, statementFile(folder, sequence));
          syncFolder(folder);
          const stored = parseStored(sequence, text, packFileOf);
          if (stored !== undefined) return stored;
          rmSync(statementFile(folder, sequence));
          throw new Error(`what was signed is no statement with the number ${sequence}`);
        } catch (cause) {
          if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw unwritable(folder, cause);
        } finally {
          rmSync(draft, { force: true });
        }
      }
      throw unwritable(folder, new Error(`${maxAttempts} times somebody else took the next number`));
    },
    newest: () => sequences()[0] ?? 0,
    list: () => [...statements()],
    current: () => statements().find(({ bytes }) => bytes !== undefined),
    find(prefix) {
      if (prefix.length < minPrefix) throw tooShort(prefix);
      const digests = names().flatMap((name) => packName.exec(name)?.[1] ?? []);
      const found = digests.filter((digest) => digest.startsWith(prefix.toLowerCase()));
      const [digest] = found;
      if (digest !== undefined && found.length === 1) return { digest, packFile: packFileOf(digest) };
      throw new CurtainwallError<ReleaseErrorCode>(
        "RELEASE_UNKNOWN",
        found.length > 1
          ? `Several releases begin with ${prefix}.`
          : `There is no release ${prefix.slice(0, 80)} in the store.`,
        { hint: "See what there is: npx curtainwall release list" },
      );
    },
    collect(keep) {
      const stored = [...statements().take(Math.max(keep, 1))];
      const kept = new Set(stored.map(({ sequence }) => sequence));
      const named = new Set(stored.map(({ digest }) => digest));
      const newest = stored[0]?.sequence ?? 0;
      const old = sequences().filter(
        (sequence) => !kept.has(sequence) && sequence < newest && !isFolder(statementFile(folder, sequence)),
      );
      const orphans = names().filter((name) => {
        const digest = packName.exec(name)?.[1];
        return digest !== undefined && !named.has(digest) && isOlder(join(folder, name));
      });
      // Statements first: one without its content is passed over, content without a statement is only waste.
      for (const sequence of old) rmSync(statementFile(folder, sequence), { force: true });
      for (const name of orphans) rmSync(join(folder, name), { force: true });
      return old.length + orphans.length;
    },
  };
  return store;
}

const minPrefix = 4;

function tooShort(prefix: string): CurtainwallError<ReleaseErrorCode> {
  return new CurtainwallError(
    "RELEASE_UNKNOWN",
    `${JSON.stringify(prefix)} is too short for the name of a release: it takes ${minPrefix} letters or more.`,
    { hint: "See what there is: npx curtainwall release list" },
  );
}

const statementFile = (folder: string, sequence: number): string =>
  join(folder, `${String(sequence).padStart(12, "0")}.json`);

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

function isOlder(file: string): boolean {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats !== undefined && Date.now() - stats.mtimeMs > unpublishedMs;
}

/** What a statement's file says, without believing it: whoever serves the release checks the signatures. Undefined for nonsense. */
function parseStored(
  sequence: number,
  signatures: string,
  packFileOf: (digest: string) => string,
): StoredRelease | undefined {
  const payload = fromBase64(parseSignatures(signatures)?.release.payload ?? "");
  try {
    const statement = JSON.parse(new TextDecoder().decode(payload)) as Record<string, unknown>;
    const { digest, created, expires } = statement;
    if (typeof digest !== "string" || !/^[0-9a-f]{64}$/.test(digest)) return undefined;
    // One that was copied under a higher number would be refused by whoever serves it, and hide the true one until then.
    if (statement["sequence"] !== sequence) return undefined;
    const packFile = packFileOf(digest);
    const bytes = statSync(packFile, { throwIfNoEntry: false })?.size;
    return {
      sequence,
      digest,
      created: String(created),
      expires: String(expires),
      packFile,
      bytes,
      signatures,
    };
  } catch {
    return undefined;
  }
}

/** Reads what a pack says of itself, from its end. @throws {CurtainwallError} `RELEASE_FORMAT_INVALID`, `RELEASE_UNKNOWN` */
export async function readPackIndex(file: string): Promise<ReleaseIndex> {
  const opened = openPack(file);
  try {
    return await readReleaseIndex(opened.source);
  } finally {
    opened.close();
  }
}

/** Opens a pack to read parts of it. @throws {CurtainwallError} `RELEASE_UNKNOWN` */
export function openPack(file: string): { source: ReleaseSource; close: () => void } {
  let fd: number;
  try {
    fd = openSync(file, "r");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CurtainwallError<ReleaseErrorCode>("RELEASE_UNKNOWN", `${file} can't be read: ${code}.`, {
      cause,
      hint: "See what there is: npx curtainwall release list",
    });
  }
  const source: ReleaseSource = {
    size: statSync(file).size,
    read(offset, length) {
      const bytes = new Uint8Array(length);
      let at = 0;
      for (let count = -1; at < length && count !== 0; at += count)
        count = readSync(fd, bytes, at, length - at, offset + at);
      return bytes.subarray(0, at);
    },
  };
  return { source, close: () => closeSync(fd) };
}

/** Runs what writes; a full or read-only disk gets a name. */
function guarded<Result>(folder: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    throw unwritable(folder, cause);
  }
}

function unwritable(folder: string, cause: unknown): CurtainwallError<ReleaseErrorCode> {
  const code = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
  const why = code === "ENOSPC" ? "the disk is full" : code === "EROFS" ? "the disk is read-only" : code;
  return new CurtainwallError(
    "RELEASE_STORE_UNWRITABLE",
    `The releases in ${folder} can't be written: ${why}.`,
    {
      cause,
      hint: "What was served before is untouched. Make room or give this user the folder, and run the command again",
    },
  );
}
