import { CurtainwallError } from "../../shared/index.ts";
import type { ContractRoute } from "../../contract/index.ts";
import type { AuditErrorCode } from "../errors.ts";
import type { Exchange } from "../probes/probe.ts";

/**
 * Why an answer to what its sender signed says nothing of the route: what checks signatures could check none, and refused whatever came. Undefined: it
 * says something.
 */
export function signaturesUnchecked(
  { key }: ContractRoute,
  { response }: Exchange,
): CurtainwallError<AuditErrorCode> | undefined {
  const isUnchecked = response.status === 503 && response.text().includes(code);
  return isUnchecked
    ? new CurtainwallError(
        "AUDIT_ROUTE_UNAVAILABLE",
        `${key} can't check signatures now (503 ${code}); the log says why`,
      )
    : undefined;
}

const code = "GATEWAY_WEBHOOKS_UNAVAILABLE";
