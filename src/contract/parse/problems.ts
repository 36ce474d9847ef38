import { CurtainwallError } from "../../shared/index.ts";
import type { Weakening } from "../contract.ts";
import type { ContractErrorCode } from "../errors.ts";

interface Problem {
  code: ContractErrorCode;
  message: string;
  hint?: string | undefined;
}

/** Collects what is wrong, so that one start tells all of it. */
export class Problems {
  readonly list: Problem[] = [];
  readonly weakenings: Weakening[] = [];

  add(code: ContractErrorCode, message: string, hint?: string): undefined {
    this.list.push({ code, message, hint });
  }

  throwIfAny(): void {
    const [first, ...others] = this.list;
    if (first === undefined) return;
    if (others.length === 0)
      throw new CurtainwallError(
        first.code,
        first.message,
        first.hint === undefined ? {} : { hint: first.hint },
      );
    const lines = this.list.map(
      ({ code, message, hint }) => `${code}: ${message}${hint === undefined ? "" : `\n    ${hint}`}`,
    );
    throw new CurtainwallError(
      first.code,
      `The contract has ${this.list.length} problems.\n  ${lines.join("\n  ")}`,
    );
  }
}
