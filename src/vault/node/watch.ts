import type { WitnessOptions } from "../types.ts";
import { damaged } from "./database-errors.ts";
import { removeStaleDrafts } from "./drafts.ts";
import { vaultError } from "./fail.ts";
import { readVersionRows } from "./rows.ts";
import { openValue } from "./seal-value.ts";
import type { Store, StoreView } from "./store.ts";
import { askWitness, tellWitness } from "./witness.ts";
import type { Progress } from "./witness.ts";

/** What a store does so that its witness knows how far it got. */
export interface Watch {
  readonly duties: { beforeWrite?: (view: StoreView) => void; afterWrite?: (view: StoreView) => void };
  /** Asks the witness about a store that is being opened, and enters into or leaves its service. */
  begin(store: Store): void;
}

/**
 * Keeps a store and its witness in step. The store is written first, then the witness, and only then is a write acknowledged: a crash between the two
 * leaves a witness that is behind, which is honest, and never a store that seems to be. So all that was acknowledged is witnessed.
 */
export function createWatch(file: string, witness: WitnessOptions | undefined): Watch {
  if (witness === undefined) return { duties: {}, begin: (store) => assertUnwitnessed(file, store) };
  if ("insecureForget" in witness) return { duties: {}, begin: release };
  const isAccepted = witness.insecureAccept !== undefined;
  let hasBegun = false;
  const ask = (view: StoreView): void => {
    if (hasBegun || !isAccepted) assertHonest(file, witness.file, view);
  };
  const tell = (view: StoreView): void =>
    useKey(file, view, (key) => tellWitness(witness.file, key, progressOf(view)));
  return {
    duties: { beforeWrite: ask, afterWrite: tell },
    begin(store) {
      removeStaleDrafts(witness.file);
      store.hold((view) => {
        ask(view);
        tell(view);
      });
      hasBegun = true;
      if (!store.read((view) => view.store.isWitnessed)) register(store, true);
    },
  };
}

function assertUnwitnessed(file: string, store: Store): void {
  if (!store.read((view) => view.store.isWitnessed)) return;
  throw vaultError("VAULT_WITNESS_MISSING", `The store ${file} has a witness, and none is named.`, {
    hint: "Name it in the contract:  vault: { witness: { file: … } }",
  });
}

function release(store: Store): void {
  if (store.read((view) => view.store.isWitnessed)) register(store, false);
}

function register(store: Store, isWitnessed: boolean): void {
  store.write(({ database }) => {
    database.prepare("UPDATE store SET witnessed = ?").run(isWitnessed ? 1 : 0);
  });
}

function assertHonest(file: string, witnessFile: string, view: StoreView): void {
  const testimony = useKey(file, view, (key) => askWitness(witnessFile, key, progressOf(view)));
  switch (testimony) {
    case "same":
    case "behind":
      return;
    case "missing":
      if (!view.store.isWitnessed) return;
      throw vaultError("VAULT_WITNESS_MISSING", `The witness file ${witnessFile} is not there.`, {
        hint: "Mount the disk that it is on. Without it nobody can tell whether the store is the newest one",
      });
    case "invalid":
      throw vaultError(
        "VAULT_WITNESS_INVALID",
        `The witness file ${witnessFile} is not of the store ${file}.`,
        {
          hint: "It was changed by something that has not the store's key, or belongs to another store",
        },
      );
    case "ahead":
    case "another":
      throw vaultError("VAULT_ROLLED_BACK", `The store ${file} is not the one that its witness saw last.`, {
        hint: "An older copy of it lies there. Bring back the newest one",
      });
  }
}

function useKey<Result>(file: string, view: StoreView, work: (key: Uint8Array) => Result): Result {
  const row = readVersionRows(view.database, "witness")[0];
  const key = row === undefined ? undefined : openValue(view.ring, view.store, row);
  if (key === undefined) throw damaged(file);
  try {
    return work(key);
  } finally {
    key.fill(0);
  }
}

function progressOf({ database, store }: StoreView): Progress {
  const { mac } = database.prepare("SELECT mac FROM manifest").get() as { mac: Uint8Array };
  return { storeId: store.id, generation: store.generation, manifest: mac };
}
