import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** Where a system keeps its programs, when PATH says nothing. */
const usual = ["/usr/bin", "/bin", "/usr/local/bin"];

/**
 * Finds a program of the system. npm puts `node_modules/.bin` before all else in PATH, and a package may bring a program of any name:
 * what makes a jail must not come from what is put into it.
 *
 * @returns its absolute path; undefined when there is none
 */
export function findSystemProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...usual];
  return folders
    .filter((folder) => isAbsolute(folder) && !folder.split("/").includes("node_modules"))
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
