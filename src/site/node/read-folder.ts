import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import type { Dirent } from "node:fs";
import { join, relative, sep } from "node:path";
import { siteError } from "../errors.ts";
import type { SourceFile } from "../source.ts";

/** Options of {@link readFolder}. */
export interface ReadFolderOptions {
  /** The contract's folder; messages name files relative to it. */
  root: string;
  /** The contract's option that names the folder, like `site.content`. */
  option: string;
  /** What to do with names that begin with a dot. Default `"refuse"`. */
  dotFiles?: "refuse" | "skip";
}

/** Editors and systems leave these everywhere; they are nobody's content. */
const litter = new Set([".DS_Store", "Thumbs.db", ".gitkeep", ".gitignore"]);

/**
 * Reads all files of a folder, sorted by path. Follows no symbolic link, so that nothing outside of the folder is published.
 *
 * @throws {CurtainwallError} `SITE_FOLDER_MISSING`, `SITE_FILE_REFUSED`
 */
export async function readFolder(folder: string, options: ReadFolderOptions): Promise<SourceFile[]> {
  const named = toUrlPath(relative(options.root, folder));
  const files: string[] = [];
  const pending = [""];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const entry of await list(join(folder, path), named, options.option)) {
      const inner = path === "" ? entry.name : `${path}/${entry.name}`;
      const kind = classify(entry, `${named}/${inner}`, path === "", options.dotFiles ?? "refuse");
      if (kind === "folder") pending.push(inner);
      if (kind === "file") files.push(inner);
    }
  }
  files.sort();
  return files.map((path) => {
    const file = `${named}/${path}`;
    return { path, file, bytes: readBytes(join(folder, path), file) };
  });
}

const toUrlPath = (path: string): string => path.split(sep).join("/");

async function list(folder: string, named: string, option: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    throw siteError("SITE_FOLDER_MISSING", `the folder ${named} can't be read.`, {
      hint: `The contract's ${option} names it, relative to the contract: make it, or correct the name`,
      cause,
    });
  }
}

function classify(
  entry: Dirent,
  file: string,
  top: boolean,
  dotFiles: "refuse" | "skip",
): "file" | "folder" | "skip" {
  const place = { file };
  if (litter.has(entry.name)) return "skip";
  if (entry.name.startsWith(".") && !(top && entry.name === ".well-known" && entry.isDirectory())) {
    if (dotFiles === "skip") return "skip";
    throw siteError("SITE_FILE_REFUSED", "files whose name begins with a dot are not published.", {
      place,
      hint: "They hold settings and secrets more often than pages: move it out of this folder",
    });
  }
  if (entry.isSymbolicLink()) {
    throw siteError(
      "SITE_FILE_REFUSED",
      "symbolic links are not followed: they may lead out of the folder.",
      {
        place,
        hint: "Put the file itself here",
      },
    );
  }
  if (entry.isDirectory()) return "folder";
  if (!entry.isFile()) throw siteError("SITE_FILE_REFUSED", "it is neither a file nor a folder.", { place });
  if (/\.map$|\.env(?:\.|$)/i.test(entry.name)) {
    throw siteError("SITE_FILE_REFUSED", "source maps and .env files are not published.", {
      place,
      hint: "They tell more than a visitor should know: move it out of this folder",
    });
  }
  return "file";
}

/** At once: for a thousand small files, waiting for each takes several times as long as reading it. */
function readBytes(path: string, file: string): Uint8Array {
  try {
    // Refuses a file that became a symbolic link after it was listed.
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return readFileSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw siteError("SITE_FILE_REFUSED", "it can't be opened.", { place: { file }, cause });
  }
}
