import { accessParts } from "../../contract/index.ts";
import type { Access, Contract, ContractRoute } from "../../contract/index.ts";
import type { AuditPlan } from "../plan/plan.ts";
import type { AttackReport } from "./report.ts";

/** Conditions that look at who asks, and not at what is asked for. */
const ofCallers: ReadonlySet<Access["kind"]> = new Set(["everyone", "signedIn"]);

/**
 * Routes on which the plan says whose an object is, while the contract asks for no more than a token: no attack on objects is made there, since
 * nobody's is promised anything.
 */
export function openedRoutes(
  contract: Pick<Contract, "routes">,
  { samples = {} }: AuditPlan,
): NonNullable<AttackReport["opened"]> {
  return contract.routes
    .filter((route) => namesObject(route) && isOpen(route))
    .filter(({ key }) => Object.values(samples[key]?.as ?? {}).some(({ canary }) => canary !== undefined))
    .map(({ key, access }) => ({
      route: key,
      access: [...new Set(accessParts(access).map(({ kind }) => kind))].join(" or "),
    }));
}

const namesObject = ({ segments, webhook }: ContractRoute): boolean =>
  webhook === undefined && segments.some((segment) => "param" in segment);

const isOpen = ({ access }: ContractRoute): boolean =>
  accessParts(access).every(({ kind }) => ofCallers.has(kind));
