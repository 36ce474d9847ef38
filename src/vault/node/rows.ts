import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { EnvironmentName } from "../../contract/index.ts";
import type { KeySource, VersionState } from "../types.ts";
import type { KeyParameters } from "./key-source.ts";

/** The store's own row. */
export interface StoreRow {
  readonly id: Uint8Array;
  readonly project: string;
  readonly environment: EnvironmentName;
  readonly createdMs: number;
  readonly generation: number;
  readonly isWitnessed: boolean;
}

/** The key that everything is wrapped with. */
export interface KeyRow extends KeyParameters {
  readonly id: string;
  readonly commitment: Uint8Array;
  readonly createdMs: number;
  readonly createdBy: string;
  readonly handOver: { readonly from: string; readonly sealed: Uint8Array } | undefined;
}

/** A version of a secret, a signing key, or what was signed of a log. */
export interface VersionRow {
  readonly kind: "secret" | "signing" | "witness" | "log";
  readonly name: string;
  readonly version: number;
  readonly state: VersionState;
  readonly createdMs: number;
  readonly createdBy: string;
  readonly changedMs: number;
  readonly changedBy: string;
  readonly keyId: string;
  /** The data key under the store's key; empty once revoked. */
  readonly wrapped: Uint8Array;
  /** The value under the data key; empty once revoked. */
  readonly sealed: Uint8Array;
  readonly sealedGeneration: number;
  readonly generation: number;
}

type Row = Record<string, SQLOutputValue>;

/** What stands in the rows that are read before the manifest is: a file may say anything. */
const storeTypes = { id: "bytes", project: "string", environment: "string", generation: "number" } as const;
const keyTypes = {
  id: "string",
  kind: "string",
  salt: "bytes",
  memory_kib: "number",
  passes: "number",
  parallelism: "number",
  commitment: "bytes",
} as const;

const isTyped = (row: Row, types: Readonly<Record<string, "bytes" | "string" | "number">>): boolean =>
  Object.entries(types).every(([name, type]) =>
    type === "bytes" ? row[name] instanceof Uint8Array : typeof row[name] === type,
  );

/** Reads the store's row. Undefined: it is not there, or not as this room writes it. */
export function readStoreRow(database: DatabaseSync): StoreRow | undefined {
  const row = database.prepare("SELECT * FROM store").get();
  return row === undefined || !isTyped(row, storeTypes)
    ? undefined
    : {
        id: row.id as Uint8Array,
        project: row.project as string,
        environment: row.environment as EnvironmentName,
        createdMs: row.created_ms as number,
        generation: row.generation as number,
        isWitnessed: row.witnessed === 1,
      };
}

/** Reads the key's row. Undefined: there is none, more than one, or not as this room writes it. */
export function readKeyRow(database: DatabaseSync): KeyRow | undefined {
  const [row, ...others] = database.prepare("SELECT * FROM keys").all();
  if (row === undefined || others.length > 0 || !isTyped(row, keyTypes)) return undefined;
  const { handover, handover_from: from } = row;
  return {
    id: row.id as string,
    kind: row.kind as KeySource["kind"],
    salt: row.salt as Uint8Array,
    memoryKib: row.memory_kib as number,
    passes: row.passes as number,
    parallelism: row.parallelism as number,
    commitment: row.commitment as Uint8Array,
    createdMs: row.created_ms as number,
    createdBy: row.created_by as string,
    handOver:
      handover instanceof Uint8Array && typeof from === "string" ? { sealed: handover, from } : undefined,
  };
}

/** Reads the versions of a kind, or of one name, the oldest first. */
export function readVersionRows(
  database: DatabaseSync,
  kind: VersionRow["kind"],
  name?: string,
): VersionRow[] {
  const rows =
    name === undefined
      ? database.prepare("SELECT * FROM versions WHERE kind = ? ORDER BY name, version").all(kind)
      : database
          .prepare("SELECT * FROM versions WHERE kind = ? AND name = ? ORDER BY version")
          .all(kind, name);
  return rows.map(toVersionRow);
}

/** Reads all there is, in the order of the primary key. */
export const readAllRows = (database: DatabaseSync): VersionRow[] =>
  database.prepare("SELECT * FROM versions ORDER BY kind, name, version").all().map(toVersionRow);

const toVersionRow = (row: Row): VersionRow => ({
  kind: row.kind as VersionRow["kind"],
  name: row.name as string,
  version: row.version as number,
  state: row.state as VersionState,
  createdMs: row.created_ms as number,
  createdBy: row.created_by as string,
  changedMs: row.changed_ms as number,
  changedBy: row.changed_by as string,
  keyId: row.key_id as string,
  wrapped: row.wrapped as Uint8Array,
  sealed: row.sealed as Uint8Array,
  sealedGeneration: row.sealed_generation as number,
  generation: row.generation as number,
});

/** Writes a version, in place of itself if it is there. */
export function writeVersionRow(database: DatabaseSync, row: VersionRow): void {
  database
    .prepare("INSERT OR REPLACE INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    .run(
      row.kind,
      row.name,
      row.version,
      row.state,
      row.createdMs,
      row.createdBy,
      row.changedMs,
      row.changedBy,
      row.keyId,
      row.wrapped,
      row.sealed,
      row.sealedGeneration,
      row.generation,
    );
}

/** Writes the key, in place of whichever was there. */
export function writeKeyRow(database: DatabaseSync, row: KeyRow): void {
  database.exec("DELETE FROM keys");
  database
    .prepare("INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    .run(
      row.id,
      row.kind,
      row.salt,
      row.memoryKib,
      row.passes,
      row.parallelism,
      row.commitment,
      row.createdMs,
      row.createdBy,
      row.handOver?.sealed ?? null,
      row.handOver?.from ?? null,
    );
}
