import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import type { Hmac } from "node:crypto";
import { encodeFields } from "../encode-fields.ts";
import { open, seal } from "./xaes.ts";

/** The keys that one key-encryption key gives, each for one use. They are overwritten by `forget`. */
export interface KeyRing {
  /** Which key this is: drawn at random when it was first used, and no part of it. */
  readonly id: string;
  /** Proves which key it is without telling it: XAES-256-GCM itself would open some seals with two keys. */
  readonly commitment: Uint8Array;
  wrap(key: Uint8Array, aad: Uint8Array): Uint8Array;
  unwrap(wrapped: Uint8Array, aad: Uint8Array): Uint8Array | undefined;
  /** A MAC over a store, to be fed by its maker. */
  startManifest(): Hmac;
  /** Seals the next ring's root for those who have this one. */
  handOver(next: KeyRing): Uint8Array;
  /** Opens what {@link handOver} made. Undefined: it was made for another ring. */
  takeOver(sealed: Uint8Array, nextId: string): KeyRing | undefined;
  forget(): void;
}

const roots = new WeakMap<KeyRing, Uint8Array>();

/** Makes the ring of a key. The root is this function's from now on, and overwritten with the ring. */
export function createKeyRing(root: Uint8Array, id: string, storeId: Uint8Array): KeyRing {
  const derive = (purpose: string): Buffer =>
    Buffer.from(hkdfSync("sha256", root, storeId, encodeFields(["curtainwall vault 1", purpose, id]), 32));
  const wrapping = derive("wrap");
  const manifest = derive("manifest");
  const handing = derive("hand over");
  const handOverName = (nextId: string): Uint8Array => encodeFields(["hand over", storeId, id, nextId]);
  const ring: KeyRing = {
    id,
    commitment: derive("commit"),
    wrap: (key, aad) => seal(wrapping, key, aad),
    unwrap: (wrapped, aad) => open(wrapping, wrapped, aad),
    startManifest: () => createHmac("sha256", manifest),
    handOver: (next) => seal(handing, roots.get(next) ?? new Uint8Array(), handOverName(next.id)),
    takeOver(sealed, nextId) {
      const nextRoot = open(handing, sealed, handOverName(nextId));
      return nextRoot === undefined ? undefined : createKeyRing(nextRoot, nextId, storeId);
    },
    forget() {
      for (const key of [root, wrapping, manifest, handing]) key.fill(0);
    },
  };
  roots.set(ring, root);
  return ring;
}

/** Tells whether a ring is the one that a store was sealed with. */
export const isCommittedTo = (ring: KeyRing, commitment: Uint8Array): boolean =>
  commitment.length === ring.commitment.length && timingSafeEqual(ring.commitment, commitment);
