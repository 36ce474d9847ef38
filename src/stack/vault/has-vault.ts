import type { Contract } from "../../contract/index.ts";

/** Whether a site has a vault; those without keep the keys of their releases and of their log in files, and pay for no further process. */
export const hasVault = ({ secrets, vault }: Pick<Contract, "secrets" | "vault">): boolean =>
  secrets.size > 0 || vault.key !== undefined;
