/** How a script comes into a page. What was approved as one of these is not approved as another. */
export type ScriptKind =
  /** `<script>` with its text in the page, classic. */
  | "inline"
  /** `<script type=module>` with its text in the page. */
  | "module"
  /** `<script type=importmap>`. */
  | "importmap"
  /** `<script type=speculationrules>`. */
  | "speculationrules"
  /** An `on…` attribute. */
  | "handler"
  /** A `javascript:` address. */
  | "javascript-url"
  /** A script file of the site itself. */
  | "file"
  /** A file or a folder of the site whose scripts are approved whatever they hold. */
  | "trusted"
  /** A script of another site, with the `integrity` that pins it. */
  | "pinned"
  /** A script of another site that nothing pins: whatever lies there runs. */
  | "unpinned"
  /** A script of another site that scripts of the site may add, and no page holds. */
  | "added";

/** One approved, or at least recorded, script: a line of the lock. */
export interface LockedScript {
  /** The site that it belongs to; a project may have several. */
  readonly site: string;
  /** Kind and digest: `inline-` and 64 hexadecimal digits. */
  readonly id: string;
  readonly kind: ScriptKind;
  /** The address, of a script that has one. */
  readonly url?: string;
  readonly integrity?: string;
  /** The page on which it was first seen; of a file, its own address. */
  readonly seen: string;
  /** The day it came into the lock: `2026-11-22`. */
  readonly recorded: string;
  /** The day somebody approved it. Without it the first run found it, and nobody has looked. */
  readonly approved?: string;
  /** Why it may run. There with `approved`. */
  readonly reason?: string;
  /** Its lines, data left out, as they are compared and shown. Only of short ones. */
  readonly code?: readonly string[];
  /** Of longer ones: what tells its sections apart, for a later diff. */
  readonly sections?: readonly string[];
}

/** What `curtainwall.lock.json` holds. */
export interface Lock {
  /** Sorted by site and id. */
  readonly scripts: readonly LockedScript[];
  /** The contract's permissions, each with its line; kept as they are. */
  readonly permissions: readonly Readonly<Record<string, unknown>>[];
}

/** A script as it stands in a page. */
export interface SeenScript {
  readonly kind: Exclude<ScriptKind, "trusted">;
  /** Its text; of one that has an address, that: absolute, or a path of the site. */
  readonly text: string;
  /** What tells its text from others: a digest. Undefined where `text` is an address. */
  readonly hash?: string | undefined;
  readonly integrity?: string | undefined;
  /** The page that it stands in. */
  readonly page: string;
}

/** What the lock says about a script. */
export type Admission = "approved" | "recorded" | "new" | "later";

/** A script that nobody has approved. */
export interface PendingScript {
  readonly id: string;
  readonly kind: ScriptKind;
  /** The lock has it from the first run, and nobody has looked. */
  readonly recorded: boolean;
  readonly pages: number;
  /** Sorted, the first few. */
  readonly examples: readonly string[];
  readonly url: string | undefined;
  readonly integrity: string | undefined;
  /** Its lines, with what is data left out. */
  readonly lines: readonly string[];
  /** How many pieces of data were left out. */
  readonly data: number;
  /** The approved script that it is most like, and what changed since. */
  readonly nearest: { readonly id: string; readonly diff: readonly DiffLine[] } | undefined;
}

/** A line of a diff. */
export interface DiffLine {
  readonly sign: "+" | "-" | " " | "…";
  readonly text: string;
}

/** What a run found, compared with the lock. */
export interface Review {
  readonly site: string;
  /** The lock knew no such site. */
  readonly firstRun: boolean;
  /** Approved scripts that the site has. */
  readonly approved: number;
  /** Not in the lock at all: what stands on one page only first. */
  readonly added: readonly PendingScript[];
  /** Recorded by the first run, approved by nobody: what stands on one page only first. */
  readonly unreviewed: readonly PendingScript[];
  /** In the lock, and no longer in the site. */
  readonly unused: readonly LockedScript[];
}
