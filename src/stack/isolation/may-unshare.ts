import { spawnSync } from "node:child_process";
import { findSystemProgram } from "../jail/system-program.ts";

let answer: boolean | undefined;

/** Whether this process can start others in a network of their own. What forbids it is many things, so that it is tried, once. */
export function mayUnshareNetwork(): boolean {
  return (answer ??= tryOnce());
}

function tryOnce(): boolean {
  const unshare = findSystemProgram("unshare");
  if (unshare === undefined || process.getuid?.() !== 0) return false;
  return spawnSync(unshare, ["--net", "--", "true"], { stdio: "ignore", env: {} }).status === 0;
}
