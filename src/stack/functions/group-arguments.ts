import { existsSync, realpathSync } from "node:fs";

/** What a group's sandbox is made of. */
export interface GroupView {
  /** The program, and what else of the machine it can't run without: as they lie outside. */
  readonly files: readonly string[];
  /** Shown under another name: from, to. */
  readonly renamed: readonly (readonly [from: string, to: string])[];
}

/** Where a group finds the way to egress, and its engine. */
export const insideSandbox = { egress: "/egress.sock", workerd: "/workerd" } as const;

/** Descriptors of a group: its program on 0, what it writes on 1 and 2, its listener, and bubblewrap's filter. */
export const groupFds = { listener: 3, filter: 4 } as const;

/**
 * Arguments for `bwrap` before the command: nothing of the machine but a program, its libraries, randomness and one socket; no network, no other
 * process, nothing that can be written. `--as-pid-1`: there are no children that somebody would have to take care of.
 */
export function groupArguments({ files, renamed }: GroupView, hasFilter: boolean): string[] {
  const shown = files.filter((path) => existsSync(path));
  return [
    ...(hasFilter ? ["--seccomp", String(groupFds.filter)] : []),
    "--die-with-parent",
    "--new-session",
    "--as-pid-1",
    "--unshare-user",
    "--unshare-all",
    // Not the machine's.
    "--hostname",
    "function",
    // No user namespace inside: in one of its own it could mount what it is not shown.
    "--disable-userns",
    "--cap-drop",
    "ALL",
    "--clearenv",
    // Links are followed outside: inside there is nothing that they could lead to.
    ...shown.flatMap((path) => ["--ro-bind", realpathSync(path), path]),
    ...renamed.flatMap(([from, to]) => ["--ro-bind", from, to]),
    "--dev-bind",
    "/dev/urandom",
    "/dev/urandom",
    "--dev-bind",
    "/dev/null",
    "/dev/null",
    "--remount-ro",
    "/",
    "--chdir",
    "/",
  ];
}
