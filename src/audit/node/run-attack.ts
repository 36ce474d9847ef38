import { CurtainwallError, nearestRoute } from "../../shared/index.ts";
import type { ContractRoute } from "../../contract/index.ts";
import { isLoopbackHost } from "../../contract/index.ts";
import { runUnits } from "../attack/engine.ts";
import type { AttackProgress, UnitResults } from "../attack/engine.ts";
import { gapsOf } from "../attack/gaps.ts";
import type { AttackGap } from "../attack/gaps.ts";
import { kinds } from "../attack/kinds.ts";
import type { AttackedOption, AttackKind } from "../attack/kinds.ts";
import { openedRoutes } from "../attack/opened.ts";
import type { AttackReport, LeftOut } from "../attack/report.ts";
import { attackSummary, kindReports } from "../attack/summarise.ts";
import { attackUnits, isControl, kindsOnRoutes, leftOut } from "../attack/units.ts";
import type { Unit } from "../attack/units.ts";
import { shellWord } from "../commands.ts";
import { reasonOf } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { isOutOfTime, timeIsUp } from "../out-of-time.ts";
import { assertPlanFits } from "../plan/plan-problems.ts";
import { rules } from "../rules/index.ts";
import { wasInterrupted } from "./clock.ts";
import { divideTime } from "./ending.ts";
import { openMade } from "./made.ts";
import type { CleanedUp, Made } from "./made.ts";
import { openContext } from "./open-context.ts";
import type { ContextOptions } from "./run.ts";

/** Options of {@link runAttack}. */
export interface AttackOptions extends ContextOptions {
  /** Kinds of attack. Default: all. */
  kinds?: readonly AttackKind[] | undefined;
  /** Keys of routes; with them the site as a whole is left alone. Default: all, and the site. */
  routes?: readonly string[] | undefined;
  /** For everything, in milliseconds. What is left then is not made. Default 180 000. */
  budgetMs?: number;
  /** Says where an option of the contract is written, for broken promises. */
  placeOf?: (promise: AttackedOption, route: string | undefined) => string | undefined;
  onProgress?: (progress: AttackProgress) => void;
}

/** How long an attack may take, where nobody says. */
export const defaultBudgetMs = 180_000;

/**
 * Attacks a running stack: every promise of its contract, by the checks of an audit that are attacks. Only on this machine, since nothing else
 * proves whose the target is. A target that is down, slow or hostile makes attacks that were not made, never an exception.
 *
 * @throws {CurtainwallError} `AUDIT_OWNERSHIP_UNPROVED` when the target is another machine, `AUDIT_PLAN_INVALID` when the plan does not fit the
 *   contract, `AUDIT_TARGET_INVALID` when the target is no http or https URL, or a kind or a route does not exist.
 */
export async function runAttack(options: AttackOptions): Promise<AttackReport> {
  const { target, plan = {}, now = Date.now, budgetMs = defaultBudgetMs, signal } = options;
  assertChoice(options);
  assertOwn(target);
  assertPlanFits(plan, options.contract);
  const startedAt = now();
  const time = divideTime(budgetMs, plan.cleanUp !== undefined);
  const made = await openMade(options, time);
  // One answer that never comes does not use everything up.
  const timeoutMs = options.timeoutMs ?? Math.min(10_000, Math.max(1000, budgetMs / 6));
  const checksMs = time.checksMs - (now() - startedAt);
  const opened = await openContext({ ...options, plan: made.plan, budgetMs: checksMs, timeoutMs }, time);
  const { over } = opened;
  const context = made.watch(opened.context, over);
  let report: Omit<AttackReport, "left" | "cleanUpFailed">;
  try {
    const units = attackUnits(rules, context, choiceOf(options));
    prefetchExpired(context);
    const results = await runUnits({
      context,
      units,
      over,
      onProgress: (progress) => options.onProgress?.(progress),
    });
    report = {
      format: 1,
      target: target.origin,
      startedAt: new Date(startedAt).toISOString(),
      durationMs: now() - startedAt,
      ...(await endOf(context, results, { signal, over, budgetMs })),
      kinds: kindReports(results.units),
      leftOut: leftOut(rules, context, choiceOf(options)),
      ...hintsOf(options, units),
      ...withPlaces(results, options),
      summary: attackSummary(results.units),
    };
  } finally {
    await made.settle();
    await opened.close();
  }
  return { ...report, ...whatIsLeft(await made.cleanUp(), made) };
}

/** Lists what would be attacked, without asking the target anything: the attacks alone, not the honest requests before them. */
export async function listAttacks(options: AttackOptions): Promise<Unit[]> {
  assertChoice(options);
  const { context, close } = await openContext({ ...options, isSilent: true });
  try {
    return attackUnits(rules, context, choiceOf(options)).map((unit) => ({
      ...unit,
      checks: unit.checks.filter(({ check }) => !isControl(check)),
    }));
  } finally {
    await close();
  }
}

/** Says which attacks are left out, since they take what the plan may give and does not, without asking the target anything. */
export async function attacksLeftOut(options: AttackOptions): Promise<LeftOut[]> {
  assertChoice(options);
  const { context, close } = await openContext({ ...options, isSilent: true });
  try {
    return leftOut(rules, context, choiceOf(options));
  } finally {
    await close();
  }
}

/** Says which attacks can't be made with the plan, without asking the target anything. */
export async function attackGaps(options: AttackOptions): Promise<AttackGap[]> {
  assertChoice(options);
  const { context, close } = await openContext({ ...options, isSilent: true });
  try {
    return gapsOf(attackUnits(rules, context, choiceOf(options)), context);
  } finally {
    await close();
  }
}

/** What a reader would take for attacked, and is not. */
function hintsOf(
  { contract, plan = {}, kinds: chosen = kinds, routes }: AttackOptions,
  units: readonly Unit[],
): Pick<AttackReport, "opened" | "idle"> {
  const isAsked = (key: string): boolean => routes?.includes(key) ?? true;
  const opened = chosen.includes("objects")
    ? openedRoutes(contract, plan).filter(({ route }) => isAsked(route))
    : [];
  const idle = chosen.filter((kind) => !units.some((unit) => unit.kind === kind));
  // Of a few routes most kinds have nothing; whoever names a kind is told.
  const isTold = idle.length > 0 && (routes === undefined || chosen !== kinds);
  return {
    ...(opened.length === 0 ? {} : { opened }),
    ...(isTold ? { idle } : {}),
  };
}

const choiceOf = ({ kinds: chosen, routes }: AttackOptions): Parameters<typeof attackUnits>[2] => ({
  ...(chosen === undefined ? {} : { kinds: new Set(chosen) }),
  ...(routes === undefined ? {} : { routes: new Set(routes) }),
});

function assertChoice({ contract, target, kinds: chosen = [], routes }: AttackOptions): void {
  const invalid = (message: string, hint?: string): CurtainwallError =>
    new CurtainwallError("AUDIT_TARGET_INVALID", message, hint === undefined ? {} : { hint });
  if (target.protocol !== "https:" && target.protocol !== "http:")
    throw invalid(`${target.href} is no http or https address.`);
  const kind = chosen.find((name) => !kinds.includes(name));
  if (kind !== undefined)
    throw invalid(`There is no kind of attack "${kind}".`, `There are ${kinds.join(", ")}`);
  const route = routes?.find((key) => !contract.routes.some((candidate) => candidate.key === key));
  if (route !== undefined)
    throw invalid(`The contract has no route "${route}".`, routeHint(route, contract.routes));
  const onRoutes = kindsOnRoutes(rules);
  const ofSite = routes === undefined ? undefined : chosen.find((name) => !onRoutes.includes(name));
  if (ofSite !== undefined)
    throw invalid(
      `"${ofSite}" is an attack on the site as a whole, and on no route by itself.`,
      `Leave out --route, or ask for one of ${onRoutes.join(", ")}`,
    );
}

/** Whoever only lists what would be attacked needs no target of their own. */
function assertOwn(target: URL): void {
  if (!isLoopbackHost(target.hostname))
    throw new CurtainwallError(
      "AUDIT_OWNERSHIP_UNPROVED",
      `${target.origin} is another machine, and nothing shows that it is yours to attack.`,
      {
        hint: "Start the stack here and attack that; what only looks can be asked of any address:  npx curtainwall audit",
      },
    );
}

function routeHint(asked: string, routes: readonly ContractRoute[]): string {
  const keys = routes.map(({ key }) => key);
  const meant = nearestRoute(asked, keys);
  return meant === undefined ? `Its routes: ${keys.join(", ")}` : `Did you mean  ${shellWord(meant)}?`;
}

/** A token that is about to expire does so while other things are tried. */
function prefetchExpired({ plan, tokens }: AuditContext): void {
  for (const [name, identity] of Object.entries(plan.identities ?? {}))
    if ("expiredToken" in identity) tokens.expired(name).catch(() => undefined);
}

async function endOf(
  context: AuditContext,
  { units }: UnitResults,
  { signal, over, budgetMs }: { signal: AbortSignal | undefined; over: Promise<never>; budgetMs: number },
): Promise<Pick<AttackReport, "ended">> {
  const outOfTime = (says: string): Pick<AttackReport, "ended"> => ({
    ended: { because: "budget", says, longer: `${Math.ceil(budgetMs / 30_000)}m` },
  });
  if (signal?.aborted === true) return { ended: { because: "interrupted", says: wasInterrupted } };
  if (context.unreachable !== undefined) {
    const { reason } = context.unreachable;
    return isOutOfTime(reason) ? outOfTime(reason) : { ended: { because: "target gone", says: reason } };
  }
  if (units.every(({ notMade }) => notMade === 0)) return {};
  try {
    await Promise.race([context.wire.send({ method: "GET", path: "/" }), over]);
  } catch (error) {
    const { code } = error as { code?: string };
    return code === "AUDIT_BUDGET_SPENT"
      ? outOfTime(timeIsUp)
      : { ended: { because: "target gone", says: reasonOf(error), ...startOf(context) } };
  }
  const reasons = units.flatMap((unit) => unit.reasons);
  if (reasons.some((reason) => reason.includes(timeIsUp))) return outOfTime(timeIsUp);
  return reasons.some(isOutOfTime) ? outOfTime(limitsAreLate) : {};
}

/** All that waits for no limit was tried by then. */
const limitsAreLate = "limits come back later than there was time to wait";

/** What starts the target, where it is the contract's own. */
const startOf = ({ target, contract, commands }: AuditContext): { start?: string } =>
  target.origin === contract.origin ? { start: commands.start } : {};

function withPlaces(
  { units, broken }: UnitResults,
  { placeOf }: Pick<AttackOptions, "placeOf">,
): Pick<AttackReport, "units" | "broken"> {
  return {
    units,
    broken: broken.map((found) => {
      const at = placeOf?.(found.promise, found.route);
      return at === undefined ? found : { ...found, at };
    }),
  };
}

function whatIsLeft({ problem }: CleanedUp, { left }: Made): Pick<AttackReport, "left" | "cleanUpFailed"> {
  if (problem === undefined) return { left: {} };
  return { left, ...(typeof problem === "object" ? { cleanUpFailed: problem.failed } : {}) };
}
