import type { LeakGate } from "../../harden/index.ts";
import type { SiteWarning, Untranslated } from "../../site/index.ts";

/** What `curtainwall build` made. */
export interface BuildResult {
  file: string;
  /** The release's name: SHA-256 of its manifest. */
  release: string;
  /** Its number; undefined where the release key is not. */
  sequence: number | undefined;
  /** False: the site is this very release already. */
  isNew: boolean;
  /** Signed with development keys. */
  isDevelopment: boolean;
  pages: { path: string; policy: string }[];
  /** Markup that was removed from content, and where it stood. */
  warnings: readonly SiteWarning[];
  /** What is missing in the site's other languages. */
  untranslated: readonly Untranslated[];
  files: number;
  bytes: number;
  releaseBytes: number;
  /** Values that were not looked for in the output, because they would be found everywhere. */
  notSearched: LeakGate["notSearched"];
  /** What the leak gate found that is no hit, and worth knowing: by file, in words without a value. */
  notes: readonly { readonly file: string; readonly text: string }[];
  /** Variables that templates asked for and that are not declared as public: to them these are not set. */
  withheld: readonly string[];
  /** Whether templates ran in a jail. */
  isJailed: boolean;
  milliseconds: number;
}
