import { createHmac, timingSafeEqual } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { isCurtainwallError, toHex } from "../../shared/index.ts";
import { encodeFields } from "../encode-fields.ts";
import { draftOf, removeDraft } from "./drafts.ts";
import { errorCode, vaultError } from "./fail.ts";
import { openPrivateFile, readAtMost } from "./private-file.ts";
import { syncPath } from "./sync-path.ts";

/** How far a store got: its generation, and the manifest that it had then. */
export interface Progress {
  readonly storeId: Uint8Array;
  readonly generation: number;
  readonly manifest: Uint8Array;
}

/** What a witness file says of a store. */
export type Testimony = "missing" | "invalid" | "behind" | "same" | "ahead" | "another";

const maxBytes = 4_096;
const format = "curtainwall-vault-witness";

interface WitnessRecord {
  format: string;
  version: number;
  store: string;
  generation: number;
  manifest: string;
  mac: string;
}

/** Asks a witness about a store as it is now. */
export function askWitness(file: string, key: Uint8Array, progress: Progress): Testimony {
  const text = readWitness(file);
  if (text === undefined) return "missing";
  const record = parseRecord(text);
  if (record === undefined || !isAuthentic(record, key)) return "invalid";
  if (record.store !== toHex(progress.storeId)) return "invalid";
  if (record.generation !== progress.generation)
    return record.generation < progress.generation ? "behind" : "ahead";
  return record.manifest === toHex(progress.manifest) ? "same" : "another";
}

/**
 * Lets a witness remember how far a store got. Whole or not at all, and on disk when this returns.
 *
 * @throws {CurtainwallError} `VAULT_WITNESS_UNWRITABLE`
 */
export function tellWitness(file: string, key: Uint8Array, progress: Progress): void {
  const { storeId, generation, manifest } = progress;
  const plain = { format, version: 1, store: toHex(storeId), generation, manifest: toHex(manifest) };
  const record: WitnessRecord = { ...plain, mac: toHex(macOf(plain, key)) };
  const draft = draftOf(file);
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeSynced(draft, `${JSON.stringify(record)}\n`);
    renameSync(draft, file);
    syncPath(dirname(file));
  } catch (cause) {
    throw vaultError(
      "VAULT_WITNESS_UNWRITABLE",
      `The witness file ${file} can't be written: ${errorCode(cause) ?? "unknown"}.`,
      {
        hint: "What was to be written may be in the store, but is not confirmed. Let the store's user write the witness's folder, and do it again",
        cause,
      },
    );
  } finally {
    removeDraft(draft);
  }
}

function readWitness(file: string): string | undefined {
  try {
    const fd = openPrivateFile(file, {
      what: `The witness file ${file}`,
      missing: "VAULT_WITNESS_MISSING",
      exposed: "VAULT_WITNESS_INVALID",
      unusable: "VAULT_WITNESS_INVALID",
      hint: "",
      // Its content is no secret, and nobody without the key can change it unseen.
      forbiddenMode: 0o022,
    });
    return readAtMost(fd, maxBytes).toString("utf8");
  } catch (error) {
    if (isCurtainwallError(error, "VAULT_WITNESS_MISSING")) return undefined;
    throw error;
  }
}

function parseRecord(text: string): WitnessRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const record = value as Partial<Record<keyof WitnessRecord, unknown>>;
  const areTexts = [record.store, record.manifest, record.mac].every((part) => typeof part === "string");
  const isOurs = record.format === format && record.version === 1;
  return areTexts && isOurs && Number.isSafeInteger(record.generation)
    ? (record as WitnessRecord)
    : undefined;
}

function isAuthentic(record: WitnessRecord, key: Uint8Array): boolean {
  const claimed = Buffer.from(record.mac, "hex");
  const mac = macOf(record, key);
  return claimed.length === mac.length && timingSafeEqual(claimed, mac);
}

const macOf = (record: Omit<WitnessRecord, "mac">, key: Uint8Array): Uint8Array =>
  createHmac("sha256", key)
    .update(encodeFields([record.format, record.version, record.store, record.generation, record.manifest]))
    .digest();

function writeSynced(file: string, text: string): void {
  const fd = openSync(file, "wx", 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
