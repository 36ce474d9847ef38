import { printable } from "../../shared/index.ts";
import { isSystems, publishPage, readPageReport } from "../../stack/index.ts";
import type { PageReport } from "../../stack/index.ts";
import { keepBuild } from "./build-record.ts";
import type { BuildInputs, PageEdit, Place, RecordFiles } from "./build-record.ts";
import type { BuildResult } from "./build-result.ts";
import { lookAtOutput } from "./look-around.ts";

/**
 * Publishes a page that is being made by itself, and keeps what the next build needs to know. Undefined if a whole build has to see to it.
 *
 * @param report what the page's process reports; undefined if it failed
 */
export async function finishPage(
  edit: PageEdit,
  files: RecordFiles,
  report: Promise<Uint8Array | undefined>,
): Promise<BuildResult | undefined> {
  const { result: before, again } = edit;
  if (before.sequence === undefined) return undefined;
  let page: PageReport | undefined;
  const published = await publishPage({
    root: files.root,
    policy: again.policy,
    base: { digest: before.release, sequence: before.sequence },
    page: async () => {
      const bytes = await report;
      return (page = bytes && readPageReport(bytes));
    },
  });
  if (published === undefined || page === undefined) return undefined;
  const { digest, packFile, sequence, isNew, bytes: releaseBytes, grownBy, notSearched } = published;
  const result: BuildResult = {
    ...before,
    file: packFile,
    release: digest,
    sequence,
    isNew,
    releaseBytes,
    notSearched,
    notes: before.notes.filter(({ file }) => file !== published.file),
    bytes: before.bytes + grownBy,
    warnings: warningsOf(before, page, edit.file),
    withheld: [...new Set([...before.withheld, ...withheldOf(page)])].sort(),
  };
  keep(edit, files, result, page.notes);
  return result;
}

function warningsOf(before: BuildResult, { warnings }: PageReport, file: string): BuildResult["warnings"] {
  const own = warnings.map(({ line, message }) => ({ file, line, message: printable(message, 2000) }));
  const at = before.warnings.findIndex((warning) => warning.file === file);
  const others = before.warnings.filter((warning) => warning.file !== file);
  return at < 0 ? [...others, ...own] : others.toSpliced(at, 0, ...own);
}

const withheldOf = ({ missed }: PageReport): string[] =>
  missed
    .filter((name) => process.env[name] !== undefined && !isSystems(name))
    .map((name) => printable(name, 200));

/** Without it, the next build looks at everything. */
function keep(edit: PageEdit, files: RecordFiles, result: BuildResult, notes: string): void {
  const { inputs, changed, again, began } = edit;
  const now = new Map(changed.map((place) => [place[0], place]));
  const state = "./.curtainwall/";
  const places = inputs.places
    .filter(([path]) => !path.startsWith(state))
    .map((place): Place => now.get(files.root + place[0].slice(1)) ?? place);
  const start = { ...again.start, order: { ...again.start.order, notes } };
  const kept: BuildInputs = {
    ...inputs,
    places: [...places, ...lookAtOutput(files.root, { began })],
    again: { ...again, start },
  };
  try {
    keepBuild(files, kept, { ...result, isNew: false });
  } catch {}
}
