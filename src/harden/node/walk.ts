import { lstatSync, readdirSync, realpathSync, statSync } from "node:fs";
import type { Stats } from "node:fs";
import { join, sep } from "node:path";
import { meantFolder } from "../../shared/node.ts";
import { hardenError, shown } from "./harden-error.ts";

/** A file of the site, as it was when the folder was listed. */
export interface ListedFile {
  /** Its address: an absolute path, decoded. */
  readonly path: string;
  /** Where it lies: absolute, with links resolved. */
  readonly file: string;
  readonly size: number;
  readonly mtimeMs: number;
  readonly inode: number;
}

/** What a folder holds. */
export interface Listing {
  /** Sorted by path. */
  readonly files: readonly ListedFile[];
  /** Left out, with the reason. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

/** A control character, or what some file systems or servers read as a separator. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const unusable = /[\u0000-\u001f\u007f\\]/;

/** Entries that may be met again because a link leads to their folder: ten folders that link to each other have millions of paths. */
const maxRepeated = 100_000;

/**
 * Lists a folder's files, without reading them.
 *
 * @param follow folders outside of it into which links may lead
 * @throws {CurtainwallError} `HARDEN_FOLDER_INVALID`, `HARDEN_LINK_ESCAPES`, `HARDEN_LINKS_MULTIPLY`, `HARDEN_NAME_INVALID`,
 *   `HARDEN_PATH_CONFLICT`
 */
export function walk(folder: string, follow: readonly string[] = []): Listing {
  const root = rootOf(folder);
  const allowed = [root, ...follow.map(rootOf)];
  const files: ListedFile[] = [];
  const skipped: { path: string; reason: string }[] = [];
  /** Folders still to be read: their address, where they lie, and the folders around them. */
  const open: [path: string, place: string, around: readonly string[]][] = [["", root, [root]]];
  /** A folder under a second name is not asked for again. */
  const known = new Map<string, readonly Entry[]>();
  let repeated = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [prefix, place, around] = next;
    const before = known.get(place);
    const entries = before ?? entriesOf(prefix, place, allowed);
    known.set(place, entries);
    if (before !== undefined) repeated += Math.max(before.length, 1);
    if (repeated > maxRepeated) throw multiplied(prefix);
    for (const { name, found } of entries) {
      const path = `${prefix}/${name}`;
      if (typeof found === "string") skipped.push({ path, reason: found });
      else if (found.isFolder) {
        if (around.includes(found.file))
          skipped.push({ path, reason: "it leads back to a folder around it" });
        else open.push([path, found.file, [...around, found.file]]);
      } else {
        const { file, size, mtimeMs, inode } = found;
        files.push({ path, file, size, mtimeMs, inode });
      }
    }
  }
  files.sort(byPath);
  assertDistinct(files);
  return { files, skipped: skipped.sort(byPath) };
}

function rootOf(folder: string): string {
  let root;
  try {
    root = realpathSync(folder);
  } catch (cause) {
    const meant = meantFolder(folder);
    throw hardenError("HARDEN_FOLDER_INVALID", `There is no folder ${shown(folder)}.`, {
      hint:
        meant === undefined
          ? "Name the folder that the generator wrote, for example  npx curtainwall harden dist"
          : `Did you mean  ${meant}?`,
      cause,
    });
  }
  if (statSync(root).isDirectory()) return root;
  throw hardenError("HARDEN_FOLDER_INVALID", `${shown(folder)} is not a folder.`, {
    hint: "Name the folder that the generator wrote, for example  npx curtainwall harden dist",
  });
}

/** A name in a folder, and where it leads, or why it is left out. */
interface Entry {
  readonly name: string;
  readonly found: Found | string;
}

interface Found extends Omit<ListedFile, "path"> {
  readonly isFolder: boolean;
}

function entriesOf(prefix: string, place: string, allowed: readonly string[]): Entry[] {
  return readdirSync(place)
    .sort()
    .map((name) => {
      const path = `${prefix}/${name}`;
      assertName(path, name);
      // What a dot hides may be a link to anywhere: it is not looked at.
      const isHidden = name.startsWith(".") && path !== "/.well-known";
      return {
        name,
        found: isHidden ? "its name begins with a dot" : lookAt(path, join(place, name), allowed),
      };
    });
}

/** Where an entry leads, or why it is left out. */
function lookAt(path: string, place: string, allowed: readonly string[]): Found | string {
  const stats = lstatSync(place);
  if (!stats.isSymbolicLink()) return foundAt(place, stats);
  let file;
  try {
    file = realpathSync(place);
  } catch {
    return "it is a link to nothing";
  }
  if (!allowed.some((root) => file === root || file.startsWith(root + sep))) {
    throw hardenError(
      "HARDEN_LINK_ESCAPES",
      `${shown(path)} is a link that leads out of the folder, to ${shown(file)}.`,
      {
        hint: `If what lies there may be published:  --follow ${file.slice(0, file.lastIndexOf(sep)) || sep}`,
      },
    );
  }
  return foundAt(file, statSync(file));
}

function multiplied(path: string): ReturnType<typeof hardenError> {
  return hardenError(
    "HARDEN_LINKS_MULTIPLY",
    `Links between folders lead to the same files over and over: ${maxRepeated.toLocaleString("en")} entries were met again, the last in ${shown(path)}.`,
    { hint: "Remove the links among folders that link to each other:  find <folder> -type l -xtype d" },
  );
}

function foundAt(file: string, stats: Stats): Found | string {
  const { size, mtimeMs, ino } = stats;
  const isFolder = stats.isDirectory();
  return isFolder || stats.isFile() ? { file, isFolder, size, mtimeMs, inode: ino } : "it is no file";
}

function assertName(path: string, name: string): void {
  if (!unusable.test(name) && name.isWellFormed()) return;
  throw hardenError(
    "HARDEN_NAME_INVALID",
    `${shown(path)} can't be an address: it has a control character or a backslash.`,
    {
      hint: "Rename the file",
    },
  );
}

/** Some hosts and developers' disks don't tell letters' case apart: there one file would take the other's place. */
function assertDistinct(files: readonly ListedFile[]): void {
  const seen = new Map<string, string>();
  for (const { path } of files) {
    const key = path.normalize("NFC").toLowerCase();
    const other = seen.get(key);
    if (other !== undefined) {
      throw hardenError(
        "HARDEN_PATH_CONFLICT",
        `${shown(other)} and ${shown(path)} are one address where case does not count.`,
        {
          hint: "Rename or remove one of the two",
        },
      );
    }
    seen.set(key, path);
  }
}

const byPath = (left: { path: string }, right: { path: string }): number => (left.path < right.path ? -1 : 1);
