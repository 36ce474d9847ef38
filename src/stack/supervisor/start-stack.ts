import { assertEnvironment } from "../../contract/index.ts";
import type { EnvironmentName } from "../../contract/index.ts";
import { openReleaseStore } from "../../release/node.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { Secret } from "../../shared/index.ts";
import { folderArgument } from "../contract/folder-argument.ts";
import { assertStateUsable, stackFolders } from "../folders.ts";
import { forbidCoreDumps } from "../isolation/no-core-dump.ts";
import type { StackFolders } from "../folders.ts";
import { assertFunctionsIsolated, hasFunctionSandboxes } from "../functions/function-isolation.ts";
import { findIsolation } from "../isolation/isolation.ts";
import type { Isolation } from "../isolation/isolation.ts";
import { loadContract } from "../contract/load-contract.ts";
import type { LoadedContract } from "../contract/load-contract.ts";
import { lockName } from "../lock/lock-name.ts";
import { assertPermitted, describeSpare } from "../lock/permitted.ts";
import { assertSessionsKept } from "../edge/sessions.ts";
import { environmentOf } from "../vault/environments.ts";
import { hasVault } from "../vault/has-vault.ts";
import { assertNoPlainSecrets } from "../vault/plain-secrets.ts";
import { planVault } from "../vault/vault-plan.ts";
import type { VaultPlan } from "../vault/vault-plan.ts";
import { ownState } from "./own-state.ts";
import { Supervisor } from "./supervisor.ts";
import type { RunningStack } from "./supervisor.ts";
import type { StackLogEntry } from "./surroundings.ts";

/** Options of {@link startStack}. */
export interface StartOptions {
  /** The folder that holds the contract, or its file. Default: here. */
  path?: string;
  /** Gets the one log of all domains. Default: one line each on stderr. */
  log?: (entry: StackLogEntry) => void;
  /** Isolation to use instead of the strongest that the machine offers. For tests of the weaker ones. */
  isolation?: Isolation;
  /** Serves only what the lock says that somebody approved; what a first run recorded is not enough. Default false. */
  frozen?: boolean;
  /** How long requests in flight may take when the stack stops, in milliseconds. Default 5 000. */
  graceMs?: number;
  /** Whose secrets it uses. Default: `development` when the contract's origin is on loopback, else `production`. */
  environment?: EnvironmentName;
  /** Asks for the passphrase that opens the vault, if the contract says that one does. Default: such a stack does not start. */
  askPassphrase?: (environment: EnvironmentName) => Promise<Secret | undefined>;
}

/** A command that has the log for itself needs it for a moment. */
const commandMs = 1000;

const toStderr = ({ from, level, message }: StackLogEntry): void =>
  void process.stderr.write(`${new Date().toISOString()} ${from} ${level}: ${message}\n`);

/**
 * Starts a site: the ledger, then the edge, each in its own trust domain, and keeps them running.
 *
 * @throws {CurtainwallError} what `loadContract` throws; `CONTRACT_ENVIRONMENT_INVALID`; `STACK_PERMISSION_UNAPPROVED`, `CONTRACT_LOCK_INVALID`; `STACK_RELEASE_MISSING`, `STACK_RUNS_ALREADY`, `STACK_PORT_IN_USE`,
 *   `STACK_STATE_FOREIGN`, `STACK_STATE_READ_ONLY`, `STACK_CERTIFICATE_MISSING`, `STACK_CERTIFICATE_INVALID`, `STACK_FILE_UNREADABLE`, `STACK_SESSIONS_MISSING`; what a domain reports while it starts, `RELEASE_DIGEST_MISMATCH` for one
 */
export async function startStack({
  path = ".",
  log = toStderr,
  isolation = findIsolation(),
  frozen = false,
  graceMs = 5000,
  environment: wanted,
  askPassphrase,
}: StartOptions = {}): Promise<RunningStack> {
  const loaded = await loadContract(path);
  assertEnvironment(loaded.contract, process.env);
  assertSessionsKept(loaded.contract);
  const review = assertPermitted(loaded, { frozen, not: "served" });
  const message = review.firstRun
    ? `${lockName} says nothing of the contract, so that nobody is told when it permits more: npx curtainwall plan`
    : describeSpare(review, loaded.root);
  if (message !== undefined) log({ from: "supervisor", level: "warning", message });
  const folders = stackFolders(loaded.root);
  if (openReleaseStore(folders.releases).current() === undefined) {
    throw new CurtainwallError("STACK_RELEASE_MISSING", "There is no release to serve.", {
      hint: `Build it first:  npx curtainwall build${folderArgument(loaded.root)}`,
    });
  }
  assertStateUsable(folders, "start");
  const sandboxesFunctions = hasFunctionSandboxes(loaded.contract, loaded.root, isolation);
  assertFunctionsIsolated(loaded.contract, sandboxesFunctions);
  const environment = environmentOf(loaded.contract, wanted);
  assertNoPlainSecrets(loaded, environment, {
    variables: process.env,
    warn: (message) => log({ from: "supervisor", level: "warning", message }),
  });
  const vaultPlan = await planOfVault(loaded, folders, environment, askPassphrase);
  const giveBack = ownState(
    folders,
    (message) => log({ from: "supervisor", level: "warning", message }),
    commandMs,
  );
  const supervisor = new Supervisor({
    loaded,
    folders,
    isolation,
    sandboxesFunctions,
    log,
    graceMs,
    vaultPlan,
    onClosed: giveBack,
  });
  try {
    await supervisor.start();
  } catch (error) {
    await supervisor.close("it could not start");
    throw error;
  }
  return supervisor.running();
}

/** What the vault is started with, if the site has one. */
async function planOfVault(
  loaded: LoadedContract,
  folders: StackFolders,
  environment: EnvironmentName,
  askPassphrase: StartOptions["askPassphrase"],
): Promise<VaultPlan | undefined> {
  const { vault } = loaded.contract;
  if (!hasVault(loaded.contract)) return undefined;
  const needsPassphrase = vault.key?.kind === "passphrase";
  if (needsPassphrase) forbidCoreDumps();
  const passphrase = needsPassphrase ? await askPassphrase?.(environment) : undefined;
  return planVault(loaded, folders, { environment, passphrase });
}
