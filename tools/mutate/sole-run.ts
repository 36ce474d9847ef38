import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Notes that this process works in a folder that has room for one; returns how to say that it has ended.
 *
 * @throws {Error} when another one does
 */
export function claimSoleRun(file: string): () => void {
  mkdirSync(dirname(file), { recursive: true });
  const other = Number(read(file));
  if (isRunning(other))
    throw new Error(`Another run goes on in this repository, as process ${other}: wait for it, or end it.`);
  writeFileSync(file, String(process.pid));
  return () => rmSync(file, { force: true });
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("mutate");
  } catch (error) {
    // Not ours to signal, or no /proc.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
