import { hasVault } from "../vault/has-vault.ts";
import type { InnerDomains } from "./inner-domains.ts";
import type { Surroundings } from "./surroundings.ts";

/** The domains that the internet does not reach, of those that the contract has work for. */
export type InnerDomainName = "vault" | "egress" | "functions";

/** Names them. A site without a vault and functions has none, and pays for none: not even for loading what keeps them. */
export function innerDomainsOf({ loaded }: Pick<Surroundings, "loaded">): InnerDomainName[] {
  const { secrets, functions } = loaded.contract;
  return [
    ...(hasVault(loaded.contract) ? (["vault"] as const) : []),
    ...(secrets.size > 0 || functions.size > 0 ? (["egress"] as const) : []),
    ...(functions.size > 0 ? (["functions"] as const) : []),
  ];
}

const nothing = (): Promise<void> => Promise.resolve();

/** Those of a site that has none. */
export const noInnerDomains: InnerDomains = {
  sockets: { functions: undefined, egress: undefined, limits: undefined },
  open: nothing,
  start: nothing,
  stop: nothing,
  stopVault: nothing,
  prepare: nothing,
  releaseAccepted: nothing,
  pids: () => ({}),
  groupPids: () => ({}),
};
