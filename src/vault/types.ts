import type { EnvelopeSigner, EnvironmentName } from "../contract/index.ts";
import type { Secret } from "../shared/index.ts";

/** Where the key comes from that opens a store. */
export type KeySource =
  /** What a person knows; stretched with Argon2id. */
  | { readonly kind: "passphrase"; readonly passphrase: Secret }
  /** Exactly 32 random bytes in a file that nobody but its owner may read. */
  | { readonly kind: "file"; readonly file: string }
  /** Exactly 32 random bytes that systemd hands over (`LoadCredential=`, `LoadCredentialEncrypted=`). */
  | {
      readonly kind: "credential";
      readonly name: string;
      /** Default: `$CREDENTIALS_DIRECTORY`. */
      readonly directory?: string;
    };

/** A key that was read from its source, before its process gave up the right to read it. Prints as nothing that tells it. */
export interface LoadedKey {
  readonly kind: KeySource["kind"];
  /** Overwrites the bytes. A passphrase is a string, and stays until it is collected. */
  forget(): void;
}

/** A file on other storage that remembers how far a store got. */
export type WitnessOptions =
  | {
      readonly file: string;
      /** Takes the store as it is, whatever the file remembers or whether it is there: say why. For a backup that was brought back. */
      readonly insecureAccept?: string;
    }
  /** The store had a witness, and shall have none any more: say why. */
  | { readonly insecureForget: string };

/** Options of `openVault` and `createVault`. */
export interface OpenVaultOptions {
  /**
   * The store's file. SQLite lays two others beside it, `-wal` and `-shm`. A relative name stays one: a process that gives up root may be unable to reach
   * the folders above the one that it is in.
   */
  file: string;
  /** What errors call the file. Default: as `file` does, which to others than this process may mean nothing. */
  shownAs?: string;
  kek: KeySource | LoadedKey;
  /** Whose secrets these are. A store of another project or environment is refused. */
  project: string;
  environment: EnvironmentName;
  /** Default: none, and an older copy of the whole file is not noticed. */
  witness?: WitnessOptions | undefined;
  /** The time in milliseconds since 1970. Default: the system's clock. */
  now?: () => number;
  /** How long to wait for another process that writes, in milliseconds. Default 5 000. */
  timeoutMs?: number;
  /** Names who makes the store, or takes over a key or a witness, in its history. Default "vault". */
  by?: string;
}

/** What a version may be used for: `current` for everything, `previous` if it is asked for by its number, `revoked` for nothing: its bytes are gone. */
export type VersionState = "current" | "previous" | "revoked";

/** All that is known of a version but its value. */
export interface VersionInfo {
  readonly name: string;
  /** 1 for the first of its name; never used again. */
  readonly version: number;
  readonly state: VersionState;
  readonly createdMs: number;
  readonly by: string;
  /** When and by whom its state was last changed. */
  readonly changedMs: number;
  readonly changedBy: string;
}

/** All that is known of a secret but its values. */
export interface SecretInfo {
  readonly name: string;
  /** Undefined when its last version was revoked. */
  readonly current: VersionInfo | undefined;
  /** Versions that are remembered, the revoked ones too. */
  readonly versions: number;
}

/** A value and which it is. The value is not enumerable, and not printed. */
export interface SecretValue {
  readonly name: string;
  readonly version: number;
  /** A copy. Whoever asked for it overwrites it after use: `value.fill(0)`. */
  readonly value: Uint8Array;
}

/** What a signing key of the store signs. */
export type SigningPurpose = "release" | "token";

/** How far a log is. */
export interface LogClaim {
  /** The log's name. */
  readonly log: string;
  /** Number of its last record. */
  readonly through: number;
  /** What tells that record, and all before it, from any others. */
  readonly head: string;
}

/** Who signs a log. */
export interface LogKey {
  /** `ed25519:…` */
  readonly key: string;
  /** The key that signed the log before. Undefined: none did. */
  readonly after: string | undefined;
}

/** How far a log was signed, and with which key: `ed25519:…` */
export interface SignedClaim extends LogClaim {
  readonly key: string;
}

/** Options of {@link Vault.signLog}. */
export interface LogSigning {
  /** What was signed last of this log, whoever did: who asks has looked at the signature, and whether the log goes on from there. Default: nothing is known. */
  readonly before?: SignedClaim | undefined;
  /** What the store said that it signed last ({@link UnseenLog}), once the log was seen to go on from there too. */
  readonly seen?: LogClaim | undefined;
  /** The key of which it was looked whether the log itself has a later signature, which is `before` then. Default: none. */
  readonly searched?: string | undefined;
  /** Makes the bytes that are signed. */
  readonly textOf: (signer: LogKey) => Uint8Array;
}

/** A log that was signed. */
export interface SignedLog extends LogKey {
  /** Ed25519, 64 bytes. */
  readonly signature: Uint8Array;
  /** The log that was signed last until now, if this one never was. */
  readonly begunAfter: string | undefined;
  /** How far the store remembered to have signed it, if its key signed more: it is an older copy. Undefined: it is not. */
  readonly behind: number | undefined;
}

/** A log that is not signed until it was seen to go on from what was signed of it last: who asks knew of less. */
export interface UnseenLog {
  /** Undefined: the store knows nothing of it, but has a key that may have signed it. */
  readonly unseen: LogClaim | undefined;
  /** The store's key: a signature of it in the log may be further. */
  readonly key: string;
}

/** What an import would do to one secret. */
export interface ImportChange {
  readonly name: string;
  readonly change: "new" | "changed" | "same";
}

/** What an import would do, and the way to do it. Holds values until one of its two functions is called. */
export interface ImportPlan {
  readonly project: string;
  readonly environment: EnvironmentName;
  readonly exportedMs: number;
  readonly changes: readonly ImportChange[];
  /**
   * Sets what is new or changed, all or nothing.
   *
   * @throws {CurtainwallError} `VAULT_CHANGED` when the store is not the one any more that the changes were told of
   */
  apply(by: string): Promise<VersionInfo[]>;
  /** Overwrites the values. */
  discard(): void;
}

/** Options of {@link Vault.import}. */
export interface ImportOptions {
  /** Takes the secrets of another project or environment: say why. Default: they are refused. */
  insecureAllowOther?: string;
}

/** Options of {@link Vault.rewrap}. */
export interface RewrapOptions {
  /**
   * How long a process that has the store open with the old key may take over the new one, which lies in the store meanwhile, sealed with the old key, in
   * milliseconds; 60 000 at most. Ends early when one has. Default 0: whoever has the store open must open it again.
   */
  handOverMs?: number;
}

/** What became of a change of key. */
export interface RewrapResult {
  /** Versions and signing keys that are wrapped anew. */
  readonly wrapped: number;
  /** Whether a process that had the store open took the new key over. */
  readonly taken: boolean;
}

/**
 * A sealed store of secrets. Each call reads the store anew and checks all of it, so what another process wrote is seen, and what nobody with the key
 * wrote is refused (`VAULT_DAMAGED`).
 */
export interface Vault {
  /** 32 hexadecimal digits, drawn when the store was made. */
  readonly id: string;
  readonly project: string;
  readonly environment: EnvironmentName;
  /**
   * Makes a value the current one of its name. Once the promise is kept it is on disk.
   *
   * @param value 1 to 65 536 bytes. Not overwritten: it is the caller's
   * @throws {CurtainwallError} `VAULT_NAME_INVALID`, `VAULT_VALUE_INVALID`, `VAULT_LIMIT_EXCEEDED`; of the disk `VAULT_DISK_FULL`, `VAULT_READ_ONLY`, `VAULT_BUSY`
   */
  set(name: string, value: Secret | Uint8Array, by: string): Promise<VersionInfo>;
  /**
   * Gives the current value, or that of a version. Undefined: there is none.
   *
   * @throws {CurtainwallError} `VAULT_VERSION_UNKNOWN`, `VAULT_VERSION_REVOKED` when a version is named
   */
  get(name: string, version?: number): SecretValue | undefined;
  /** All names, sorted. */
  list(): SecretInfo[];
  /** All versions of a name that are remembered, the newest first. */
  history(name: string): VersionInfo[];
  /**
   * Ends a version, or all that there are, and erases what is sealed in them. Gives those that it ended.
   *
   * @throws {CurtainwallError} `VAULT_VERSION_UNKNOWN`
   */
  revoke(name: string, version: number | "all", by: string): Promise<VersionInfo[]>;
  /** Wraps everything with another key, whole or not at all, while others go on reading. Values stay as they lie. */
  rewrap(kek: KeySource | LoadedKey, by: string, options?: RewrapOptions): Promise<RewrapResult>;
  /** Grows with every write of whichever process. */
  generation(): number;
  /** Tells whether another process wrote since this was asked last. Cheap: meant to be asked often. */
  changedSince(): boolean;
  /** Gives a signing key, and makes it first if there is none. Its private half is unsealed for each signature and overwritten. */
  signingKey(purpose: SigningPurpose): EnvelopeSigner;
  /**
   * Takes over an Ed25519 key. Nothing happens when it is the one that the store has.
   *
   * @param pkcs8 DER. Not overwritten: it is the caller's
   * @throws {CurtainwallError} `VAULT_SIGNING_KEY_INVALID`, `VAULT_SIGNING_KEY_EXISTS` when the store has another
   */
  importSigningKey(purpose: SigningPurpose, pkcs8: Uint8Array, by: string): EnvelopeSigner;
  /**
   * Signs how far a log is, with a key that signs nothing else and is made when it is first asked for. What was signed is on disk before the signature is given.
   *
   * @returns a text if it is less than, or other than, what was signed of that log before: why it is not signed
   */
  signLog(claim: LogClaim, how: LogSigning): SignedLog | UnseenLog | string;
  /**
   * Writes all current values into an armored age file that each recipient can open with their own identity. Signing keys stay.
   *
   * @param recipients `age1…`, one a person
   * @throws {CurtainwallError} `VAULT_RECIPIENT_INVALID`
   */
  export(recipients: readonly string[]): Promise<Uint8Array>;
  /**
   * Reads an export and tells what it would change.
   *
   * @param identity `AGE-SECRET-KEY-1…`
   * @throws {CurtainwallError} `VAULT_IMPORT_LOCKED`, `VAULT_IMPORT_INVALID`
   */
  import(bytes: Uint8Array, identity: Secret, options?: ImportOptions): Promise<ImportPlan>;
  /** Overwrites the keys and closes the file. */
  close(): void;
}
