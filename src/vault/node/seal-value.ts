import { randomBytes } from "node:crypto";
import { encodeFields } from "../encode-fields.ts";
import type { KeyRing } from "./key-ring.ts";
import type { StoreRow, VersionRow } from "./rows.ts";
import { open, seal } from "./xaes.ts";

const algorithm = "XAES-256-GCM";

/** What a version is, but for its bytes. */
export type VersionName = Pick<VersionRow, "kind" | "name" | "version" | "sealedGeneration">;

/** Seals a value with a key of its own, and that key with the store's. */
export function sealValue(
  ring: KeyRing,
  store: StoreRow,
  named: VersionName,
  value: Uint8Array,
): Pick<VersionRow, "keyId" | "wrapped" | "sealed"> {
  const dataKey = randomBytes(32);
  try {
    return {
      keyId: ring.id,
      wrapped: ring.wrap(dataKey, nameOfKey(ring, store, named)),
      sealed: seal(dataKey, value, nameOfValue(store, named)),
    };
  } finally {
    dataKey.fill(0);
  }
}

/** Opens a version's value. Undefined: it was sealed as another one, or not with this key. */
export function openValue(ring: KeyRing, store: StoreRow, row: VersionRow): Uint8Array | undefined {
  const dataKey = ring.unwrap(row.wrapped, nameOfKey(ring, store, row));
  if (dataKey === undefined) return undefined;
  try {
    return open(dataKey, row.sealed, nameOfValue(store, row));
  } finally {
    dataKey.fill(0);
  }
}

/** Wraps a version's key with another ring; its value stays as it lies. Undefined as with {@link openValue}. */
export function rewrapKey(
  from: KeyRing,
  to: KeyRing,
  store: StoreRow,
  row: VersionRow,
): Pick<VersionRow, "keyId" | "wrapped"> | undefined {
  const dataKey = from.unwrap(row.wrapped, nameOfKey(from, store, row));
  if (dataKey === undefined) return undefined;
  try {
    return { keyId: to.id, wrapped: to.wrap(dataKey, nameOfKey(to, store, row)) };
  } finally {
    dataKey.fill(0);
  }
}

/** Says whose value it is, so that it opens in no other place. Not which key wraps it: that one changes. */
const nameOfValue = (store: StoreRow, row: VersionName): Uint8Array =>
  encodeFields(["value", algorithm, ...place(store, row)]);

const nameOfKey = (ring: KeyRing, store: StoreRow, row: VersionName): Uint8Array =>
  encodeFields(["data key", algorithm, ring.id, ...place(store, row)]);

const place = ({ id, project, environment }: StoreRow, row: VersionName) =>
  [id, project, environment, row.kind, row.name, row.version, row.sealedGeneration] as const;
