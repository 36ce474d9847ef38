import { accessSync, constants, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { CurtainwallError } from "../shared/index.ts";
import type { StackErrorCode } from "./errors.ts";

/** Where a site's state lies: one folder a domain, below `.curtainwall/` beside its contract. */
export interface StackFolders {
  readonly root: string;
  readonly state: string;
  readonly edge: string;
  readonly ledger: string;
  /** What egress must not forget when it is started again. */
  readonly egress: string;
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
  /** Locked by whoever writes the log. Not beside it: what lies there is the ledger's to change. */
  readonly logLockFile: string;
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
    egress: join(state, "egress"),
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
    logLockFile: join(state, "supervisor", "ledger.lock"),
    assertionKeyFile: join(edge, "assertion.key.json"),
    assertionJwksFile: join(edge, "assertion.jwks.json"),
  };
}

/**
 * Makes the state folder, which others may pass through: upstreams read the gateway's public key below it. Git is told to leave
 * it alone, since keys lie in it.
 *
 * @throws {CurtainwallError} `STACK_STATE_READ_ONLY`
 */
export function makeStateFolder({ root, state }: Pick<StackFolders, "root" | "state">): void {
  // Asked before it is tried: of a disk that can only be read, Node says that a folder is not there.
  if (!existsSync(state) && closedBy(root) !== undefined) throw readOnly(root, ".");
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
 * @throws {CurtainwallError} `STACK_STATE_FOREIGN`, `STACK_STATE_READ_ONLY`
 */
export function assertStateUsable(folders: StackFolders, use: "build" | "start"): void {
  const paths = (use === "build" ? usedByBuild : usedByStack).map((name) => folders[name]);
  const closed = paths.find((path) => closedBy(path) !== undefined);
  if (closed === undefined) return;
  const shown = relative(folders.root, closed);
  if (closedBy(closed) === "EROFS" || statSync(closed).uid === process.getuid?.())
    throw readOnly(closed, shown);
  throw new CurtainwallError<StackErrorCode>(
    "STACK_STATE_FOREIGN",
    `${shown} belongs to another user, so this one can't go on with it.`,
    {
      hint: `An earlier start ran as root or as somebody else. Run this as that user, or take over what it left:  sudo chown -R $(id -u):$(id -g) ${folders.state}`,
    },
  );
}

/** Why something that is there can't be written to: `EROFS` for its disk, `EACCES` for its mode. Undefined: it can, or it is not there. */
function closedBy(path: string): "EACCES" | "EROFS" | undefined {
  try {
    accessSync(path, constants.W_OK);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "EACCES" || code === "EROFS" ? code : undefined;
  }
}

function readOnly(path: string, shown: string): CurtainwallError<StackErrorCode> {
  const what = shown === "." ? "The contract's folder" : shown;
  return closedBy(path) === "EROFS"
    ? new CurtainwallError(
        "STACK_STATE_READ_ONLY",
        `${what} can't be written to: its disk can only be read.`,
        {
          hint: `Mount it so that it can be written to, or have .curtainwall on a disk that can:  findmnt -T ${path}`,
        },
      )
    : new CurtainwallError("STACK_STATE_READ_ONLY", `${what} can't be written to by this user.`, {
        hint: `See whose it is, and who may write:  ls -ld ${path}`,
      });
}
