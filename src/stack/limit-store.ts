import type { Contract } from "../contract/index.ts";
import { CurtainwallError } from "../shared/index.ts";
import { readPem } from "./certificate.ts";

/** What the edge needs besides the contract to count in a shared store. */
export interface LimitStoreSecrets {
  readonly password: string | undefined;
  /** PEM of the authority that signed its certificate. */
  readonly authority: string | undefined;
}

/**
 * Reads what the contract's shared store is reached with. Undefined: hosts count alone.
 *
 * @throws {CurtainwallError} `CONTRACT_ENVIRONMENT_INVALID` when the variable of its password is not set; `STACK_FILE_UNREADABLE`
 */
export function readLimitStoreSecrets(
  { limitStore }: Pick<Contract, "limitStore">,
  root: string,
  environment: Readonly<Record<string, string | undefined>>,
): LimitStoreSecrets | undefined {
  if (limitStore === undefined) return undefined;
  const { passwordVariable, caFile } = limitStore;
  const password = passwordVariable === undefined ? undefined : environment[passwordVariable];
  if (passwordVariable !== undefined && (password === undefined || password === ""))
    throw new CurtainwallError(
      "CONTRACT_ENVIRONMENT_INVALID",
      `The environment has no ${passwordVariable}, the password of limits.store.`,
      { hint: `Set it where the stack is started:  ${passwordVariable}=… npx curtainwall start` },
    );
  return { password, authority: readPem(root, caFile) };
}
