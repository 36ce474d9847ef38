import { CurtainwallError } from "../../shared/index.ts";
import type { StackErrorCode } from "../errors.ts";

/** There is no store, and none is to be made. */
export function storeMissing(environment: string): CurtainwallError<StackErrorCode> {
  return new CurtainwallError("STACK_VAULT_MISSING", `There is no store of ${environment} secrets.`, {
    hint: `If this host had one, bring its folder back. If it never had, the first secret makes it:  npx curtainwall secret set NAME --environment ${environment}`,
  });
}
