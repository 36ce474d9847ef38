import type { ContractRoute } from "../../contract/index.ts";
import type { Check, Rule } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { kinds } from "./kinds.ts";
import type { AttackKind } from "./kinds.ts";
import type { LeftOut } from "./report.ts";

/** A check with its row of the checklist. */
export interface AttackCheck {
  readonly row: string;
  readonly check: Check & { attack: NonNullable<Check["attack"]> };
}

/** What is attacked at once: a kind on one route, or on the site. Its checks share a context, as those of an audit do. */
export interface Unit {
  readonly kind: AttackKind;
  readonly route: ContractRoute | undefined;
  readonly checks: readonly AttackCheck[];
}

/** What to attack. Undefined: everything. */
export interface AttackChoice {
  readonly kinds?: ReadonlySet<AttackKind> | undefined;
  /** Keys of routes. With it the site as a whole is left alone. */
  readonly routes?: ReadonlySet<string> | undefined;
}

/** The name of a unit: `access · GET /api/orders/:id`, `tls · site`. */
export const unitName = ({ kind, route }: { kind: AttackKind; route?: string | undefined }): string =>
  `${kind} · ${route ?? "site"}`;

/** Lays attacks out, kind by kind: each route in the contract's order, then the site. What does not apply is left out. */
export function attackUnits(
  rules: readonly Rule[],
  context: AuditContext,
  { kinds: chosen, routes }: AttackChoice = {},
): Unit[] {
  const attacks = attacksOf(rules);
  const targets = context.contract.routes.filter(({ key }) => routes?.has(key) ?? true);
  return kinds
    .filter((kind) => chosen?.has(kind) ?? true)
    .flatMap((kind) => {
      const ofKind = attacks.filter(({ check }) => check.attack.kind === kind);
      const [perRoute, perSite] = (["route", "site"] as const).map((per) =>
        ofKind.filter(({ check }) => check.attack.per === per),
      );
      const onRoutes = targets.map((route) => ({
        kind,
        route,
        checks: applicable(perRoute, narrowed(context, route)),
      }));
      const onSite = {
        kind,
        route: undefined,
        checks: routes === undefined ? applicable(perSite, context) : [],
      };
      return [...onRoutes, onSite].filter(({ checks }) => checks.some(({ check }) => !isControl(check)));
    });
}

/** Kinds that attack routes one by one, in the order of reports. The others are about the site as a whole. */
export function kindsOnRoutes(rules: readonly Rule[]): AttackKind[] {
  const own = new Set(
    attacksOf(rules).flatMap(({ check: { attack } }) => (attack.per === "route" ? [attack.kind] : [])),
  );
  return kinds.filter((kind) => own.has(kind));
}

/** Checks that are attacks, each once: several rows may have the same. */
function attacksOf(rules: readonly Rule[]): AttackCheck[] {
  const seen = new Set<Check>();
  return rules.flatMap(({ id, checks }) =>
    checks.flatMap((check) => {
      if (!isAttack(check) || seen.has(check)) return [];
      seen.add(check);
      return [{ row: id, check }];
    }),
  );
}

const isAttack = (check: Check): check is AttackCheck["check"] =>
  check.kind === "live" && check.attack !== undefined;

/** Honest requests go first: they say whether refusals mean anything. */
export const isControl = ({ attack }: Check): boolean => attack?.isControl === true;

/** How many attacks a unit is, without its honest requests. */
export const attacksIn = ({ checks }: Unit): number => checks.filter(({ check }) => !isControl(check)).length;

/** Attacks that the plan gives no means for. */
export function leftOut(
  rules: readonly Rule[],
  context: AuditContext,
  { kinds: chosen, routes }: AttackChoice = {},
): LeftOut[] {
  return attacksOf(rules).flatMap(({ check }) => {
    const { kind, per } = check.attack;
    const isChosen = (chosen?.has(kind) ?? true) && (routes === undefined || per === "route");
    const lacks = check.notApplicable?.(context) === undefined ? check.lacks?.(context) : undefined;
    return isChosen && lacks !== undefined ? [{ kind, check: check.name, lacks }] : [];
  });
}

const applicable = (checks: readonly AttackCheck[] = [], context: AuditContext): AttackCheck[] =>
  checks
    .filter(({ check }) => (check.notApplicable?.(context) ?? check.lacks?.(context)) === undefined)
    .toSorted((left, right) => Number(isControl(right.check)) - Number(isControl(left.check)));

/** The context of an attack on one route: a contract of that route alone. */
export function narrowed(context: AuditContext, route: ContractRoute): AuditContext {
  return { ...context, contract: { ...context.contract, routes: [route] } };
}
