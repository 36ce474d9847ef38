import type { ReleaseKeys } from "../release/accept.ts";
import { parsePublicKey } from "../release/public-key.ts";
import type { ReleasePublicKey } from "../release/public-key.ts";
import type { Problems } from "./problems.ts";
import { quote, section } from "./values.ts";

/** Reads the public keys that releases are checked against. */
export function parseKeys(problems: Problems, value: unknown): ReleaseKeys | undefined {
  const options = section(problems, "keys", value, ["program", "release"]);
  if (options === undefined) return undefined;
  const program = parseKey(problems, "keys.program", options.program);
  const release = parseKey(problems, "keys.release", options.release);
  if (program === undefined || release === undefined) return undefined;
  if (program.text === release.text) {
    problems.add(
      "CONTRACT_OPTION_INVALID",
      "keys.program and keys.release are the same key, so whoever publishes could sign code too.",
      "Make another for the program, on the developer's machine: npx curtainwall key new program.key",
    );
  }
  return { program, release };
}

function parseKey(problems: Problems, where: string, value: unknown): ReleasePublicKey | undefined {
  const key = typeof value === "string" ? parsePublicKey(value) : undefined;
  if (key !== undefined) return key;
  return problems.add(
    "CONTRACT_OPTION_INVALID",
    `${where} must be a public key, not ${quote(value)}.`,
    "npx curtainwall key export-public <file>  prints it, like  ed25519:…   A line  ssh-ed25519 …  will do too",
  );
}
