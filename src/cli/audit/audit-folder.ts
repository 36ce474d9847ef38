import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { runAudit } from "../../audit/index.ts";
import type { AuditOptions, AuditReport, ReportContract } from "../../audit/index.ts";
import { contractDigest } from "../../contract/index.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import { meantFolder } from "../../shared/node.ts";
import { hasContract, stackFolders } from "../../stack/index.ts";
import type { LoadedContract } from "../../stack/index.ts";
import {
  assignments,
  findBrowser,
  ledgerOf,
  loadPlan,
  outputOf,
  readAuthority,
  readRelease,
} from "./audit-inputs.ts";
import { machineOf } from "./audit-machine.ts";
import { secretsOf } from "./audit-secrets.ts";
import { usageError } from "../command.ts";
import type { Command, CommandInput } from "../command.ts";
import { aloneAt } from "./one-at-a-target.ts";
import type { ProgressLine } from "../progress.ts";
import { readDuration } from "../read-duration.ts";
import { routePlaces, writtenOptions } from "../contract/route-lines.ts";
import { showProgress } from "../voice.ts";
import { untilStopped } from "./until-stopped.ts";
import type { Stopped } from "./until-stopped.ts";
import { rememberingLeftovers } from "./what-is-left.ts";

/** What is audited, as the command line says it. */
export interface AuditedFolder {
  readonly loaded: LoadedContract;
  /** As it was written. */
  readonly folder: string;
  /** Undefined: the contract's origin. */
  readonly target: URL | undefined;
  /** `only`, `budget` and `browser`. */
  readonly values: CommandInput["values"];
  /** Where it is told how far the audit is. Default: on stderr. */
  readonly progress?: ProgressLine;
}

/**
 * Audits what a folder's contract describes, and says in the report which contract that is. Tells how far it is. A signal ends it, with what is known by
 * then.
 */
export async function auditFolder(
  { loaded, folder, target, values, progress: line = showProgress() }: AuditedFolder,
  command: Command,
): Promise<Stopped<AuditReport>> {
  const budgetMs = readDuration("budget", values.get("budget"), command);
  const options = await targetOptions({ loaded, folder, target, values });
  let count = "";
  const { result: report, stopped } = await aloneAt(options.target, () =>
    untilStopped((signal) =>
      runAudit({
        ...options,
        ...(budgetMs === undefined ? {} : { budgetMs }),
        only: values.get("only")?.split(","),
        signal,
        onProgress: ({ row, what, done, of }) => {
          count = `${done}/${of}`;
          line.update(`${count}  ${row}  ${what}`);
        },
        onWait: (wait) => line.update(`${count}  ${waitText(wait)}`),
      }),
    ),
  )
    .catch((error: unknown) => {
      throw isCurtainwallError(error, "AUDIT_TARGET_INVALID") ? usageError(error.message, command) : error;
    })
    .finally(() => line.done());
  return {
    result: { ...report, tool: toolName(), contract: await describeContract(loaded, report) },
    stopped,
  };
}

/** Why nothing happens for a while: the requests that a user may make were used up, by what ran before or by a run just before this one. */
export const waitText = ({ limitOf, milliseconds }: { limitOf: string; milliseconds: number }): string =>
  `waits for a limit of ${limitOf}, ${Math.ceil(milliseconds / 1000)} s`;

/** What an audit and an attack of a folder work from: its contract and plan, what was built of it, and what this machine shows of it. */
export async function targetOptions({
  loaded,
  folder,
  target,
  values,
}: AuditedFolder): Promise<Omit<AuditOptions, "only" | "onProgress">> {
  const { contract, root, environment } = loaded;
  const folders = stackFolders(root);
  return {
    contract,
    root,
    target: target ?? new URL(contract.origin),
    plan: await loadPlan(root),
    release: await readRelease(folders, folder),
    ca: readAuthority(folders),
    caFile: join(folders.authority, "ca.crt"),
    browser: findBrowser(values.get("browser")),
    environment: assignments(environment, process.env),
    ...outputOf(contract, folders),
    ...ledgerOf(folders),
    ...secretsOf({ contract, root }),
    machine: machineOf({ contract, root }),
    ...rememberingLeftovers(folders, target ?? new URL(contract.origin)),
  };
}

/** Who writes the report: `curtainwall 1.2.3`. */
export function toolName(): string {
  const file = new URL("../../../package.json", import.meta.url);
  const { name, version } = JSON.parse(readFileSync(file, "utf8")) as { name: string; version: string };
  return `${name} ${version}`;
}

async function describeContract(
  { contract, file, root, modules }: LoadedContract,
  { rows }: AuditReport,
): Promise<ReportContract> {
  const keys = new Set(contract.routes.map(({ key }) => key));
  const files = [...new Set([file, ...modules])];
  const broken = rows.flatMap(({ checks }) =>
    checks
      .filter(({ state }) => state === "failed")
      .flatMap(({ promise, evidence }) =>
        evidence.map((piece) => (piece.kind === "exchange" ? piece.promise : undefined)).concat(promise),
      )
      .filter((option) => option !== undefined),
  );
  return {
    digest: await contractDigest(contract),
    folder: relative(repositoryOf(root), root),
    file: relative(root, file),
    routes: routePlaces(keys, files, root),
    ...(broken.length === 0 ? {} : { options: writtenOptions(new Set(broken), files, root) }),
  };
}

/** The repository that a folder is in; outside of one, the folder. */
function repositoryOf(root: string): string {
  for (let folder = root; ; folder = dirname(folder)) {
    if (existsSync(join(folder, ".git"))) return folder;
    if (dirname(folder) === folder) return root;
  }
}

/** Tells the folder from the address, in whatever order they stand. */
export function readArguments(
  positionals: CommandInput["positionals"],
  command: Command,
): { folder: string; target: URL | undefined } {
  const address = positionals.find((argument) => /^https?:\/\//.test(argument));
  const folder = positionals.find((argument) => argument !== address) ?? ".";
  const stray =
    positionals.find((argument) => argument !== address && argument !== folder) ??
    (existsSync(folder) ? undefined : folder);
  if (stray !== undefined)
    throw usageError(
      `"${stray}" is neither a folder nor an address; an address begins with https://`,
      command,
      meantFolder(stray, hasContract),
    );
  const target = URL.parse(address ?? "") ?? undefined;
  if (address !== undefined && target === undefined) throw usageError(`"${address}" is no address`, command);
  return { folder, target };
}
