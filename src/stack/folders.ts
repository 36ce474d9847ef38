import { accessSync, constants, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { CurtainwallError } from "../shared/index.ts";

/** Where a site's state lies: one folder a domain, below `.curtainwall/` beside its contract. */
export interface StackFolders {
  readonly root: string;
  readonly state: string;
  readonly edge: string;
  readonly ledger: string;
  readonly cache: string;
  readonly authority: string;
  /** Releases that were taken in, and which of them is the site's. */
  readonly releases: string;
  /** Keys that sign. No domain sees it. */
  readonly keys: string;
  readonly releaseKeyFile: string;
  /** What the supervisor must not forget. */
  readonly supervisor: string;
  readonly acceptedFile: string;
  /** Whose tokens don't count any more. */
  readonly revokedFile: string;
  /** The program that the program key signed; lies beside the contract, in the repository. */
  readonly programFile: string;
  /** The program that the last build would need. */
  readonly pendingProgramFile: string;
  readonly logFile: string;
  readonly assertionKeyFile: string;
  readonly assertionJwksFile: string;
}

/** Names the folders and files of the site whose contract lies in `root`. */
export function stackFolders(root: string): StackFolders {
  const state = join(root, ".curtainwall");
  const edge = join(state, "edge");
  const ledger = join(state, "ledger");
  return {
    root,
    state,
    edge,
    ledger,
    cache: join(state, "cache"),
    authority: join(state, "ca"),
    releases: join(edge, "releases"),
    keys: join(state, "release"),
    releaseKeyFile: join(state, "release", "release.key"),
    supervisor: join(state, "supervisor"),
    acceptedFile: join(state, "supervisor", "accepted.json"),
    revokedFile: join(state, "supervisor", "revoked.json"),
    programFile: join(root, "curtainwall.program.json"),
    pendingProgramFile: join(state, "release", "program.pending.json"),
    logFile: join(ledger, "events.jsonl"),
    assertionKeyFile: join(edge, "assertion.key.json"),
    assertionJwksFile: join(edge, "assertion.jwks.json"),
  };
}

/**
 * Makes the state folder, which others may pass through: upstreams read the gateway's public key below it. Git is told to leave
 * it alone, since keys lie in it.
 */
export function makeStateFolder({ state }: StackFolders): void {
  mkdirSync(state, { recursive: true, mode: 0o755 });
  const ignore = join(state, ".gitignore");
  if (!existsSync(ignore)) writeFileSync(ignore, "*\n", { mode: 0o644 });
}

/** What a build writes to. */
const usedByBuild = ["state", "edge", "cache"] as const;
/** What a stack works with. */
const usedByStack = ["state", "edge", "ledger", "cache", "authority", "logFile", "assertionKeyFile"] as const;

/**
 * Checks that what an earlier build or start left behind can be used by this user: a start as root gives folders to others.
 *
 * @throws {CurtainwallError} `STACK_STATE_FOREIGN`
 */
export function assertStateUsable(folders: StackFolders, use: "build" | "start"): void {
  const closed = (use === "build" ? usedByBuild : usedByStack).map((name) => folders[name]).find(isClosed);
  if (closed === undefined) return;
  throw new CurtainwallError(
    "STACK_STATE_FOREIGN",
    `${relative(folders.root, closed)} belongs to another user, so this one can't go on with it.`,
    {
      hint: `An earlier start ran as root or as somebody else. Run this as that user, or take over what it left:  sudo chown -R $(id -u):$(id -g) ${folders.state}`,
    },
  );
}

/** Whether something is there that this user may not write to. */
function isClosed(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES";
  }
}
