/** A log up to one of its records, signed. */
export interface Checkpoint {
  /** The log's name: 16 random bytes, base64url. */
  readonly log: string;
  /** Number of the last record that it covers. */
  readonly through: number;
  /** The chain's value after that record, base64url. */
  readonly head: string;
  /** The public key, as contracts write keys: `ed25519:…`. */
  readonly key: string;
  /** Ed25519, base64url. */
  readonly signature: string;
}

/** What a checkpoint says of a log. */
export type CheckpointClaim = Pick<Checkpoint, "log" | "through" | "head">;

/** The bytes that are signed. They say what they are, so that no signature of this key counts for something else. */
export function checkpointText({ log, through, head }: CheckpointClaim): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`curtainwall ledger checkpoint v1\n${log}\n${through}\n${head}\n`);
}

/** Reads a checkpoint from a record or a file. Undefined if it is none, whoever signed it. */
export function readCheckpoint(value: unknown): Checkpoint | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { log, through, head, key, signature } = value as Record<string, unknown>;
  const isWhole =
    isText(log, 22) &&
    isText(head, 43) &&
    isText(signature, 86) &&
    typeof key === "string" &&
    /^ed25519:[\w-]{43}$/.test(key) &&
    typeof through === "number" &&
    Number.isSafeInteger(through) &&
    through > 0;
  return isWhole ? { log, through, head, key, signature } : undefined;
}

const isText = (value: unknown, length: number): value is string =>
  typeof value === "string" && value.length === length && /^[\w-]*$/.test(value);
