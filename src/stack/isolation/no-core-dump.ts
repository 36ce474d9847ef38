import { spawnSync } from "node:child_process";
import { findSystemProgram } from "../jail/system-program.ts";

/**
 * The size of a core dump that keeps one from being written: smaller than any, and the one value at which Linux starts no program that takes dumps
 * either (`|` in `core_pattern`), of which some go by no limit.
 *
 * @see core(5), and do_coredump() in Linux' fs/coredump.c
 */
export const noCoreDump = "--core=1";

/** From now on this process, and what it starts, writes no file with its memory when it crashes: somebody is about to tell it a secret. */
export function forbidCoreDumps(): void {
  const prlimit = findSystemProgram("prlimit");
  // Without util-linux it stays as its parent has it.
  if (prlimit !== undefined)
    spawnSync(prlimit, [noCoreDump, "--pid", String(process.pid)], { stdio: "ignore" });
}
