import { chownSync, mkdirSync } from "node:fs";
import { makeStateFolder } from "../folders.ts";
import { firstInheritedFd } from "../launch.ts";
import type { DomainProcess } from "../launch.ts";
import type { ToLedger } from "../messages.ts";
import { whenReady } from "./keep-domain.ts";
import { launch, userOf } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";

/** The read ends of the pipes that events come through. */
export interface LedgerPipes {
  readonly edgeFd: number;
  readonly supervisorFd: number;
}

/** Starts the ledger; resolves when it takes events. */
export async function startLedger(
  surroundings: Surroundings,
  { edgeFd, supervisorFd }: LedgerPipes,
  launched: (process: DomainProcess<ToLedger>) => void,
): Promise<void> {
  const { folders, loaded } = surroundings;
  const user = userOf(surroundings, "ledger");
  makeStateFolder(folders);
  mkdirSync(folders.ledger, { recursive: true, mode: 0o700 });
  // The folder lies in one that is ours, so nobody can have put a link in its place; what is in it is the ledger's to touch.
  if (user !== undefined) chownSync(folders.ledger, user.uid, user.gid);
  const ledger = launch<ToLedger>(surroundings, "ledger", [edgeFd, supervisorFd], {
    readOnly: [],
    writable: [folders.ledger],
    hidden: [],
    masked: [],
    network: false,
  });
  launched(ledger);
  ledger.control.send({
    type: "configure",
    file: folders.logFile,
    keep: loaded.contract.ledger,
    sources: [
      { name: "edge", fd: firstInheritedFd },
      { name: "supervisor", fd: firstInheritedFd + 1 },
    ],
    user,
  });
  await whenReady(surroundings, "ledger", ledger);
}
