import type { ContractLedger } from "../contract/host.ts";
import type { Problems } from "./problems.ts";
import { number, section, text } from "./values.ts";

/** Reads how much of the security log is kept. */
export function parseLedger(problems: Problems, value: unknown): ContractLedger {
  const options = section(problems, "ledger", value, ["maxFileBytes", "keepFiles", "witness"]) ?? {};
  const witness = section(problems, "ledger.witness", options.witness, ["file"]);
  return {
    maxFileBytes: number(problems, "ledger.maxFileBytes", options.maxFileBytes, {
      min: 65_536,
      max: 17_179_869_184,
      fallback: 67_108_864,
    }),
    keepFiles: number(problems, "ledger.keepFiles", options.keepFiles, { min: 1, max: 999, fallback: 8 }),
    ...(witness === undefined ? {} : { witnessFile: text(problems, "ledger.witness.file", witness.file) }),
  };
}
