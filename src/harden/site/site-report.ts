import type { ForeignScript, MissingFile, PageReport, Weakness } from "../page/page-report.ts";
import type { AllowedScript } from "../page/script-allowed.ts";
import { exactSource } from "./site-view.ts";

/** How many pages something is true of, and the first few of them. */
export interface Tally {
  readonly pages: number;
  /** Sorted, the first ten. */
  readonly examples: readonly string[];
}

/** What was found in a site. */
export interface SiteReport {
  readonly pages: number;
  readonly files: number;
  readonly bytes: number;
  readonly inlineScripts: number;
  readonly externalScripts: number;
  readonly modules: number;
  readonly handlers: number;
  readonly styleAttributes: { readonly kept: number; readonly moved: number };
  readonly scriptUrls: { readonly rewritten: number; readonly neutralised: number };
  /** Pages that are weaker than the strictest in some way. */
  readonly weakened: number;
  readonly weaknesses: Readonly<Partial<Record<Weakness, Tally>>>;
  /** What pages may do only because running them has shown that they do. */
  readonly learned: {
    readonly pages: number;
    readonly sources: Readonly<Record<string, Tally>>;
    /** Pages that were learned, and that the site does not have. */
    readonly gone: readonly string[];
  };
  /** By why they are not enforced. */
  readonly trustedTypes: { readonly enforced: number; readonly reportOnly: Readonly<Record<string, Tally>> };
  /** What is loaded from other sites, sorted by address. */
  readonly foreign: readonly (ForeignScript & Tally)[];
  /** Files that pages ask for and that do not exist, sorted by kind and path. */
  readonly missing: readonly (MissingFile & Tally)[];
  readonly notes: Readonly<Record<string, Tally>>;
  /** Pages whose policy stands partly in a `<meta>`. */
  readonly split: number;
  readonly transcoded: Tally;
  /** Pages that the fast scanner left to the reference parser. */
  readonly slow: number;
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  /** Scripts of other sites that scripts of the pages may add, each with the pages that allow it: none, if no script seems to add it. */
  readonly allowScripts: readonly (AllowedScript & Tally)[];
  /** Why scripts may make code from strings, as whoever allows it says; undefined if they may not. */
  readonly insecureEval?: string | undefined;
}

/** What one page adds to the report: the part that is kept in memory for each of them. */
export interface PageSummary extends Omit<PageReport, "scripts" | "frames" | "opened"> {
  readonly split: boolean;
}

/** What is known of a site beside its pages. */
type FolderFacts = Pick<SiteReport, "files" | "bytes" | "skipped" | "insecureEval"> & {
  readonly allowScripts: readonly AllowedScript[];
  /** Files of the pages that were learned. */
  readonly learnedPages: readonly string[];
};

const maxExamples = 10;

/** Sums up a site from its pages, in the order of their paths. */
export function reportSite(
  pages: Iterable<readonly [path: string, summary: PageSummary]>,
  { allowScripts, learnedPages, ...files }: FolderFacts,
): SiteReport {
  const weaknesses = createTallies();
  const learned = createTallies();
  const gone = new Set(learnedPages);
  const reasons = createTallies();
  const missing = createTallies();
  const notes = createTallies();
  const foreign = createTallies();
  const added = createTallies();
  const transcoded = createTallies();
  const foreignScripts = new Map<string, ForeignScript>();
  const missingFiles = new Map<string, MissingFile>();
  const sum = { pages: 0, inlineScripts: 0, externalScripts: 0, modules: 0, handlers: 0, kept: 0, moved: 0 };
  const counts = { rewritten: 0, neutralised: 0, weakened: 0, learned: 0, enforced: 0, split: 0, slow: 0 };
  for (const [path, page] of pages) {
    sum.pages++;
    sum.inlineScripts += page.inlineScripts;
    sum.externalScripts += page.externalScripts;
    sum.modules += page.modules;
    sum.handlers += page.handlers;
    sum.kept += page.styleAttributes.kept;
    sum.moved += page.styleAttributes.moved;
    counts.rewritten += page.scriptUrls.rewritten;
    counts.neutralised += page.scriptUrls.neutralised;
    gone.delete(path);
    if (page.learned.length > 0) counts.learned++;
    for (const source of page.learned) learned.add(source, path);
    if (page.weaknesses.length > 0) counts.weakened++;
    if (page.trustedTypes === "enforced") counts.enforced++;
    if (page.split) counts.split++;
    if (page.slow) counts.slow++;
    for (const weakness of page.weaknesses) weaknesses.add(weakness, path);
    for (const reason of page.trustedTypesReasons) reasons.add(reason, path);
    for (const file of page.missing) {
      const key = `${file.kind} ${file.path}`;
      missingFiles.set(key, file);
      missing.add(key, path);
    }
    for (const note of page.notes) notes.add(note, path);
    for (const script of page.foreign) {
      if (script.reason !== undefined) {
        added.add(script.url, path);
        continue;
      }
      const key = `${script.url} ${script.kind} ${script.integrity ?? ""}`;
      foreignScripts.set(key, script);
      foreign.add(key, path);
    }
    if (page.transcodedFrom !== undefined) transcoded.add("", path);
  }
  const foreignTallies = foreign.all();
  const addedTallies = added.all();
  return {
    ...files,
    pages: sum.pages,
    inlineScripts: sum.inlineScripts,
    externalScripts: sum.externalScripts,
    modules: sum.modules,
    handlers: sum.handlers,
    styleAttributes: { kept: sum.kept, moved: sum.moved },
    scriptUrls: { rewritten: counts.rewritten, neutralised: counts.neutralised },
    weakened: counts.weakened,
    weaknesses: weaknesses.all(),
    learned: { pages: counts.learned, sources: learned.all(), gone: [...gone].sort() },
    trustedTypes: { enforced: counts.enforced, reportOnly: reasons.all() },
    foreign: Object.entries(foreignTallies).flatMap(([key, tally]) => {
      const script = foreignScripts.get(key);
      return script === undefined ? [] : [{ ...script, ...tally }];
    }),
    allowScripts: allowScripts.map((script) => ({
      ...script,
      ...(addedTallies[exactAddress(script)] ?? { pages: 0, examples: [] }),
    })),
    missing: Object.entries(missing.all()).flatMap(([key, tally]) => {
      const file = missingFiles.get(key);
      return file === undefined ? [] : [{ ...file, ...tally }];
    }),
    notes: notes.all(),
    split: counts.split,
    transcoded: transcoded.all()[""] ?? { pages: 0, examples: [] },
    slow: counts.slow,
  };
}

/** As pages name it. */
const exactAddress = ({ address }: AllowedScript): string => exactSource(new URL(address)) ?? address;

interface Tallies {
  add(key: string, path: string): void;
  /** Sorted by key. */
  all(): Record<string, Tally>;
}

function createTallies(): Tallies {
  const tallies = new Map<string, { pages: number; examples: string[] }>();
  return {
    add(key, path) {
      const tally = tallies.get(key) ?? { pages: 0, examples: [] };
      tallies.set(key, tally);
      tally.pages++;
      if (tally.examples.length < maxExamples) tally.examples.push(path);
    },
    all: () => Object.fromEntries([...tallies].sort(([left], [right]) => (left < right ? -1 : 1))),
  };
}
