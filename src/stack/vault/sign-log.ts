import { checkpointText, readClaim } from "../../ledger/index.ts";
import type { Checkpoint, CheckpointClaim } from "../../ledger/index.ts";
import { isSigned } from "../../ledger/node.ts";
import type { UnseenLog, Vault } from "../../vault/index.ts";

/** A log that the vault signed. */
export interface VaultSignature {
  readonly checkpoint: Checkpoint;
  /** The log that it signed last until now, if it never signed this one. */
  readonly begunAfter: string | undefined;
  /** How far the vault remembered to have signed it, if its key signed more. */
  readonly behind: number | undefined;
}

/** What the supervisor asks the vault to sign. */
export interface LogToSign {
  readonly claim: CheckpointClaim;
  /** What was signed last of this log, by whomever: a key that is not the vault's is named as the one before. */
  readonly before: Checkpoint | undefined;
  /** What the vault said that it signed last, once the log was seen to go on from there too. */
  readonly seen: CheckpointClaim | undefined;
  /** The key whose newest signature was looked for in the log: it is `before`, or there is none that is further. */
  readonly searched: string | undefined;
}

/**
 * Signs with the vault's key for logs what the supervisor saw to be so.
 *
 * @returns a text: why not. A log's name and place: it is to be seen first that the log goes on from there
 */
export function signLogOf(
  vault: Pick<Vault, "signLog">,
  { claim: given, before, seen, searched }: LogToSign,
): VaultSignature | UnseenLog | string {
  const claim = readClaim(given);
  if (claim === undefined) return "it is not said how far it is";
  if (before !== undefined && (before.log !== claim.log || before.through > claim.through))
    return `it does not go on from record ${before.through} of ${before.log}, which was signed before`;
  if (before !== undefined && !isSigned(before))
    return `what was signed before, record ${before.through}, is not signed with the key that it names`;
  const textOf = ({ after }: { after: string | undefined }): Uint8Array =>
    checkpointText({ ...claim, ...held(after) });
  const signed = vault.signLog(claim, { before, seen, searched, textOf });
  if (typeof signed === "string" || "unseen" in signed) return signed;
  const { key, after, signature, begunAfter, behind } = signed;
  return {
    checkpoint: {
      ...claim,
      ...held(after),
      key,
      signature: Buffer.from(signature).toString("base64url"),
    },
    begunAfter,
    behind,
  };
}

const held = (after: string | undefined): Pick<Checkpoint, "after"> & { holder: "vault" } => ({
  holder: "vault",
  ...(after === undefined ? {} : { after }),
});
