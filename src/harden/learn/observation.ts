/** Something that a page did, and that its policy would have refused. */
export interface Observation {
  /** The file of the page that was loaded: its policy is the one that counts, whatever the address bar says since. */
  readonly page: string;
  readonly directive: string;
  /** A URL, a scheme, or a word of the specification like `inline`. */
  readonly blocked: string;
  /** Of an inline style: base64 of the SHA-256 of its text. */
  readonly hash: string | undefined;
  readonly sample: string;
}
