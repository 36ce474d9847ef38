import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** One of the compiler's errors. */
export interface CompileError {
  /** The file's name, as it was given. */
  file: string;
  /** From 1. */
  line: number;
  /** All its lines, without the place and the code. */
  message: string;
}

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Type-checks files as a user of the package would, under the project's own options, and lists what the compiler says. They
 * lie in a folder of their own, in which every dependency of the repository resolves, `curtainwall` to its source.
 */
export function compile(files: Readonly<Record<string, string>>): CompileError[] {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-compile-"));
  try {
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const types = [join(root, "node_modules/@types")];
    // What an example does not use, its reader may.
    const compilerOptions = { typeRoots: types, noUnusedLocals: false, noUnusedParameters: false };
    const options = { extends: join(root, "tsconfig.json"), compilerOptions };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ ...options, include: Object.keys(files) }));
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    return errorsIn(runCompiler(folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runCompiler(folder: string): string {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const args = [compiler, "-p", folder, "--pretty", "false"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  if (status === null || (status !== 0 && stdout === "")) throw new Error(`The compiler failed: ${stderr}`);
  return stdout;
}

function errorsIn(output: string): CompileError[] {
  const errors: CompileError[] = [];
  for (const line of output.split("\n")) {
    const [, file = "", number, message] = /^(.+?)\((\d+),\d+\): error TS\d+: (.*)$/.exec(line) ?? [];
    const last = errors.at(-1);
    if (message !== undefined) errors.push({ file, line: Number(number), message });
    else if (line.startsWith("  ") && last !== undefined) last.message += `\n${line}`;
    else if (line !== "") throw new Error(`The compiler failed: ${line}`);
  }
  return errors;
}
