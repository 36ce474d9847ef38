import { printable } from "../../evidence.ts";
import type { Evidence } from "../../evidence.ts";
import type { Ran } from "../../probes/probe.ts";

/** Names that secrets of an environment are kept under. */
export const envFiles: readonly string[] = [
  ".env",
  ".env.local",
  ".env.development",
  ".env.test",
  ".env.staging",
  ".env.production",
  ".env.production.local",
  "config/.env",
];

/** A template without values may be kept, under these names. */
const isTemplate = (file: string): boolean => /\.(example|sample|template|dist)$/.test(file);
/** Tells whether a path is such a file. */
export const isEnvFile = (file: string): boolean => /(^|\/)\.env(\.[^/]*)?$/.test(file) && !isTemplate(file);

/** Puts what a program said into evidence. */
export const commandEvidence = (
  about: string,
  program: string,
  args: readonly string[],
  { exitCode, stdout }: Ran,
): Evidence => ({
  kind: "command",
  about,
  command: [program, ...args.map((arg) => (/^[\w./=:@-]+$/.test(arg) ? arg : `'${arg}'`))].join(" "),
  exitCode,
  output: printable(stdout.trim()),
});
