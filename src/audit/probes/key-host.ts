import type { JWK } from "jose";

/** A listener of the audit's own, at an address that only a token of its own names. */
export interface KeyHost {
  /** Where the key lies as a JWK set: an http address and an https one. */
  readonly urls: readonly string[];
  /** Connections that were made to it: each is somebody who believed a token. */
  hits(): number;
  close(): Promise<void>;
}

/** Offers a public key on this machine. */
export type OpenKeyHost = (jwk: JWK) => Promise<KeyHost>;
