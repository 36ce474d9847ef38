import { randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { printable, toHex } from "../../shared/index.ts";
import type { LoadedKey, OpenVaultOptions, Vault } from "../types.ts";
import { damaged, fromDatabase } from "./database-errors.ts";
import { vaultError } from "./fail.ts";
import { createKeyRing, isCommittedTo } from "./key-ring.ts";
import type { KeyRing } from "./key-ring.ts";
import { areSensible, deriveRoot, useKey } from "./key-source.ts";
import { signLog } from "./log-signing.ts";
import { writeManifest } from "./manifest.ts";
import { migrations } from "./migrations.ts";
import { createDatabase, openDatabase } from "./open-database.ts";
import type { StorePlace } from "./open-database.ts";
import { endHandOver, keyRowOf, newKey, rewrapStore } from "./rewrap.ts";
import { readKeyRow, readStoreRow, writeKeyRow, writeVersionRow } from "./rows.ts";
import type { KeyRow, StoreRow } from "./rows.ts";
import {
  assertName,
  bytesOf,
  getSecret,
  historyOf,
  listSecrets,
  revokeSecret,
  setSecret,
} from "./secrets.ts";
import type { Actor } from "./secrets.ts";
import { innerRow, openSigningKey, takeSigningKey } from "./signing.ts";
import { createStore } from "./store.ts";
import type { Store } from "./store.ts";
import { exportSecrets, planImport } from "./transfer.ts";
import { createWatch } from "./watch.ts";

/**
 * Makes a store where there is none, and opens it.
 *
 * @throws {CurtainwallError} `VAULT_EXISTS`; of the key and the disk as {@link openVault}
 */
export async function createVault(options: OpenVaultOptions): Promise<Vault> {
  const id = randomBytes(16);
  const actor = actorOf(options)(options.by ?? "vault");
  const key = await newKey(options.kek, id);
  const { project, environment } = options;
  const store: StoreRow = {
    id,
    project,
    environment,
    createdMs: actor.nowMs,
    generation: 1,
    isWitnessed: false,
  };
  try {
    createDatabase(placeOf(options), (database) => {
      writeStoreRow(database, store);
      writeKeyRow(database, keyRowOf(key, actor));
      const view = { ring: key.ring, store, generation: 1 };
      // Made now, so that a witness that is declared later needs nothing written first.
      const witness = randomBytes(32);
      writeVersionRow(database, innerRow(view, { kind: "witness", name: "witness" }, witness, actor));
      writeManifest(database, key.ring, migrations.length);
    });
  } finally {
    key.ring.forget();
  }
  return openVault(options);
}

const placeOf = ({ file, shownAs = file }: OpenVaultOptions): StorePlace => ({ path: file, shown: shownAs });

function writeStoreRow(database: DatabaseSync, store: StoreRow): void {
  database
    .prepare("INSERT INTO store VALUES (1, ?, ?, ?, ?, ?, 0)")
    .run(store.id, store.project, store.environment, store.createdMs, store.generation);
}

/**
 * Opens a store, after all of it was found to be as the key's holder left it.
 *
 * @throws {CurtainwallError} `VAULT_MISSING`, `VAULT_EXPOSED`, `VAULT_FOREIGN` (of another project or environment, or no store), `VAULT_DAMAGED`,
 *   `VAULT_ROLLED_BACK`, `VAULT_KEY_WRONG`, and what the key's source and the disk say
 */
export const openVault = (options: OpenVaultOptions): Promise<Vault> =>
  useKey(options.kek, (key) => openWith(key, options));

async function openWith(loaded: LoadedKey, options: OpenVaultOptions): Promise<Vault> {
  const { timeoutMs = 5_000, now = Date.now } = options;
  const place = placeOf(options);
  const file = place.shown;
  const opened = openDatabase(place, timeoutMs);
  let ring: KeyRing | undefined;
  try {
    const { store, key } = readRows(file, opened.database);
    assertOwn(file, store, options);
    ring = createKeyRing(await deriveRoot(loaded, key), key.id, store.id);
    if (!isCommittedTo(ring, key.commitment)) throw keyWrong(file, key);
    const watch = createWatch(file, options.witness);
    const guarded = createStore({ place, opened, ring, ...watch.duties });
    watch.begin(guarded);
    endHandOver(guarded, now());
    return assemble(file, guarded, store, options);
  } catch (error) {
    ring?.forget();
    opened.database.close();
    throw fromDatabase(file, error);
  }
}

function readRows(file: string, database: DatabaseSync): { store: StoreRow; key: KeyRow } {
  const version = Number(database.prepare("PRAGMA user_version").get()?.user_version);
  if (version > migrations.length) return newerThanWe(file, version);
  const store = readStoreRow(database);
  const key = readKeyRow(database);
  if (store === undefined || key === undefined || !areSensible(key)) throw damaged(file);
  return { store, key };
}

function newerThanWe(file: string, version: number): never {
  throw vaultError("VAULT_FOREIGN", `The store ${file} was written by a newer Curtainwall.`, {
    hint: `It has version ${version}, and this one knows ${migrations.length}. Update Curtainwall`,
  });
}

function assertOwn(file: string, store: StoreRow, { project, environment }: OpenVaultOptions): void {
  if (store.project === project && store.environment === environment) return;
  throw vaultError(
    "VAULT_FOREIGN",
    `The store ${file} is of "${printable(store.project, 80)}", ${printable(store.environment, 20)}; not of "${project}", ${environment}.`,
    { hint: "Each project and environment has a store and a key of its own" },
  );
}

const keyWrong = (file: string, { kind }: KeyRow): Error =>
  vaultError("VAULT_KEY_WRONG", `That ${kind} does not open the store ${file}.`, {
    hint:
      kind === "passphrase"
        ? "Mind capital letters and blanks. Nothing was changed"
        : "It is another store's, or an older one. After a rewrap the contract names the new one:  vault: { key: … },   Nothing was changed",
  });

const actorOf =
  ({ now = Date.now }: OpenVaultOptions) =>
  (by: string): Actor => ({ by: printable(by, 200), nowMs: now() });

function assemble(
  file: string,
  store: Store,
  { id, project, environment }: StoreRow,
  options: OpenVaultOptions,
): Vault {
  const actor = actorOf(options);
  let dataVersion = store.dataVersion();
  return {
    id: toHex(id),
    project,
    environment,
    async set(name, value, by) {
      assertName(name);
      const bytes = bytesOf(value);
      try {
        return store.write((view) => setSecret(view, name, bytes, actor(by)));
      } finally {
        bytes.fill(0);
      }
    },
    get(name, version) {
      assertName(name);
      return store.read((view) => getSecret(file, view, name, version));
    },
    list: () => store.read(listSecrets),
    history(name) {
      assertName(name);
      return store.read((view) => historyOf(view, name));
    },
    async revoke(name, version, by) {
      assertName(name);
      const ended = store.write((view) => revokeSecret(view, name, version, actor(by)));
      store.checkpoint();
      return ended;
    },
    rewrap: (kek, by, how) => rewrapStore(file, store, kek, actor(by), how),
    generation: () => store.read((view) => view.store.generation),
    changedSince() {
      const before = dataVersion;
      dataVersion = store.dataVersion();
      return dataVersion !== before;
    },
    signingKey: (purpose) => openSigningKey(file, store, purpose, actor(options.by ?? "vault")),
    importSigningKey: (purpose, pkcs8, by) => takeSigningKey(file, store, purpose, pkcs8, actor(by)),
    signLog: (claim, how) => signLog(file, store, claim, how, actor(options.by ?? "vault")),
    export: (recipients) => exportSecrets(file, store, recipients, actor("").nowMs),
    import: (bytes, identity, how = {}) => planImport(file, store, bytes, identity, actor, how),
    close: () => store.close(),
  };
}
