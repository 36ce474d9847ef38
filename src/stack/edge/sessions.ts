import type { Contract } from "../../contract/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { StackErrorCode } from "../errors.ts";

/**
 * Checks that whoever keeps a contract's sessions is there. Nobody is yet: accounts come with a later version, and a cookie that nobody can
 * look up must not be a door that only looks closed.
 *
 * @throws {CurtainwallError} `STACK_SESSIONS_MISSING`
 */
export function assertSessionsKept({ sessions }: Pick<Contract, "sessions">): void {
  if (sessions === undefined) return;
  throw new CurtainwallError<StackErrorCode>(
    "STACK_SESSIONS_MISSING",
    "The contract declares sessions, and nothing in this stack keeps any yet.",
    { hint: "Leave  sessions  out, or give createGateway() a store of your own (curtainwall/gateway)" },
  );
}
