import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { filterArguments, filterBytes } from "../jail/filter/hand-over.ts";
import { inMemory } from "../jail/jail-arguments.ts";
import { findSystemProgram } from "../jail/system-program.ts";
import { ownRights, surelyBecomes } from "./may-become.ts";
import type { DomainUser } from "../processes/messages.ts";

/**
 * How domains are kept apart: each its own `uid` (when started as root), each its own `bwrap` sandbox, or `reduced`: separate
 * processes of one user, which can read each other's memory.
 */
export type Isolation = "uid" | "bwrap" | "reduced";

/** Says in words how domains are kept apart. */
export function describeIsolation(isolation: Isolation): string {
  return isolationWords[isolation];
}

const isolationWords: Record<Isolation, string> = {
  uid: "each domain is a user of its own",
  bwrap: "each domain is in a sandbox of its own (bubblewrap)",
  reduced: "REDUCED ISOLATION: the domains are processes of one user",
};

/** The trust domains that are processes; `functions` is who keeps the processes of functions. */
export type DomainName = "edge" | "ledger" | "vault" | "egress" | "functions";

/** Finds the strongest isolation that this machine offers. */
export function findIsolation(): Isolation {
  if (process.getuid?.() === 0 && canBecome(firstUid)) return "uid";
  return bwrapWorks() ? "bwrap" : "reduced";
}

/**
 * uids that systemd's registry of ranges leaves unassigned, so that no user of the system has one of them.
 * @see systemd.io/UIDS-GIDS
 */
const firstUid = 60_514;
const slots = 80;
const domainsInSlot: readonly DomainName[] = ["edge", "ledger", "vault", "egress", "functions"];
/** For all groups of functions where there are no users for each. */
const groupsPlace = 6;
const slotSize = 8;

/** Between the last user of 16 bits and the first that containers are given, systemd's registry leaves all uids unassigned too. */
const firstGroupUid = 65_536;
/** Groups of a site that have a user of their own. */
const groupsInSlot = 4096;

/** The user that a domain of this site becomes: another for each domain, and for each site on the machine as far as 80 slots go. */
export function domainUser(domain: DomainName, root: string): DomainUser {
  return userAt(root, domainsInSlot.indexOf(domain));
}

/** The user that this site's builds become in their jail: another than any domain's. */
export function jailUser(root: string): DomainUser {
  return userAt(root, slotSize - 1);
}

/**
 * The user that a group of functions becomes, by its place among the site's groups: another for each. In a container that maps 65 536 ids there are
 * none for them; then all groups of the site are one user, no other domain's, and only their sandboxes keep them apart.
 */
export function groupUser(index: number, root: string, rights = ownRights()): DomainUser {
  const uid = firstGroupUid + slotOf(root) * groupsInSlot + index;
  const isTheirs = index < groupsInSlot && rights !== undefined && surelyBecomes(uid, rights);
  return isTheirs ? { uid, gid: uid } : userAt(root, groupsPlace);
}

/** Whether a user is one of those that groups of functions become, of whichever site. */
export function isGroupUser(uid: number): boolean {
  const places = slots * slotSize;
  const isShared = uid >= firstUid && uid < firstUid + places && (uid - firstUid) % slotSize === groupsPlace;
  return isShared || (uid >= firstGroupUid && uid < firstGroupUid + slots * groupsInSlot);
}

/** Whether a user is one that this domain becomes, of whichever site. */
export function isDomainUser(uid: number, domain: DomainName): boolean {
  const place = uid - firstUid;
  return place >= 0 && place < slots * slotSize && place % slotSize === domainsInSlot.indexOf(domain);
}

function userAt(root: string, place: number): DomainUser {
  const uid = firstUid + slotOf(root) * slotSize + place;
  return { uid, gid: uid };
}

const slotOf = (root: string): number => createHash("sha256").update(root).digest().readUInt32BE() % slots;

/** In some containers root can't become every user. To try it takes a process, so that it is asked of the kernel first. */
function canBecome(uid: number): boolean {
  const rights = ownRights();
  if (rights !== undefined && surelyBecomes(uid, rights)) return true;
  const code = `process.setgroups([]);process.setgid(${uid});process.setuid(${uid})`;
  return spawnSync(process.execPath, ["-e", code], { stdio: "ignore", env: {} }).status === 0;
}

/** Whether bubblewrap is installed, and may make a sandbox here. Some systems let root do that and others not, so that it is tried as who is to do it. */
export function bwrapWorks(user?: DomainUser): boolean {
  if (process.platform !== "linux") return false;
  const view = { readOnly: [], writable: [], hidden: [], masked: [], network: false };
  const { status } = spawnSync(
    findSystemProgram("bwrap") ?? "bwrap",
    [...sandboxArguments(view, 0), "true"],
    {
      stdio: ["pipe", "ignore", "ignore"],
      input: filterBytes,
      timeout: 5000,
      cwd: "/",
      ...user,
    },
  );
  return status === 0;
}

/** What a domain's sandbox shows it of the file system. */
export interface SandboxView {
  readOnly: readonly string[];
  writable: readonly string[];
  /** Folders inside the read-only ones that are shown empty. */
  hidden: readonly string[];
  /** Files inside the read-only ones that can't be opened. */
  masked: readonly string[];
  network: boolean;
}

/** What any Node process needs: libraries, names, authorities, time zones. */
const systemPaths = [
  "/usr",
  "/lib",
  "/lib64",
  "/bin",
  "/etc/resolv.conf",
  "/etc/hosts",
  "/etc/nsswitch.conf",
  "/etc/ssl",
  "/etc/localtime",
  "/etc/ld.so.cache",
];

/** A domain keeps nothing in files but what is handed to it. Folders in memory are counted in no process's limit. */
const temporaryBytes = 16 * 2 ** 20;
const emptyBytes = 4096;

/** Arguments for `bwrap` before the command. The filter of system calls comes from a descriptor. */
export function sandboxArguments(
  { readOnly, writable, hidden, masked, network }: SandboxView,
  filterFd: number,
): string[] {
  return [
    ...filterArguments(filterFd),
    "--die-with-parent",
    "--new-session",
    "--unshare-user",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    // No user namespace inside: in one of its own a domain could mount what it is not shown.
    "--disable-userns",
    ...(network ? [] : ["--unshare-net"]),
    "--cap-drop",
    "ALL",
    ...systemPaths.flatMap((path) => ["--ro-bind-try", path, path]),
    // No /proc: through /proc/self/fd a domain could open anew, for writing, what it was handed for reading.
    "--dev",
    "/dev",
    "--remount-ro",
    "/dev",
    ...inMemory("/tmp", "0755", temporaryBytes),
    ...readOnly.flatMap((path) => ["--ro-bind", path, path]),
    ...hidden.flatMap((path) => inMemory(path, "0755", emptyBytes)),
    // A device on a mount without devices: opening it is refused.
    ...masked.flatMap((path) => ["--ro-bind", "/dev/null", path]),
    ...writable.flatMap((path) => ["--bind", path, path]),
    "--remount-ro",
    "/",
    "--chdir",
    "/",
  ];
}
