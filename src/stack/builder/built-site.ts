import { CurtainwallError, printable } from "../../shared/index.ts";
import type { OwnBuild } from "./build-own-site.ts";
import { isSystems } from "./declared-environment.ts";
import type { BuilderReport } from "./read-report.ts";

/**
 * What a builder made, by its report. Its words are those of a process that runs templates.
 *
 * @throws {CurtainwallError} what it reports
 */
export function builtSite(report: NonNullable<BuilderReport>): OwnBuild {
  if ("failed" in report) {
    const { code, message } = report.failed;
    // Not the error's own hint, to set the variable: it is set, and no template is given it.
    const hint = lacksVariable.test(message) ? noSecrets : report.failed.hint;
    throw new CurtainwallError(code, safe(message), hint === undefined ? {} : { hint: safe(hint) });
  }
  const { release, built } = report;
  return {
    release,
    pages: built.pages.map(({ path, policy }) => ({ path: safe(path), policy: safe(policy) })),
    files: built.files,
    bytes: built.bytes,
    warnings: built.warnings.map(({ file, line, message }) => ({
      file: safe(file),
      line,
      message: safe(message),
    })),
    untranslated: built.untranslated.map(({ locale, files }) => ({
      locale: safe(locale),
      files: files.map(safe),
    })),
    withheld: built.missed.filter((name) => process.env[name] !== undefined && !isSystems(name)).map(safe),
    isJailed: true,
    notes: built.notes,
  };
}

const lacksVariable = /The environment variable \w+ is not set\. \(in the page /;
const noSecrets =
  "A template asked for it. Templates are given no variable of privateEnv: what a page needs of an API comes by source(), what a visitor may know belongs into publicEnv";

/** Text from a process that runs templates, fit for a terminal; lines stay lines. */
const safe = (text: string): string =>
  text
    .split("\n")
    .map((line) => printable(line, 2000))
    .join("\n");
