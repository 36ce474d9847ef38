import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { AuditOptions, AuditPlan, LedgerProbe } from "../../audit/index.ts";
import { guardedValues } from "../../contract/index.ts";
import type { Contract, ReleaseIndex } from "../../contract/index.ts";
import type { Checkpoint } from "../../ledger/index.ts";
import { endOfLog, findRecord, logLines, verifyLog } from "../../ledger/node.ts";
import { openReleaseStore, readPackIndex } from "../../release/node.ts";
import { CurtainwallError, isCurtainwallError } from "../../shared/index.ts";
import {
  createContractGate,
  describeHit,
  inspectRelease,
  openReleaseTrial,
  outputFingerprints,
  readLastCheckpoint,
} from "../../stack/index.ts";
import type { StackFolders } from "../../stack/index.ts";

// What an audit reads beside the contract. What is not there is left out: its checks say that it is missing.

/** The plan, if there is one. */
export async function loadPlan(root: string): Promise<AuditPlan | undefined> {
  const file = ["curtainwall.audit.ts", "curtainwall.audit.js"]
    .map((name) => join(root, name))
    .find((path) => existsSync(path));
  if (file === undefined) return undefined;
  try {
    return ((await import(pathToFileURL(file).href)) as { default?: AuditPlan }).default;
  } catch (cause) {
    if (isCurtainwallError(cause))
      throw new CurtainwallError(cause.code, cause.message, { cause, hint: `Correct ${file}` });
    throw new CurtainwallError(
      "STACK_CONFIG_FAILED",
      `${file} can't be loaded: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** The newest release that was built here. Its files' bytes are not read: those that are served are what counts. */
export async function readRelease(
  { releases }: StackFolders,
  folder: string,
): Promise<ReleaseIndex | undefined> {
  try {
    const newest = openReleaseStore(releases).current();
    return newest === undefined ? undefined : await readPackIndex(newest.packFile);
  } catch (cause) {
    if (!isCurtainwallError(cause)) throw cause;
    const hint = `Build it again:  npx curtainwall build ${folder}`;
    throw new CurtainwallError(cause.code, cause.message, { cause, hint });
  }
}

/** The development authority's certificate. */
export function readAuthority({ authority }: StackFolders): string | undefined {
  const file = join(authority, "ca.crt");
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

/** Sends the newest release through the leak gate again, with the values of this machine's environment; tries it with other signatures. */
export function outputOf(
  contract: Contract,
  folders: StackFolders,
): Pick<AuditOptions, "searchOutput" | "releaseTrial"> {
  const { releases, root } = folders;
  const newest = openReleaseStore(releases).current();
  const releaseTrial = openReleaseTrial(contract, folders);
  if (newest === undefined || releaseTrial === undefined) return {};
  return {
    releaseTrial,
    searchOutput: async () => {
      const { environment, secrets } = contract;
      const fingerprints = await outputFingerprints({ contract, root });
      const gate = createContractGate({ contract, root, variables: process.env, fingerprints });
      const { files, hits } = await inspectRelease(readFileSync(newest.packFile), gate);
      const unseen = new Set(gate.notSearched.map(({ name }) => name));
      const values = guardedValues({ environment }, process.env).map(({ name }) => name);
      return {
        files,
        values: values.filter((name) => !unseen.has(name)),
        secrets: {
          declared: [...secrets.keys()],
          searched: [...new Set(fingerprints?.prints.map(({ name }) => name))],
          unsearched:
            fingerprints?.notSearched.map(({ name, reason }) => ({ name, reason })) ??
            [...secrets.keys()].map((name) => ({ name, reason: "its vault is not on this machine" })),
        },
        isHeldToPublicNames: environment.public.size > 0,
        findings: hits
          .filter(({ level }) => level === "hit")
          .map((hit) => ({ rule: hit.rule, path: hit.path, text: describeHit(hit) })),
      };
    },
  };
}

/** Reads the log, from now on or from its beginning. It belongs to the ledger's user; who may not read it audits without. */
export function ledgerOf(folders: StackFolders): Pick<AuditOptions, "lookUpLedger" | "ledger"> {
  const { logFile } = folders;
  if (!isAllowed(logFile, constants.R_OK)) return {};
  const began = endOfLog(logFile);
  const ledger: LedgerProbe = {
    written: () => logLines(logFile, began),
    kept: () => logLines(logFile),
    verify: () => {
      const last = lastCheckpoint(folders);
      const given = last === undefined ? {} : { checkpoints: [last], keys: [last.key] };
      const { checkpoints, outside, findings, untold, ...verdict } = verifyLog(logFile, given);
      return {
        ...verdict,
        checkpoints: checkpoints.count,
        through: checkpoints.through,
        holdsAsRemembered: outside === 1,
        untold,
        findings: findings.map(({ file, line, says }) => `${file ?? ""}:${line ?? 0} ${says}`),
      };
    },
  };
  return { lookUpLedger: (id) => findRecord(logFile, id), ledger };
}

/** It lies in a folder that the ledger's user can't read. */
function lastCheckpoint(folders: StackFolders): Checkpoint | undefined {
  try {
    return readLastCheckpoint(folders);
  } catch {
    return undefined;
  }
}

const browserPlaces = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** The browser that was named, or one in the usual places. */
export function findBrowser(named: string | undefined): AuditOptions["browser"] {
  const executablePath = named ?? browserPlaces.find((path) => isAllowed(path, constants.X_OK));
  return executablePath === undefined ? undefined : { executablePath };
}

function isAllowed(file: string, mode: number): boolean {
  try {
    accessSync(file, mode);
    return true;
  } catch {
    return false;
  }
}

/**
 * Writes out what moves the contract's addresses and ports, so that the report's commands reach the same stack. Nothing else
 * of the environment: it may be secret.
 */
export function assignments(names: readonly string[], environment: NodeJS.ProcessEnv): string[] {
  return names.flatMap((name) => {
    const value = environment[name] ?? "";
    const isPort = /^\d{1,5}$/.test(value);
    const isOrigin = /^https?:\/\/[\w.:[\]-]+\/?$/.test(value);
    const isSecret = /secret|token|password|key|pin/i.test(name);
    return (isPort || isOrigin) && !isSecret ? [`${name}=${value}`] : [];
  });
}
