import { createHash, randomBytes } from "node:crypto";
import type { ContractSecret } from "../../contract/index.ts";
import { judgeValue } from "../../egress/judge-value.ts";
import { fingerprintsOf } from "../../harden/fingerprints.ts";
import { CurtainwallError, Secret } from "../../shared/index.ts";
import type { LoadedContract } from "../../stack/index.ts";
import type { CliErrorCode } from "../errors.ts";

/**
 * Looks at a value before the vault has it, as whoever will use it. Gives what is risky about it, in words.
 *
 * @throws {CurtainwallError} `CLI_SECRET_UNFIT` when it could never be used
 */
export async function judgeSecret(
  { contract }: Pick<LoadedContract, "contract">,
  { name, purpose, inject }: ContractSecret,
  value: Buffer,
): Promise<readonly string[]> {
  const schemes = contract.routes.flatMap(({ webhook }) =>
    webhook?.secret === name ? [webhook.scheme] : [],
  );
  const secret = new Secret(value.toString());
  const { unfit, risks } = await judgeValue({ name, purpose, inject, schemes }, secret);
  if (unfit === undefined) return [...risks, ...leakRisks(name, secret)];
  throw new CurtainwallError<CliErrorCode>(
    "CLI_SECRET_UNFIT",
    `That value can't be used as the contract says: ${unfit.reason}.`,
    { hint: `Nothing was changed. ${name} is:  ${unfit.form}` },
  );
}

/** Says that a leak of the value would not be noticed: by what the leak gate will be given of it. */
function leakRisks(name: string, value: Secret): string[] {
  const sha256 = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();
  const { notSearched } = fingerprintsOf([{ name, version: "new", value }], {
    salt: randomBytes(16),
    sha256,
  });
  return notSearched.map(({ reason }) => `is not looked for in what a build publishes: ${reason}`);
}
