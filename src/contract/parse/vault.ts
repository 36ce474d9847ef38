import type { ContractVault } from "../contract/secret.ts";
import type { Problems } from "./problems.ts";
import { checkNames, isMembers, section, text } from "./values.ts";

/** Reads where the vault's key comes from, and who else remembers how far it got. */
export function parseVault(problems: Problems, value: unknown): ContractVault {
  const options = section(problems, "vault", value, ["key", "witness"]) ?? {};
  const witness = section(problems, "vault.witness", options.witness, ["file"]);
  return {
    key: options.key === undefined ? undefined : parseKey(problems, options.key),
    witnessFile: witness === undefined ? undefined : text(problems, "vault.witness.file", witness.file),
  };
}

function parseKey(problems: Problems, value: unknown): ContractVault["key"] {
  if (isMembers(value)) {
    const [kind, ...others] = Object.keys(value);
    if (others.length === 0 && kind === "file")
      return { kind, file: text(problems, "vault.key.file", value.file) };
    if (others.length === 0 && kind === "credential")
      return { kind, name: text(problems, "vault.key.credential", value.credential) };
    if (others.length === 0 && kind === "passphrase" && value.passphrase === true) return { kind };
    checkNames(problems, "vault.key", value, ["file", "passphrase", "credential"]);
  }
  return problems.add(
    "CONTRACT_OPTION_INVALID",
    // Not quoted: who wrote a passphrase there has told enough.
    "vault.key must be one of a file, a passphrase that is asked for, or a credential.",
    'key: { credential: "curtainwall-vault" },',
  );
}
