import type { ContractRoute } from "../../contract/index.ts";
import type { AuditContext } from "../context.ts";
import { honestCalls, lacking } from "../requests/inputs.ts";
import type { AuditPlan, AuditSample } from "../plan/plan.ts";
import { expired, wrongAudience } from "../rules/api-1/tokens.ts";
import { canariesStay } from "../rules/api-7/bodies.ts";
import { isControl } from "./units.ts";
import type { AttackCheck, Unit } from "./units.ts";

/** Attacks that can't be made, as far as the plan alone says it. */
export interface AttackGap {
  /** What the plan lacks. */
  readonly reason: string;
  /** How many attacks take it. */
  readonly attacks: number;
}

/** Says which attacks can't be made with a plan, without asking the target anything and without calling the plan's functions. */
export function gapsOf(units: readonly Unit[], context: AuditContext): AttackGap[] {
  const counts = new Map<string, number>();
  const routes = new Map<ContractRoute["key"], string | undefined>();
  for (const { route, checks } of units) {
    if (route === undefined) continue;
    if (!routes.has(route.key)) routes.set(route.key, uncallable(context, route));
    for (const made of checks.filter(({ check }) => !isControl(check))) {
      const reason = routes.get(route.key) ?? withoutMeans(made, context.plan);
      if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
  }
  return [...counts].map(([reason, attacks]) => ({ reason, attacks }));
}

function uncallable(context: AuditContext, route: ContractRoute): string | undefined {
  const sample = context.plan.samples?.[route.key];
  if (sample !== undefined && makesInput(sample)) return undefined;
  return honestCalls(context, route).length === 0 ? lacking(context, route) : undefined;
}

/** What a function makes for each request is known when it is called, and it may write. */
const makesInput = (sample: AuditSample): boolean =>
  [sample, ...Object.values(sample.as ?? {})].some(
    ({ params, body }) => typeof params === "function" || typeof body === "function",
  );

function withoutMeans(
  { check }: AttackCheck,
  { identities = {}, canaries = [] }: AuditPlan,
): string | undefined {
  if (check === canariesStay) return canaries.length > 0 ? undefined : "the plan names no canary";
  const member =
    check === expired ? "expiredToken" : check === wrongAudience ? "otherAudienceToken" : undefined;
  return member === undefined || Object.values(identities).some((identity) => member in identity)
    ? undefined
    : `no identity in the plan has an ${member}`;
}
