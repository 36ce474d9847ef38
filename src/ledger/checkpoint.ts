/** Who has the key that signs: the vault, which does nothing else for the log, or the supervisor of a site that has none. */
export type CheckpointHolder = "vault" | "supervisor";

/** A log up to one of its records, signed. */
export interface Checkpoint {
  /** The log's name: 16 random bytes, base64url. */
  readonly log: string;
  /** Number of the last record that it covers. */
  readonly through: number;
  /** The chain's value after that record, base64url. */
  readonly head: string;
  /** Who has the key. Missing: an older version's supervisor. */
  readonly holder?: CheckpointHolder;
  /** The public key that signed this log before the present one did. Missing: none. */
  readonly after?: string;
  /** The public key, as contracts write keys: `ed25519:…`. */
  readonly key: string;
  /** Ed25519, base64url. */
  readonly signature: string;
}

/** What a checkpoint says of a log. */
export type CheckpointClaim = Pick<Checkpoint, "log" | "through" | "head">;

/** The bytes that are signed. They say what they are, so that no signature of this key counts for something else. */
export function checkpointText({
  log,
  through,
  head,
  holder,
  after = "",
}: Omit<Checkpoint, "key" | "signature">): Uint8Array<ArrayBuffer> {
  const claim = `${log}\n${through}\n${head}\n`;
  const text =
    holder === undefined
      ? `curtainwall ledger checkpoint v1\n${claim}`
      : `curtainwall ledger checkpoint v2\n${claim}${holder}\n${after}\n`;
  return new TextEncoder().encode(text);
}

/** Reads a checkpoint from a record or a file. Undefined if it is none, whoever signed it. */
export function readCheckpoint(value: unknown): Checkpoint | undefined {
  const claim = readClaim(value);
  if (claim === undefined) return undefined;
  const { key, signature, holder, after } = value as Record<string, unknown>;
  if (!isKey(key) || !isText(signature, 86)) return undefined;
  // What an older version wrote names neither; a key before it can't be named without saying whose the present one is.
  if (holder === undefined) return after === undefined ? { ...claim, key, signature } : undefined;
  if ((holder !== "vault" && holder !== "supervisor") || (after !== undefined && !isKey(after)))
    return undefined;
  return { ...claim, holder, ...(after === undefined ? {} : { after }), key, signature };
}

/** Reads what is to be signed. Undefined if nothing of that form can be: no text of it may pass for another's. */
export function readClaim(value: unknown): CheckpointClaim | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { log, through, head } = value as Record<string, unknown>;
  const isWhole =
    isText(log, 22) &&
    isText(head, 43) &&
    typeof through === "number" &&
    Number.isSafeInteger(through) &&
    through > 0;
  return isWhole ? { log, through, head } : undefined;
}

const isText = (value: unknown, length: number): value is string =>
  typeof value === "string" && value.length === length && /^[\w-]*$/.test(value);

const isKey = (value: unknown): value is string =>
  typeof value === "string" && /^ed25519:[\w-]{43}$/.test(value);
