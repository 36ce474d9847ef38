import { CurtainwallError } from "../../shared/index.ts";
import type { HardenErrorCode } from "../errors.ts";
import { keyOf } from "./lock-text.ts";
import { printable } from "./printable.ts";
import { idOf, lockedAs } from "./provenance.ts";
import type { Lock, LockedScript, PendingScript, Review } from "./types.ts";

/** What is to be approved, and why. */
export interface Approval {
  /**
   * Ids of scripts that await approval; or paths of script files or folders, to be trusted whatever they hold. An id with fewer than 32 digits
   * stands for the one of `shown` that begins like it: for less, two scripts that begin alike are found in minutes.
   */
  readonly names: readonly string[];
  /** Also everything that stands on several pages. Where `shown` is known, it must have all of it. */
  readonly allShared: boolean;
  /** Ids, in full, of what was last shown to whoever approves. Undefined: nobody knows. */
  readonly shown?: readonly string[] | undefined;
  readonly reason: string;
  /** Today: `2026-11-22`. */
  readonly day: string;
  readonly digest: (text: string) => string;
}

/**
 * Writes approvals into a lock.
 *
 * @throws {CurtainwallError} `HARDEN_APPROVAL_INVALID` for a name that stands for nothing, for several, or for something else than what
 *   was shown; or without a reason
 */
export function approve(lock: Lock, review: Review, approval: Approval): Lock {
  const { names, allShared, shown, reason, day } = approval;
  if (reason.trim().length < 3 || reason.length > 300)
    throw invalid("An approval takes a reason of 3 to 300 characters.", "Say why these scripts may run");
  const pending = [...review.added, ...review.unreviewed];
  const chosen = [
    ...names.filter((name) => !name.startsWith("/")).map((name) => theOne(name, pending, shown)),
    ...(allShared ? sharedOf(pending, shown) : []),
  ];
  const trusted = names
    .filter((name) => name.startsWith("/"))
    .map((path) => trust(path, pending, review.site, approval));
  const entries = [
    ...chosen.map((script) => lockedAs(script, { site: review.site, day, reason })),
    ...trusted,
  ];
  return merged(lock, entries);
}

/** Records what a first run found, approved by nobody. */
export function record(lock: Lock, { site, added }: Review, day: string): Lock {
  return merged(
    lock,
    added.map((script) => lockedAs(script, { site, day })),
  );
}

/** Takes out what the site no longer has. */
export function prune(lock: Lock, { unused }: Review): Lock {
  const gone = new Set(unused.map(keyOf));
  return { ...lock, scripts: lock.scripts.filter((script) => !gone.has(keyOf(script))) };
}

/** The day of the first record stays. */
function merged(lock: Lock, entries: readonly LockedScript[]): Lock {
  const scripts = new Map(lock.scripts.map((script) => [keyOf(script), script]));
  for (const entry of entries)
    scripts.set(keyOf(entry), {
      ...entry,
      recorded: scripts.get(keyOf(entry))?.recorded ?? entry.recorded,
    });
  return { ...lock, scripts: [...scripts.values()] };
}

function sharedOf(pending: readonly PendingScript[], shown: readonly string[] | undefined): PendingScript[] {
  const shared = pending.filter(({ pages }) => pages > 1);
  const unseen = shared.filter(({ id }) => shown !== undefined && !shown.includes(id));
  if (unseen.length === 0) return shared;
  throw invalid(
    `${unseen.length} of ${shared.length} scripts on several pages came or changed since plan showed them.`,
    lookAgain,
  );
}

const lookAgain = "Look again:  npx curtainwall plan <folder>";
/** Two texts whose ids agree in as many are beyond reach: 2^64 attempts. */
const safeDigits = 32;

function theOne(
  name: string,
  pending: readonly PendingScript[],
  shown: readonly string[] | undefined,
): PendingScript {
  const quoted = printable(JSON.stringify(name), 100);
  const known = isLong(name) ? pending.map(({ id }) => id) : shown;
  if (known === undefined)
    throw invalid(
      `${quoted} is cut short, and no plan was shown here that says what it stands for.`,
      lookAgain,
    );
  const matching = known.filter((id) => id.startsWith(name));
  if (matching.length > 1) throw invalid(`${quoted} stands for ${matching.length} scripts.`, lookAgain);
  const script = pending.find(({ id }) => id === matching[0]);
  if (script !== undefined) return script;
  throw matching.length === 0
    ? invalid(`No script that awaits approval is called ${quoted}.`, "curtainwall plan <folder>  lists them")
    : invalid(
        `What was shown as ${quoted} no longer awaits approval: it is gone, approved, or its code has changed since.`,
        lookAgain,
      );
}

const isLong = (id: string): boolean => id.length - (id.lastIndexOf("-") + 1) >= safeDigits;

/** A path that holds none of the site's scripts is a slip; one that holds all of them approves nothing in particular. */
function trust(
  path: string,
  pending: readonly PendingScript[],
  site: string,
  { reason, day, digest }: Approval,
): LockedScript {
  const shown = printable(JSON.stringify(path), 100);
  if (path === "/") throw invalid("The whole site can't be trusted at once.", "Name a folder: /assets/");
  const holds = (url = ""): boolean => url === path || (path.endsWith("/") && url.startsWith(path));
  if (!pending.some(({ kind, url }) => kind === "file" && holds(url)))
    throw invalid(
      `No script file that awaits approval lies at ${shown}.`,
      "A folder ends in a slash: /assets/",
    );
  const id = idOf("trusted", path, digest);
  return { site, id, kind: "trusted", url: path, seen: path, recorded: day, approved: day, reason };
}

function invalid(message: string, hint: string): CurtainwallError<HardenErrorCode> {
  return new CurtainwallError("HARDEN_APPROVAL_INVALID", message, { hint });
}
