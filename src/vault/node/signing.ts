import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { EnvelopeSigner, ReleasePublicKey } from "../../contract/index.ts";
import type { SigningPurpose } from "../types.ts";
import { damaged } from "./database-errors.ts";
import { vaultError } from "./fail.ts";
import { readVersionRows, writeVersionRow } from "./rows.ts";
import type { VersionRow } from "./rows.ts";
import { openValue, sealValue } from "./seal-value.ts";
import type { Actor } from "./secrets.ts";
import type { Store, StoreView, WritableView } from "./store.ts";

/** Gives a signer with the store's key of that purpose, which is made first if there is none. */
export function openSigningKey(
  file: string,
  store: Store,
  purpose: SigningPurpose,
  actor: Actor,
): EnvelopeSigner {
  const publicKey = findOrKeep(file, store, purpose, newKey, actor);
  return signerOf(file, store, purpose, publicKey);
}

/** Takes a key over, unless it is the one that is there. */
export function takeSigningKey(
  file: string,
  store: Store,
  purpose: SigningPurpose,
  pkcs8: Uint8Array,
  actor: Actor,
): EnvelopeSigner {
  const publicKey = publicHalfOf(pkcs8);
  if (publicKey === undefined)
    throw vaultError("VAULT_SIGNING_KEY_INVALID", "That is no private Ed25519 key in PKCS#8.", {
      hint: "Make one: npx curtainwall key new <file>",
    });
  const found = findOrKeep(file, store, purpose, () => Uint8Array.from(pkcs8), actor);
  if (found.text !== publicKey.text)
    throw vaultError("VAULT_SIGNING_KEY_EXISTS", `The store has another ${purpose} key: ${found.text}.`, {
      hint: "What it signed needs it. A key that is elsewhere is named in the contract instead:  keys: { release: … }",
    });
  return signerOf(file, store, purpose, publicKey);
}

/** The public half of the key that the store has of that purpose; of the one that is made for it if it has none. */
function findOrKeep(
  file: string,
  store: Store,
  purpose: SigningPurpose,
  make: () => Uint8Array,
  actor: Actor,
): ReleasePublicKey {
  const find = (view: StoreView): ReleasePublicKey | undefined => publicHalf(file, view, purpose);
  // Looked for once more when nobody else writes: another process may have been faster.
  return store.read(find) ?? store.write((view) => find(view) ?? keep(view, purpose, make(), actor));
}

function signerOf(
  file: string,
  store: Store,
  purpose: SigningPurpose,
  publicKey: ReleasePublicKey,
): EnvelopeSigner {
  return {
    publicKey,
    sign: (message) =>
      store.read((view) => {
        const pkcs8 = unseal(file, view, purpose);
        if (pkcs8 === undefined) throw damaged(file);
        try {
          const key = readPkcs8(pkcs8);
          return sign(null, message, key);
        } finally {
          pkcs8.fill(0);
        }
      }),
  };
}

function publicHalf(file: string, view: StoreView, purpose: SigningPurpose): ReleasePublicKey | undefined {
  const pkcs8 = unseal(file, view, purpose);
  if (pkcs8 === undefined) return undefined;
  try {
    return publicHalfOf(pkcs8);
  } finally {
    pkcs8.fill(0);
  }
}

function unseal(file: string, view: StoreView, purpose: SigningPurpose): Uint8Array | undefined {
  const row = readVersionRows(view.database, "signing", purpose).at(-1);
  if (row === undefined) return undefined;
  const pkcs8 = openValue(view.ring, view.store, row);
  if (pkcs8 === undefined) throw damaged(file);
  return pkcs8;
}

/** Seals a key in the store, and overwrites the one that it was given. */
function keep(
  view: WritableView,
  purpose: SigningPurpose,
  pkcs8: Uint8Array,
  actor: Actor,
): ReleasePublicKey {
  try {
    writeVersionRow(view.database, innerRow(view, { kind: "signing", name: purpose }, pkcs8, actor));
    return publicHalfOf(pkcs8) as ReleasePublicKey;
  } finally {
    pkcs8.fill(0);
  }
}

/** The row of what is the store's own, a key for one: it has one version. */
export function innerRow(
  view: Pick<WritableView, "ring" | "store" | "generation">,
  { kind, name }: Pick<VersionRow, "kind" | "name">,
  value: Uint8Array,
  { by, nowMs }: Actor,
): VersionRow {
  const named = { kind, name, version: 1, sealedGeneration: view.generation };
  return {
    ...named,
    ...sealValue(view.ring, view.store, named, value),
    state: "current",
    createdMs: nowMs,
    createdBy: by,
    changedMs: nowMs,
    changedBy: by,
    generation: view.generation,
  };
}

export const newKey = (): Uint8Array =>
  generateKeyPairSync("ed25519").privateKey.export({ format: "der", type: "pkcs8" });

export function publicHalfOf(pkcs8: Uint8Array): ReleasePublicKey | undefined {
  try {
    const key = readPkcs8(pkcs8);
    const { x = "" } = createPublicKey(key).export({ format: "jwk" });
    if (key.asymmetricKeyType !== "ed25519") return undefined;
    return { text: `ed25519:${x}`, bytes: new Uint8Array(Buffer.from(x, "base64url")) };
  } catch {
    return undefined;
  }
}

export const readPkcs8 = (pkcs8: Uint8Array): KeyObject =>
  createPrivateKey({
    key: Buffer.from(pkcs8.buffer, pkcs8.byteOffset, pkcs8.length),
    format: "der",
    type: "pkcs8",
  });
