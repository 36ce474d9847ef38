import { lstatSync, readdirSync, realpathSync, statSync } from "node:fs";
import type { Stats } from "node:fs";
import { join, sep } from "node:path";
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

/**
 * Lists a folder's files, without reading them.
 *
 * @param follow folders outside of it into which links may lead
 * @throws {CurtainwallError} `HARDEN_FOLDER_INVALID`, `HARDEN_LINK_ESCAPES`, `HARDEN_NAME_INVALID`, `HARDEN_PATH_CONFLICT`
 */
export function walk(folder: string, follow: readonly string[] = []): Listing {
  const root = rootOf(folder);
  const allowed = [root, ...follow.map(rootOf)];
  const files: ListedFile[] = [];
  const skipped: { path: string; reason: string }[] = [];
  /** Folders still to be read: their address, where they lie, and the folders around them. */
  const open: [path: string, place: string, around: readonly string[]][] = [["", root, [root]]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [prefix, place, around] = next;
    for (const name of readdirSync(place).sort()) {
      const path = `${prefix}/${name}`;
      assertName(path, name);
      if (name.startsWith(".") && path !== "/.well-known") {
        skipped.push({ path, reason: "its name begins with a dot" });
        continue;
      }
      const found = lookAt(path, join(place, name), allowed);
      if (typeof found === "string") skipped.push({ path, reason: found });
      else if (found.stats.isDirectory()) {
        if (around.includes(found.file))
          skipped.push({ path, reason: "it leads back to a folder around it" });
        else open.push([path, found.file, [...around, found.file]]);
      } else if (found.stats.isFile()) files.push(listed(path, found.file, found.stats));
      else skipped.push({ path, reason: "it is no file" });
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
    throw hardenError("HARDEN_FOLDER_INVALID", `There is no folder ${shown(folder)}.`, {
      hint: "Name the folder that the generator wrote, for example  npx curtainwall harden dist",
      cause,
    });
  }
  if (statSync(root).isDirectory()) return root;
  throw hardenError("HARDEN_FOLDER_INVALID", `${shown(folder)} is not a folder.`, {
    hint: "Name the folder that the generator wrote, for example  npx curtainwall harden dist",
  });
}

/** Where an entry leads, or why it is left out. */
function lookAt(
  path: string,
  place: string,
  allowed: readonly string[],
): { file: string; stats: Stats } | string {
  const stats = lstatSync(place);
  if (!stats.isSymbolicLink()) return { file: place, stats };
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
  return { file, stats: statSync(file) };
}

function listed(path: string, file: string, { size, mtimeMs, ino }: Stats): ListedFile {
  return { path, file, size, mtimeMs, inode: ino };
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
