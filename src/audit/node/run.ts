import { CurtainwallError } from "../../shared/index.ts";
import { isLoopbackHost } from "../../contract/index.ts";
import type { Contract, ReleaseIndex } from "../../contract/index.ts";
import { auditRows } from "../audit-rows.ts";
import { reasonOf } from "../check.ts";
import type { AuditContext } from "../context.ts";
import type { LedgerProbe } from "../probes/ledger-probe.ts";
import { lookForFrameworks } from "../mends/look.ts";
import { findMends } from "../mends/mends.ts";
import { mendSettings } from "../mends/settings.ts";
import { assertPlanFits } from "../plan/plan-problems.ts";
import { isOutOfTime } from "../out-of-time.ts";
import type { AuditPlan } from "../plan/plan.ts";
import type { OutputSearch, ReleaseTrial } from "../probes/probe.ts";
import { countAttacks, summarise } from "../report.ts";
import type { AuditReport, AuditRow } from "../report.ts";
import type { MachineProbe } from "../probes/machine-probe.ts";
import type { SecretsProbe } from "../probes/secrets-probe.ts";
import { chooseRows } from "../rows.ts";
import { rules } from "../rules/index.ts";
import { summariseServed } from "../answers/served-release.ts";
import { divideTime } from "./ending.ts";
import { openMade } from "./made.ts";
import type { CleanedUp } from "./made.ts";
import { openContext } from "./open-context.ts";

/** Something to tell whoever waits. */
export interface AuditProgress {
  /** Row that is being worked on. */
  row: string;
  /** Check that begins, or the row's verdict when it ended. */
  what: string;
  done: number;
  of: number;
}

/** Options of {@link runAudit}. */
export interface AuditOptions {
  contract: Contract;
  /** The running stack. Active checks run on loopback only. */
  target: URL;
  /** The project's folder: where git, package.json and the contract's `caFile`s are. */
  root: string;
  /** What was built, for the checks of the output. */
  release?: ReleaseIndex | undefined;
  /** PEM: the authority of the target's certificate. Default: the system's. */
  ca?: string | undefined;
  /** Where {@link ca} was read, for who is told that a certificate is of another. */
  caFile?: string | undefined;
  /** Without it there is nobody to be, and the rows that take identities stay unknown. */
  plan?: AuditPlan | undefined;
  /** Without it the checks in a browser are missing. */
  browser?: { executablePath: string } | undefined;
  /** Assignments that the report's commands begin with, where the contract reads the environment: `["PORT=8443"]`. Default: none. */
  environment?: readonly string[] | undefined;
  /** Rows to check, like `["API-1"]`. Default: all. */
  only?: readonly string[] | undefined;
  /** For the whole audit, in milliseconds; what is left then is missing. Default 240 000. */
  budgetMs?: number;
  /** For one answer, in milliseconds. Default 10 000. */
  timeoutMs?: number;
  /** How long the target may let a client hold a connection that sends a byte a second, in milliseconds. Default 45 000. */
  maxSlowMs?: number;
  now?: () => number;
  onProgress?: (progress: AuditProgress) => void;
  /** Told when a limit is waited for: whose it is (a route's key), and how long. */
  onWait?: (wait: { limitOf: string; milliseconds: number }) => void;
  /** Asks the target nothing: for a list of what would be done. Default false. */
  isSilent?: boolean | undefined;
  /** Ends it early: what is begun afterwards is missing. */
  signal?: AbortSignal | undefined;
  /** A file of this project's and target's own, to note in what may have to be taken away if the process is killed. Default: none, and nobody knows. */
  journal?: string | undefined;
  /** Told of what an earlier run left that was killed, once that was dealt with, and, where this one's could not be taken away, of that. */
  onCleanUp?: ((cleaned: CleanedUp) => void) | undefined;
  /** Searches the built output for what must not leave. Without it those checks are missing. */
  searchOutput?: () => Promise<OutputSearch>;
  /** Tries whether the release would be taken with other signatures. Without it that check is missing. */
  releaseTrial?: ReleaseTrial;
  /** Looks at secrets on the machine that the stack runs on. Without it those checks are missing. */
  secrets?: SecretsProbe;
  /** Looks at processes on the machine that the stack runs on. Without it those checks are missing. */
  machine?: MachineProbe;
  /** Finds an event by the id in an error. */
  lookUpLedger?: (id: string) => Promise<unknown>;
  /** The stack's log. Without it the checks of the log are missing. */
  ledger?: LedgerProbe;
}

/** Options of what every check works from. */
export type ContextOptions = Omit<AuditOptions, "only" | "onProgress">;

/** How long an audit may take, where nobody says. */
const defaultBudgetMs = 240_000;

/**
 * Audits a running stack against its contract: 24 rows, each with its checks, their evidence and how to see it again.
 * A target that is down, slow or hostile is a finding or a missing check, never an exception.
 *
 * @throws {CurtainwallError} `AUDIT_PLAN_INVALID` when the plan does not fit the contract, `AUDIT_TARGET_INVALID` when the
 *   target is no http or https URL or a row to check does not exist.
 */
export async function runAudit(options: AuditOptions): Promise<AuditReport> {
  const { contract, target, plan = {}, only, now = Date.now, budgetMs = defaultBudgetMs } = options;
  const chosen = only === undefined ? undefined : chooseRows(only);
  assertPlanFits(plan, contract);
  if (target.protocol !== "https:" && target.protocol !== "http:")
    throw new CurtainwallError("AUDIT_TARGET_INVALID", `${target.href} is no http or https address.`);
  const startedAt = now();
  const isHere = isLoopbackHost(target.hostname);
  const time = divideTime(budgetMs, isHere && plan.cleanUp !== undefined);
  // Elsewhere nothing is asked that writes.
  const made = isHere ? await openMade(options, time) : undefined;
  const checksMs = time.checksMs - (now() - startedAt);
  const opened = await openContext({ ...options, budgetMs: checksMs, plan: made?.plan ?? plan }, time);
  const { over } = opened;
  const context = made?.watch(opened.context, over) ?? opened.context;
  try {
    const todo = rules.filter(({ id }) => chosen?.has(id) ?? true);
    const found = await auditRows(todo, context, { chosen, over }, (progress) =>
      options.onProgress?.(progress),
    );
    const rows = withMoreTime(found, context, budgetMs);
    return {
      format: 1,
      target: target.origin,
      ...(context.unreachable === undefined ? {} : { unreachable: context.unreachable.reason }),
      ...(await releaseOf(context, over)),
      startedAt: new Date(startedAt).toISOString(),
      durationMs: now() - startedAt,
      weakenings: [...contract.weakenings],
      rows,
      attacks: countAttacks(rows),
      ...(await mendsOf(context, rows, over)),
      summary: summarise(rows),
    };
  } finally {
    await made?.settle();
    await opened.close();
    const cleaned = await made?.cleanUp();
    if (typeof cleaned?.problem === "object") options.onCleanUp?.(cleaned);
  }
}

/** What there was no time for says what gives it more. */
function withMoreTime(rows: AuditRow[], { commands }: AuditContext, budgetMs: number): AuditRow[] {
  const help = `; twice as long:  ${commands.audit(`--budget ${Math.ceil(budgetMs / 30_000)}m`)}`;
  return rows.map((row) => ({
    ...row,
    checks: row.checks.map((check) =>
      check.reason !== undefined && isOutOfTime(check.reason)
        ? { ...check, reason: `${check.reason}${help}` }
        : check,
    ),
  }));
}

/** What would mend a target that is no stack of ours. Looked for only where something failed. */
async function mendsOf(
  context: AuditContext,
  rows: readonly AuditRow[],
  over: Promise<never>,
): Promise<Pick<AuditReport, "mends">> {
  if (rows.every(({ failed }) => failed === 0)) return {};
  const mends = findMends(rows, await lookForFrameworks(context, over), mendSettings(context.contract));
  return mends.length === 0 ? {} : { mends };
}

/** The folder's release, and whether it is the one that was audited. */
async function releaseOf(context: AuditContext, over: Promise<never>): Promise<Pick<AuditReport, "release">> {
  const { release } = context;
  if (release === undefined) return {};
  const served = await Promise.race([context.servedRelease(), over]).catch((error: unknown) => ({
    differing: [],
    compared: 0,
    of: release.manifest.files.length,
    missing: reasonOf(error),
  }));
  return { release: { digest: release.digest, ...summariseServed(served) } };
}
