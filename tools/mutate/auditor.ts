// Audits the example of the tree that this file lies in, check by check, for as long as it is asked to.
import { join } from "node:path";
import { runCheck } from "../../src/audit/check.ts";
import type { AuditContext } from "../../src/audit/context.ts";
import type { Evidence } from "../../src/audit/evidence.ts";
import { openContext } from "../../src/audit/node/open-context.ts";
import {
  findBrowser,
  ledgerOf,
  loadPlan,
  outputOf,
  readAuthority,
  readRelease,
} from "../../src/cli/audit/audit-inputs.ts";
import { machineOf } from "../../src/cli/audit/audit-machine.ts";
import { secretsOf } from "../../src/cli/audit/audit-secrets.ts";
import { loadContract, stackFolders } from "../../src/stack/index.ts";
import { phasesOf } from "./phases.ts";
import type { Job } from "./phases.ts";

/** A check, as `API-1 alg:none`. */
export type CheckId = string;

/** What is to be audited. */
export interface AuditOrder {
  /** Checks that run before all others. */
  readonly first: readonly CheckId[];
  /** Rows that run next. The others follow, unless {@link AuditOrder.isNarrow}. */
  readonly rows: readonly string[];
  readonly isNarrow: boolean;
  /** Failures of these end the audit. Undefined: nothing does. */
  readonly until: readonly CheckId[] | undefined;
  /** One of several shares of the rows, where several audits look at the same. */
  readonly share?: { readonly index: number; readonly of: number };
}

/** How a check ended. */
export interface CheckResult {
  readonly check: CheckId;
  readonly state: "passed" | "failed" | "missing" | "not applicable";
  /** What was seen, or why nothing was. */
  readonly words: string;
  readonly milliseconds: number;
}

export type AuditorMessage =
  | { kind: "loaded" }
  | ({ kind: "check" } & CheckResult)
  /** `isIdle`: nothing of this audit runs on, so it can be given another. */
  | { kind: "done"; isIdle: boolean }
  | { kind: "failed"; message: string };

process.on("SIGINT", () => undefined);
process.on("disconnect", () => process.exit());
process.on("message", (order: AuditOrder) => {
  audit(order).then(
    (isIdle) => tell({ kind: "done", isIdle }),
    (error: Error) => tell({ kind: "failed", message: error.stack ?? error.message }),
  );
});
tell({ kind: "loaded" });

async function audit({ until, ...order }: AuditOrder): Promise<boolean> {
  const { context, close } = await contextOf(join(import.meta.dirname, "../../examples/bakery"));
  const ends = new Set(until);
  let pending = 0;
  let isOver = false;
  const run = async ({ id, row, check }: Job): Promise<void> => {
    if (isOver) return;
    const started = performance.now();
    pending++;
    const { state, evidence, reason } = await runCheck(check, row, context);
    pending--;
    if (isOver) return;
    const words = state === "failed" ? wordsOf(evidence[0]) : (reason ?? "");
    tell({ kind: "check", check: id, state, words, milliseconds: Math.round(performance.now() - started) });
    if (state === "failed" && ends.has(id)) isOver = true;
  };
  try {
    for (const phase of phasesOf(order)) await runPhase(phase, run, () => isOver);
    return pending === 0;
  } finally {
    // What still waits has nothing to wait for.
    await close();
  }
}

/** Those that mostly wait run beside the others. Ends when it is over, whatever still waits. */
async function runPhase(
  jobs: readonly Job[],
  run: (job: Job) => Promise<void>,
  isOver: () => boolean,
): Promise<void> {
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  const runAndLook = (job: Job): Promise<void> => run(job).then(() => (isOver() ? end() : undefined));
  const waiting = Promise.all(jobs.filter(({ check }) => check.isSlow === true).map(runAndLook));
  for (const job of jobs) if (job.check.isSlow !== true) await runAndLook(job);
  await Promise.race([waiting, over]);
}

async function contextOf(folder: string): Promise<{ context: AuditContext; close: () => Promise<void> }> {
  const { contract, root } = await loadContract(folder);
  const folders = stackFolders(root);
  return openContext({
    contract,
    root,
    target: new URL(contract.origin),
    plan: await loadPlan(root),
    release: await readRelease(folders, folder),
    ca: readAuthority(folders),
    browser: findBrowser(undefined),
    ...outputOf(contract, folders),
    ...ledgerOf(folders),
    ...secretsOf({ contract, root }),
    machine: machineOf({ contract, root }),
  });
}

function wordsOf(evidence: Evidence | undefined): string {
  if (evidence === undefined) return "";
  const seen =
    evidence.kind === "exchange"
      ? `: ${evidence.request.method} ${new URL(evidence.request.url).pathname} was answered ${evidence.response.status}`
      : evidence.kind === "measurement"
        ? `: ${evidence.value}${evidence.unit === undefined ? "" : ` ${evidence.unit}`}`
        : "";
  return `${evidence.about}${seen}`;
}

function tell(message: AuditorMessage): void {
  process.send?.(message);
}
