import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import {
  approve,
  createProvenance,
  describeReview,
  emptyLock,
  parseLock,
  writeLock,
} from "../../harden/index.ts";
import type {
  Approval,
  HardenErrorCode,
  Lock,
  Provenance,
  Review,
  ScriptOccurrence,
  SeenScript,
} from "../../harden/index.ts";
import { CurtainwallError } from "../../shared/index.ts";

/** Options of {@link openSiteLock}. */
export interface SiteLockOptions {
  /** Where the lock lies. */
  readonly file: string;
  /** The site's folder. */
  readonly folder: string;
  /** What the lock calls it. Default: its folder, as seen from the lock. */
  readonly site?: string | undefined;
}

/** A project's lock, while one of its sites is being looked at. */
export interface SiteLock {
  readonly file: string;
  readonly lock: Lock;
  readonly provenance: Provenance;
  /** Takes note of a script of a page. */
  readonly onScript: (page: string, script: ScriptOccurrence) => void;
}

/**
 * Opens a project's lock.
 *
 * @throws {CurtainwallError} `HARDEN_LOCK_INVALID`
 */
export function openSiteLock({ file, folder, site }: SiteLockOptions): SiteLock {
  const lock = readLock(file);
  const name = site ?? siteName(file, folder);
  const provenance = createProvenance({ lock, site: name, digest });
  return {
    file,
    lock,
    provenance,
    onScript: (page, script) => {
      const seen = seenScript(page, script);
      if (seen !== undefined) provenance.admit(seen);
    },
  };
}

/** SHA-256 of a text, hexadecimal. */
function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/**
 * Reads a project's lock; one that is not there is empty.
 *
 * @throws {CurtainwallError} `HARDEN_LOCK_INVALID`
 */
export function readLock(file: string): Lock {
  if (!existsSync(file)) return emptyLock;
  try {
    return parseLock(readFileSync(file, "utf8"));
  } catch (error) {
    if (error instanceof CurtainwallError) throw named(error, file);
    throw new CurtainwallError<HardenErrorCode>("HARDEN_LOCK_INVALID", `${file} can't be read.`, {
      hint: "Look at the file's permissions, or name another lock with --lock",
      cause: error,
    });
  }
}

function named(error: CurtainwallError, file: string): CurtainwallError {
  return new CurtainwallError(error.code, error.message.replace("The lock", file), {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  });
}

/**
 * Writes a lock, whole or not at all.
 *
 * @throws {CurtainwallError} `HARDEN_OUTPUT_FAILED`
 */
export function saveLock(file: string, lock: Lock): void {
  const fresh = join(dirname(resolve(file)), `.${process.pid}.lock`);
  try {
    writeFileSync(fresh, writeLock(lock));
    renameSync(fresh, file);
  } catch (cause) {
    rmSync(fresh, { force: true });
    throw new CurtainwallError<HardenErrorCode>(
      "HARDEN_OUTPUT_FAILED",
      `The lock ${file} can't be written (${(cause as NodeJS.ErrnoException).code ?? "unknown"}).`,
      { hint: "Make its folder writable; harden and plan take another place with --lock", cause },
    );
  }
}

/** The folder as seen from the lock; of one that lies elsewhere only its last names, which are no machine's own. */
function siteName(file: string, folder: string): string {
  const path = relative(dirname(resolve(file)), resolve(folder));
  if (path !== "" && !path.startsWith("..") && !path.startsWith(sep)) return path.split(sep).join("/");
  const whole = resolve(folder);
  return `${basename(dirname(whole))}/${basename(whole)}`;
}

function seenScript(page: string, script: ScriptOccurrence): SeenScript | undefined {
  const { kind, text, hash } = script;
  if (kind === "inline") {
    const { type = "classic" } = script;
    return { kind: type === "classic" ? "inline" : type, text, hash, page };
  }
  if (kind === "added") return { kind, text, page };
  if (kind !== "external") return { kind, text, hash, page };
  if (/^(?:https?|wss?):/.test(text))
    return script.integrity === undefined
      ? { kind: "unpinned", text, page }
      : { kind: "pinned", text, integrity: script.integrity, page };
  // A file that does not exist has no hash; its policy lets nothing run in its place.
  return hash === undefined ? undefined : { kind: "file", text, page };
}

/**
 * A lock with more approvals.
 *
 * @throws {CurtainwallError} `HARDEN_APPROVAL_INVALID`
 */
export function approveScripts({ lock }: SiteLock, review: Review, approval: Omit<Approval, "digest">): Lock {
  return approve(lock, review, { ...approval, digest });
}

/** What {@link assertApproved} goes by. */
export interface ApprovalRules {
  readonly folder: string;
  /** Nothing may be left that nobody has approved, also of what a first run recorded. */
  readonly frozen: boolean;
  /** More words for the approving command: `--lock …`. */
  readonly words?: string;
}

/**
 * Refuses a site with scripts that nobody has approved.
 *
 * @throws {CurtainwallError} `HARDEN_SCRIPT_UNAPPROVED`, with each script's difference from the approved one that it is most like
 */
export function assertApproved(review: Review, { folder, frozen, words = "" }: ApprovalRules): void {
  const refused = frozen ? [...review.added, ...review.unreviewed] : review.firstRun ? [] : [...review.added];
  if (refused.length === 0) return;
  const one = refused.length === 1;
  const scripts = one ? "1 script" : `${refused.length} scripts`;
  throw new CurtainwallError<HardenErrorCode>(
    "HARDEN_SCRIPT_UNAPPROVED",
    [
      `${scripts} of ${review.site} ${one ? "is" : "are"} not approved; nothing was published.`,
      ...describeReview(refused),
    ].join("\n"),
    {
      hint: `If ${one ? "it belongs" : "they belong"} there:  npx curtainwall plan ${folder}${words} --approve ${refused
        .slice(0, 3)
        .map(({ id }) => id)
        .join(" ")}${refused.length > 3 ? " …" : ""} "why"`,
    },
  );
}
