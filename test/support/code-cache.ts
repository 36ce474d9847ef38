// Imported before the tests: their processes, and the commands that they start, hundreds of each, read the same source files. What the
// first one made of a file (types stripped, compiled) serves the others; from source, a command takes half the time. Gone with the run.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

if (process.env.NODE_COMPILE_CACHE === undefined) {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-test-code-"));
  process.env.NODE_COMPILE_CACHE = folder;
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
}

/** For a process that a test gives an environment of its own: without it each compiles the same files again, for twice the time. */
export const keptCode: NodeJS.ProcessEnv = { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE };
