/** Where the vault's key comes from, and who else remembers how far it got. */
export interface VaultOptions {
  /**
   * What opens it: a file with 32 random bytes, which nobody but its owner may read; a passphrase that is asked for at start; a credential that systemd
   * hands over (`LoadCredentialEncrypted`). Default: in development a file that is made beside the store; in production nothing, so that a start says what
   * to choose.
   */
  key?: { file: string } | { passphrase: true } | { credential: string };
  /**
   * A file on other storage that remembers the store's generation, so that an older copy of the whole store is noticed. Default: none, and such a copy is
   * not noticed.
   */
  witness?: { file: string };
}

/** A deployment that has secrets of its own. */
export type EnvironmentName = "development" | "preview" | "production";
