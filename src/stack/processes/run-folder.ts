import { createHash } from "node:crypto";
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stackFolders } from "../folders.ts";

/** The folder of a running stack's sockets; short, since their paths must be. */
export interface RunFolder {
  readonly path: string;
  /** Lets other users pass through, to sockets that they may connect to. Nobody else can put one there, or list them. */
  admit(): void;
  remove(): void;
}

/** Makes it for the site in `root`, and removes those that a supervisor of the same site, killed, left behind. */
export function openRunFolder(root: string, places: readonly string[] = runPlaces()): RunFolder {
  const site = nameOf(root);
  const place = places.find(isUsable) ?? tmpdir();
  removeStale(place, site);
  const path = mkdtempSync(join(place, `curtainwall-${site}-${process.pid}-${startOf(process.pid) ?? "0"}-`));
  return {
    path,
    admit: () => chmodSync(path, 0o711),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

const nameOf = (root: string): string => createHash("sha256").update(root).digest("hex").slice(0, 8);

/** A program that runs on this machine, and a folder of its. */
export interface FoundFolder {
  readonly pid: number;
  readonly folder: string;
}

/** A stack that runs on this machine: its supervisor, and where its sockets lie. */
export interface FoundStack {
  readonly pid: number;
  /** Where it takes operators' actions. */
  readonly actions: string;
  /** Where the sockets between its domains lie. Undefined: a site without secrets and functions has none. */
  readonly sockets: string | undefined;
}

/** What the folder is named for in which a stack takes operators' actions: its own, since that of the domains' sockets lets their users pass through. */
export const actionsFolder = (root: string): string => `${root}#actions`;

/** Finds those of the site in `root` that this user started, or the one whose state it is. The newest comes last. */
export function findRunningStacks(root: string): FoundStack[] {
  const owner = statSync(stackFolders(root).supervisor, { throwIfNoEntry: false })?.uid;
  const users = [process.getuid?.(), owner];
  const withSockets = findRunFolders(root, users);
  return findRunFolders(actionsFolder(root), users).map(({ pid, folder }) => ({
    pid,
    actions: folder,
    sockets: withSockets.find((one) => one.pid === pid)?.folder,
  }));
}

/**
 * Finds folders of running programs by what they were named for, the newest last. Everybody may write to `/tmp`: what others than these users made there
 * is not looked at, nor what others may write to.
 */
export function findRunFolders(
  name: string,
  users: readonly (number | undefined)[],
  places: readonly string[] = runPlaces(),
): FoundFolder[] {
  const site = nameOf(name);
  return [...new Set([...places, "/run", tmpdir()])]
    .filter((place) => existsSync(place))
    .flatMap((place) =>
      readdirSync(place).flatMap((entry) => {
        const [, found, pid, started] = folderName.exec(entry) ?? [];
        if (found !== site || !isRunning(Number(pid), started)) return [];
        const folder = join(place, entry);
        // It may be gone by now.
        const stats = lstatSync(folder, { throwIfNoEntry: false });
        return stats?.isDirectory() === true && users.includes(stats.uid) && (stats.mode & 0o022) === 0
          ? [{ pid: Number(pid), folder, made: stats.mtimeMs }]
          : [];
      }),
    )
    .toSorted((left, right) => left.made - right.made)
    .map(({ pid, folder }) => ({ pid, folder }));
}

/** The site, the supervisor's id, when it started, and what makes the name its own. */
const folderName = /^curtainwall-([0-9a-f]{8})-(\d+)-([0-9a-z]+)-\w{6}$/;

/** Where folders of running programs lie, the best first. What tidies up `/tmp` leaves the others alone. */
function runPlaces(): string[] {
  const own = process.env["XDG_RUNTIME_DIR"];
  if (process.getuid?.() === 0) return ["/run"];
  return own === undefined ? [] : [own];
}

/** Whether it is this user's, and only this user's to write to. */
function isUsable(place: string): boolean {
  try {
    const { uid, mode } = lstatSync(place);
    accessSync(place, constants.W_OK | constants.X_OK);
    return uid === process.getuid?.() && (mode & 0o022) === 0;
  } catch {
    return false;
  }
}

function removeStale(place: string, site: string): void {
  const uid = process.getuid?.();
  for (const name of readdirSync(place)) {
    const [, found, pid, started] = folderName.exec(name) ?? [];
    if (found !== site || isRunning(Number(pid), started)) continue;
    const path = join(place, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory() && stats.uid === uid) rmSync(path, { recursive: true, force: true });
  }
}

/** Whether the process that made a folder still runs. Its id alone does not tell: ids come round again, in a container that starts anew within minutes. */
function isRunning(pid: number, started: string | undefined): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  return (startOf(pid) ?? started) === started;
}

/** When a process started, in ticks since the machine did, to base 36. Undefined where that can't be seen. */
function startOf(pid: number): string | undefined {
  try {
    // Its name, in parentheses, may hold whatever it likes.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(")").at(-1)?.trim().split(" ");
    // The 22nd field of proc_pid_stat(5); two stand before this list.
    return Number(fields?.[19]).toString(36);
  } catch {
    return undefined;
  }
}
