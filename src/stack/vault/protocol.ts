import type { ImportChange, SigningPurpose } from "../../vault/index.ts";

// What the vault's process is asked. `egress` may ask for values of secrets that the contract declares; only whoever started the
// process, through a pipe that nobody else holds, may ask for the rest.

/** A request; `id` is chosen by who asks, and the answer has it. Bytes, where there are any, are in the frame. */
export type AdminRequest = { readonly id: number } & (
  | { readonly op: "set"; readonly name: string; readonly by: string }
  | { readonly op: "list" }
  | { readonly op: "history"; readonly name: string }
  | { readonly op: "revoke"; readonly name: string; readonly version: number | "all"; readonly by: string }
  /** With the key that the process was started with. */
  | { readonly op: "rewrap"; readonly by: string }
  | { readonly op: "export"; readonly recipients: readonly string[] }
  | { readonly op: "import"; readonly identity: string; readonly insecureAllowOther: string | undefined }
  /** What the import before told of is done, or forgotten. */
  | { readonly op: "import-apply"; readonly by: string }
  /** What the values are recognised by, as JSON. */
  | { readonly op: "fingerprints" }
  | { readonly op: "sign"; readonly purpose: SigningPurpose }
  | { readonly op: "public-key"; readonly purpose: SigningPurpose }
  | { readonly op: "import-key"; readonly purpose: SigningPurpose; readonly by: string }
);

/** What an import would do. */
export interface ImportView {
  readonly project: string;
  readonly environment: string;
  readonly exportedMs: number;
  readonly changes: readonly ImportChange[];
}

/** What egress asks. */
export interface ValueRequest {
  readonly id: number;
  readonly op: "value";
  readonly name: string;
}

/** An answer, or what an error says: its code and text, never a value. */
export type VaultAnswer =
  | { readonly id: number; readonly ok: true; readonly result?: unknown }
  | {
      readonly id: number;
      readonly ok: false;
      readonly code: string;
      readonly message: string;
      readonly hint: string | undefined;
    };

/** What the vault says unasked: values of these names are not what they were. */
export interface VaultChange {
  readonly changed: readonly string[];
}

/** A value's answer: its bytes are in the frame, and those of the version before it, which a webhook's sender may still sign with. */
export interface ValueResult {
  readonly version: number;
  readonly valueBytes: number;
  readonly previous: { readonly version: number } | undefined;
}
