import type { ContractRoute } from "../../contract/index.ts";
import { createControls } from "../attack/control.ts";
import { narrowed } from "../attack/units.ts";
import { reasonOf } from "../check.ts";
import type { Check } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { honestCalls } from "./inputs.ts";
import type { AuditCheck } from "../report.ts";

/** Says why an attack that is refused shows nothing here: who is honest is not served either. Undefined: nothing speaks against it. */
export type HonestService = (check: Check) => Promise<string | undefined>;

/**
 * Asks each route and the site honestly, once an audit, before what attacks them does. What the plan has no honest request for is each check's own
 * to say.
 */
export function createHonestService(context: AuditContext): HonestService {
  const controls = createControls(context);
  const askable = new Map<ContractRoute, boolean>();
  const isAskable = (route: ContractRoute): boolean => {
    const known = askable.get(route) ?? honestCalls(context, route).length > 0;
    askable.set(route, known);
    return known;
  };
  return async (check) => {
    const { attack } = check;
    const isAttack = check.kind === "live" && attack !== undefined && attack.isControl !== true;
    if (!isAttack || !context.isLoopback || context.unreachable !== undefined) return undefined;
    if (attack.per === "site") return controls.of({ kind: attack.kind, route: undefined }).catch(reasonOf);
    for (const route of context.contract.routes) {
      const concerns = check.notApplicable?.(narrowed(context, route)) === undefined;
      const reason =
        concerns && isAskable(route) ? await controls.of({ kind: attack.kind, route }) : undefined;
      if (reason !== undefined) return reason;
    }
    return undefined;
  };
}

/** A pass that shows nothing is none. */
export const withheld = (result: AuditCheck, unserved: string | undefined): AuditCheck =>
  result.state === "passed" && unserved !== undefined
    ? { ...result, state: "missing", reason: unserved }
    : result;
