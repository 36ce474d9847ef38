import type { AuditContext } from "../context.ts";

/** Without credentials for others there is nothing to keep. */
export const withoutSecrets = ({ contract }: AuditContext): string | undefined =>
  contract.secrets.size === 0 ? "the contract declares no secrets" : undefined;

/** Why nobody can look, if so. */
export const noProbe = "this does not run on the machine that the stack runs on";
