import { spawnSync } from "node:child_process";
import { chmodSync, lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CurtainwallError, printable } from "../../shared/index.ts";
import { findSystemProgram } from "./system-program.ts";

/**
 * Removes a folder that a build wrote: one with folders that nobody may enter, or so deep that its innermost have no path.
 *
 * @throws what the last attempt met
 */
export function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // These go from folder to folder, and need no paths.
    for (const [name, ...args] of [
      ["chmod", "-R", "u+rwx", "--", path],
      ["rm", "-rf", "--", path],
    ] as const)
      spawnSync(findSystemProgram(name) ?? name, args, { stdio: "ignore" });
    rmSync(path, { recursive: true, force: true });
  }
}

const folderMode = 0o755;
const fileModes = { plain: 0o644, program: 0o755 } as const;
const anyExecutes = 0o111;

/**
 * Makes a folder that a build wrote into files, folders and links with plain permissions: programs that run as their owner, and folders
 * that keep others out, would stay when the jail is gone.
 *
 * @throws {CurtainwallError} `STACK_BUILD_FAILED` for pipes, sockets and devices, which whoever reads them would wait for
 */
export function assertPlainTree(path: string, name = ""): void {
  const kind = lstatSync(path, { throwIfNoEntry: false });
  // Names that are no text come back as other names.
  if (kind === undefined) throw odd(name, "has a name that can't be read");
  if (kind.isSymbolicLink()) return;
  if (kind.isDirectory()) {
    chmodSync(path, folderMode);
    for (const entry of readdirSync(path)) assertPlainTree(join(path, entry), join(name, entry));
  } else if (kind.isFile())
    chmodSync(path, (kind.mode & anyExecutes) === 0 ? fileModes.plain : fileModes.program);
  else throw odd(name, "is neither a file, a folder nor a link");
}

const odd = (name: string, what: string): CurtainwallError =>
  new CurtainwallError(
    "STACK_BUILD_FAILED",
    `${JSON.stringify(printable(name))} in the build's output ${what}.`,
    {
      hint: "Nothing of the output was taken",
    },
  );
