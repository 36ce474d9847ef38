import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { toHex } from "../../shared/index.ts";
import type { KeySource, LoadedKey, RewrapOptions, RewrapResult } from "../types.ts";
import { damaged } from "./database-errors.ts";
import { createKeyRing } from "./key-ring.ts";
import type { KeyRing } from "./key-ring.ts";
import { deriveRoot, newParameters, useKey } from "./key-source.ts";
import type { KeyParameters } from "./key-source.ts";
import { readAllRows, writeKeyRow, writeVersionRow } from "./rows.ts";
import type { KeyRow } from "./rows.ts";
import { rewrapKey } from "./seal-value.ts";
import type { Actor } from "./secrets.ts";
import type { Store, WritableView } from "./store.ts";

const pollMs = 20;
/** A new key lies in the store for no longer than this, sealed with the old one. */
const longestHandOverMs = 60_000;

/** A key as a store is to have it: what it computes with, and what it remembers of it. */
export interface NewKey {
  readonly ring: KeyRing;
  readonly parameters: KeyParameters;
}

/** Makes a store's key of a source: another one each time, also of the same passphrase or file. */
export const newKey = (source: KeySource | LoadedKey, storeId: Uint8Array): Promise<NewKey> =>
  useKey(source, async (key) => {
    const parameters = newParameters(key.kind, randomBytes(32));
    const root = await deriveRoot(key, parameters);
    return { parameters, ring: createKeyRing(root, toHex(randomBytes(16)), storeId) };
  });

/** What a store remembers of its key. */
export const keyRowOf = ({ ring, parameters }: NewKey, { by, nowMs }: Actor): KeyRow => ({
  ...parameters,
  id: ring.id,
  commitment: ring.commitment,
  createdMs: nowMs,
  createdBy: by,
  handOver: undefined,
});

/**
 * Wraps all data keys with another key, in one transaction: a process that is killed in it leaves the store with its old key, one that is killed after it
 * with the new one.
 */
export async function rewrapStore(
  file: string,
  store: Store,
  source: KeySource | LoadedKey,
  actor: Actor,
  { handOverMs = 0 }: RewrapOptions = {},
): Promise<RewrapResult> {
  const storeId = store.read((view) => view.store.id);
  const waitMs = Math.min(handOverMs, longestHandOverMs);
  const next = await newKey(source, storeId);
  const wrapped = store.write((view) => {
    const handOver = { from: view.ring.id, sealed: view.ring.handOver(next.ring) };
    writeKeyRow(view.database, {
      ...keyRowOf(next, actor),
      handOver: waitMs > 0 ? handOver : undefined,
    });
    view.useRing(next.ring);
    return rewrapRows(file, view, next.ring);
  });
  const taken = waitMs > 0 && (await waitUntilTaken(store, waitMs));
  store.checkpoint();
  return { wrapped, taken };
}

function rewrapRows(file: string, view: WritableView, ring: KeyRing): number {
  let count = 0;
  for (const row of readAllRows(view.database)) {
    // Of a revoked version there is nothing left to wrap.
    if (row.state === "revoked") continue;
    const wrapped = rewrapKey(view.ring, ring, view.store, row);
    if (wrapped === undefined) throw damaged(file);
    writeVersionRow(view.database, { ...row, ...wrapped, generation: view.generation });
    count++;
  }
  return count;
}

/** Takes out what a process left that was killed while it handed a key over; a clock that was set back by more than that makes it as old. */
export function endHandOver(store: Store, nowMs: number): void {
  const isLeft = store.read(
    ({ key }) => key.handOver !== undefined && Math.abs(nowMs - key.createdMs) > longestHandOverMs,
  );
  if (!isLeft) return;
  store.write(({ database, key }) => writeKeyRow(database, { ...key, handOver: undefined }));
  store.checkpoint();
}

/** Waits until another process has taken the key over, and takes it out of the store if none does. */
async function waitUntilTaken(store: Store, handOverMs: number): Promise<boolean> {
  const untilMs = performance.now() + handOverMs;
  while (store.read(({ key }) => key.handOver !== undefined)) {
    if (performance.now() > untilMs) {
      store.write(({ database, key }) => writeKeyRow(database, { ...key, handOver: undefined }));
      return false;
    }
    await delay(pollMs);
  }
  return true;
}
