import { lstatSync, readFileSync, readdirSync, realpathSync } from "node:fs";
import { join, relative } from "node:path";
import { CurtainwallError } from "../../shared/index.ts";
import { meantFolder } from "../../shared/node.ts";
import type { CliErrorCode } from "../errors.ts";

/** A file of a folder: its bytes, or why there are none. */
export type FileOfFolder =
  | { readonly path: string; readonly bytes: Uint8Array }
  | { readonly path: string; readonly bytes: undefined; readonly why: string };

/** The largest file that is read whole. */
const maxBytes = 1_073_741_824;

/**
 * Reads a folder's files one by one, in the order of their names. Follows no symbolic link.
 *
 * @throws {CurtainwallError} `CLI_USAGE_INVALID` if there is no such folder
 */
export function* filesOf(folder: string): Generator<FileOfFolder> {
  if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    const code: CliErrorCode = "CLI_USAGE_INVALID";
    const meant = meantFolder(folder);
    throw new CurtainwallError(code, `There is no folder ${folder}.`, {
      hint: meant === undefined ? "Name the folder that a build wrote" : `Did you mean  ${meant}?`,
    });
  }
  yield* below(folder, "");
}

function* below(folder: string, path: string): Generator<FileOfFolder> {
  const entries = readdirSync(join(folder, path), { withFileTypes: true });
  for (const entry of entries.sort((left, right) => (left.name < right.name ? -1 : 1))) {
    const inner = path === "" ? entry.name : `${path}/${entry.name}`;
    if (entry.isDirectory()) yield* below(folder, inner);
    else if (entry.isFile()) yield readOne(folder, inner);
    else if (!entry.isSymbolicLink() || leadsOut(folder, inner))
      yield { path: inner, bytes: undefined, why: "a link that leads out of the folder, or no file at all" };
  }
}

/** A link within the folder leads to what is read anyway. */
function leadsOut(folder: string, path: string): boolean {
  try {
    return relative(realpathSync(folder), realpathSync(join(folder, path))).startsWith("..");
  } catch {
    return true;
  }
}

function readOne(folder: string, path: string): FileOfFolder {
  const file = join(folder, path);
  const { size } = lstatSync(file);
  if (size > maxBytes) return { path, bytes: undefined, why: `larger than ${maxBytes} bytes` };
  try {
    return { path, bytes: readFileSync(file) };
  } catch (error) {
    return {
      path,
      bytes: undefined,
      why: `can't be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`,
    };
  }
}
