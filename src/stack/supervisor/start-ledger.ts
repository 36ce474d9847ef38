import { chownSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { CheckpointClaim } from "../../ledger/index.ts";
import { printable } from "../../shared/index.ts";
import type { EventsPipe } from "../log/events-pipe.ts";
import { makeStateFolder } from "../folders.ts";
import { firstInheritedFd } from "../processes/launch.ts";
import type { DomainProcess } from "../processes/launch.ts";
import type { FromDomain, ToLedger } from "../processes/messages.ts";
import { whenReady } from "./keep-domain.ts";
import { createFloodAlarm } from "./log-floods.ts";
import type { LogKeyHolder } from "./log-key.ts";
import { createCheckpointSigner, witnessFileOf } from "./sign-checkpoints.ts";
import type { CheckpointSigner } from "./sign-checkpoints.ts";
import { launch, say, userOf } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";

/** What a ledger is given beside what the contract says. */
export interface LedgerInputs {
  /** All that it reads. */
  readonly pipes: readonly EventsPipe[];
  /** Signs its log. */
  readonly signer: CheckpointSigner;
}

/** Starts the ledger, which reads all of these pipes; resolves when it takes events. */
export async function startLedger(
  surroundings: Surroundings,
  { pipes, signer }: LedgerInputs,
  launched: (process: DomainProcess<ToLedger>) => void,
  told: (message: FromDomain) => void,
): Promise<void> {
  const { folders, loaded } = surroundings;
  const user = userOf(surroundings, "ledger");
  makeStateFolder(folders);
  mkdirSync(folders.ledger, { recursive: true, mode: 0o700 });
  // The folder lies in one that is ours, so nobody can have put a link in its place; what is in it is the ledger's to touch.
  if (user !== undefined) chownSync(folders.ledger, user.uid, user.gid);
  makeLockFile(folders.logLockFile);
  const fds = pipes.map(({ readFd }) => readFd);
  const ledger = launch<ToLedger>(surroundings, "ledger", fds, {
    readOnly: [],
    writable: [folders.ledger, folders.logLockFile],
    hidden: [],
    masked: [],
    network: false,
  });
  launched(ledger);
  ledger.control.send({
    type: "configure",
    file: folders.logFile,
    lockFile: folders.logLockFile,
    keep: loaded.contract.ledger,
    sources: pipes.map(({ name }, index) => ({ name, fd: firstInheritedFd + index })),
    user,
  });
  await whenReady(surroundings, "ledger", ledger, (message) => {
    if (message.type === "sign-checkpoint") void answer(surroundings, signer, ledger, message);
    told(message);
  });
}

/** A sandbox shows only what is there. */
function makeLockFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  if (!existsSync(file)) writeFileSync(file, "", { mode: 0o600 });
}

/**
 * Has the log of a stack signed.
 *
 * @param key has the key that it is signed with
 */
export function openLogSigner(surroundings: Surroundings, key: LogKeyHolder): CheckpointSigner {
  const { folders, loaded } = surroundings;
  return createCheckpointSigner({
    folders,
    key,
    keep: loaded.contract.ledger,
    witnessFile: witnessFileOf(loaded),
    onFlood: createFloodAlarm(surroundings),
    onOtherKey: (now, before) =>
      say(
        surroundings,
        "warning",
        `the log is signed by the ${now.holder ?? "supervisor"} with ${now.key} from now on; until now it was by the ${before.holder ?? "supervisor"} with ${before.key}`,
      ),
  });
}

/** Signs what the ledger says of its log, or says why not. */
async function answer(
  surroundings: Surroundings,
  signer: CheckpointSigner,
  { control }: DomainProcess<ToLedger>,
  { log, through, head }: CheckpointClaim,
): Promise<void> {
  const result = await signer
    .sign({ log, through, head })
    .catch((error: unknown) => (error as Error).message);
  control.send({ type: "checkpoint", checkpoint: typeof result === "string" ? undefined : result });
  if (typeof result !== "string") return;
  const reason = printable(result);
  surroundings.events({ type: "ledger.checkpoint.refused", time: Date.now(), log, through, reason });
  say(
    surroundings,
    "warning",
    `the log was not signed: ${reason}  Look through it:  npx curtainwall log verify`,
  );
}
