import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { jailLimits } from "./jail-options.ts";

/** What a jail is made of. */
export interface JailView {
  /** The copy that the build works in, shown at the project's own path; or the project itself, read-only. */
  readonly copy: string;
  readonly root: string;
  readonly isReadOnly?: boolean;
  /** Folders of the project that are shown empty. */
  readonly hidden?: readonly string[];
  /** Files of the project that can't be opened. */
  readonly masked?: readonly string[];
  /** Folders that may be written to, and stay. */
  readonly writable?: readonly string[];
  /** Shown read-only: packages, the interpreter, the bridge. */
  readonly readOnly: readonly string[];
  /** Folders inside those that are empty in the jail and may be written to; nothing in them stays. */
  readonly emptied?: readonly string[];
  /** The Unix socket of the gate, if there is one. */
  readonly gate: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /** A user that the build becomes, when this process is root. */
  readonly uid: number | undefined;
}

/** How a jail is made. */
export interface JailArguments {
  /** Options of `bwrap`. */
  readonly options: string[];
  /** What runs before the program, inside: it takes limits and gives up the last rights. By its full path, since the program's PATH holds packages. */
  readonly launcher: string[];
}

/** What a build needs of a system: programs, libraries, the names of authorities. No configuration, no names of users. */
const systemPaths = [
  "/usr",
  "/lib",
  "/lib64",
  "/bin",
  "/etc/ssl",
  "/etc/alternatives",
  "/etc/localtime",
  "/etc/ld.so.cache",
  "/etc/fonts",
];

/** Says how to make a jail. */
export function jailArguments({
  copy,
  root,
  isReadOnly = false,
  hidden = [],
  masked = [],
  writable = [],
  readOnly,
  emptied = [],
  gate,
  environment,
  uid,
}: JailView): JailArguments {
  const options = [
    "--die-with-parent",
    "--new-session",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-net",
    "--unshare-cgroup-try",
    ...(uid === undefined ? ["--unshare-user", "--disable-userns"] : []),
    "--cap-drop",
    "ALL",
    // Kept until setpriv has used them, below.
    ...(uid === undefined
      ? []
      : ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]),
    "--clearenv",
    ...Object.entries(environment).flatMap(([name, value]) => ["--setenv", name, value]),
    "--perms",
    "0755",
    "--dir",
    "/etc",
    ...systemPaths.flatMap((path) => ["--ro-bind-try", path, path]),
    // Its own processes and no others: the jail has its own process ids.
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    ...inMemory("/dev/shm", "1777", jailLimits.sharedBytes),
    "--remount-ro",
    "/dev",
    ...inMemory("/tmp", "1777", jailLimits.temporaryBytes),
    ...ancestorsOf([root, ...readOnly]).flatMap((path) => ["--perms", "0755", "--dir", path]),
    isReadOnly ? "--ro-bind" : "--bind",
    copy,
    root,
    ...readOnly.filter((path) => existsSync(path)).flatMap((path) => ["--ro-bind", path, path]),
    ...hidden.flatMap((path) => inMemory(path, "0755", jailLimits.emptyBytes)),
    // A device on a mount without devices: opening it is refused.
    ...masked.flatMap((path) => ["--ro-bind", "/dev/null", path]),
    ...writable.flatMap((path) => ["--perms", "0755", "--dir", dirname(path), "--bind", path, path]),
    ...emptied.flatMap((path) => inMemory(path, "1777", jailLimits.temporaryBytes)),
    ...(gate === undefined
      ? []
      : ["--perms", "0755", "--dir", dirname(gateFolder), "--ro-bind", dirname(gate), gateFolder]),
    // What is left of it is memory too.
    "--remount-ro",
    "/",
    "--chdir",
    root,
  ];
  return { options, launcher: launcherOf(uid) };
}

function launcherOf(uid: number | undefined): string[] {
  return [
    shownProgram("prlimit"),
    `--nproc=${jailLimits.processes}`,
    `--nofile=${jailLimits.openFiles}`,
    `--data=${jailLimits.dataBytes}`,
    `--fsize=${jailLimits.fileBytes}`,
    "--core=0",
    ...(uid === undefined
      ? []
      : [
          shownProgram("setpriv"),
          `--reuid=${uid}`,
          `--regid=${uid}`,
          "--clear-groups",
          "--inh-caps=-all",
          "--ambient-caps=-all",
          "--bounding-set=-all",
          "--no-new-privs",
        ]),
  ];
}

/** A program as a jail shows it. */
const shownProgram = (name: string): string =>
  ["/usr/bin", "/bin", "/usr/local/bin"]
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path)) ?? `/usr/bin/${name}`;

/** A folder in memory, which no process's limit counts: it has a size of its own. */
export const inMemory = (path: string, mode: string, bytes: number): string[] => [
  "--perms",
  mode,
  "--size",
  String(bytes),
  "--tmpfs",
  path,
];

/** The folders above some paths, the uppermost first. bwrap would make them for its own user alone. */
function ancestorsOf(paths: readonly string[]): string[] {
  const folders = new Set<string>();
  for (const path of paths)
    for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder))
      folders.add(folder);
  const shown = (folder: string): boolean =>
    systemPaths.some((path) => folder === path || folder.startsWith(`${path}/`));
  return [...folders].filter((folder) => folder !== "/tmp" && folder !== "/etc" && !shown(folder)).sort();
}

/** Where a jail finds the folder of its gate's socket. */
export const gateFolder = "/run/gate";
