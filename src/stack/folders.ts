import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** Where a site's state lies: one folder a domain, below `.curtainwall/` beside its contract. */
export interface StackFolders {
  readonly root: string;
  readonly state: string;
  readonly edge: string;
  readonly ledger: string;
  readonly cache: string;
  readonly authority: string;
  readonly releaseFile: string;
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
    releaseFile: join(edge, "release.bin"),
    logFile: join(ledger, "events.jsonl"),
    assertionKeyFile: join(edge, "assertion.key.json"),
    assertionJwksFile: join(edge, "assertion.jwks.json"),
  };
}

/** Makes the state folder, which others may pass through: upstreams read the gateway's public key below it. */
export function makeStateFolder({ state }: StackFolders): void {
  mkdirSync(state, { recursive: true, mode: 0o755 });
}
