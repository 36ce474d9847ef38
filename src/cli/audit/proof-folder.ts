import { existsSync, mkdirSync, readdirSync, rmSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { CurtainwallError } from "../../shared/index.ts";
import { unwritable } from "./audit-files.ts";
import type { Command } from "../command.ts";

/** What makes up a pack. A folder with anything else is somebody's, and is never written over. */
const packFiles = new Set(["statement.json", "report.json", "report.html"]);

/**
 * Sees that a pack may be written there.
 *
 * @throws {CurtainwallError} `CLI_FILE_EXISTS` for anything but an empty folder, or, if it is forced, a pack
 */
export function assertPackPlace(out: string, isForced: boolean): void {
  const stats = statSync(out, { throwIfNoEntry: false });
  if (stats === undefined) return;
  const names = stats.isDirectory() ? readdirSync(out) : [undefined];
  if (names.length === 0) return;
  const isPack = names.every((name) => name !== undefined && packFiles.has(name));
  if (isPack && isForced) return;
  throw new CurtainwallError(
    "CLI_FILE_EXISTS",
    `${out} is there already${isPack ? "" : ", and is no pack"}.`,
    {
      hint: `Write another:  --out ${join(dirname(out), "proof-2")}${isPack ? "   or over it:  --force" : ""}`,
    },
  );
}

/** Makes the folder of a pack. @throws {CurtainwallError} `CLI_USAGE_INVALID` where none can be made */
export function makePackFolder(out: string, command: Command): void {
  makeFolder(resolve(out), (error) => unwritable("out", out, { error, command }));
}

/** Removes the folder of a pack that was never written. */
export function removeEmptyPack(out: string): void {
  if (existsSync(out) && readdirSync(out).length === 0) rmdirSync(out);
}

/** Folder by folder: told to make all of them, Node tries without end in a file system that takes none, such as /proc. */
function makeFolder(folder: string, refused: (error: unknown) => unknown): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder), refused);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    throw refused(error);
  }
}

/** Writes a pack, in place of the one that may be there. */
export function writePack(out: string, files: ReadonlyMap<string, string>): void {
  // All of them first: of two packs, no statement stands beside the other's report.
  for (const name of packFiles) rmSync(join(out, name), { force: true });
  for (const [name, content] of files) writeFileSync(join(out, name), content, { mode: 0o600, flag: "wx" });
}
