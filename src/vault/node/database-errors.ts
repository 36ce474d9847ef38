import type { CurtainwallError } from "../../shared/index.ts";
import type { VaultErrorCode } from "../errors.ts";
import { errorCode, vaultError } from "./fail.ts";

/** SQLite's primary result codes (https://sqlite.org/rescode.html). */
const busy = 5;
const locked = 6;
const readOnlyCode = 8;
const inputOutput = 10;
const corrupt = 11;
const full = 13;
const notADatabase = 26;
/** Reading as much as a file says that it has, and getting less. */
const shortRead = 522;

/**
 * Says in the room's terms what SQLite met. A statement's values are bound, never part of its text, so none of these texts can hold one.
 */
export function fromDatabase(file: string, error: unknown): unknown {
  const known = ["ERR_SQLITE_ERROR", "ERR_INVALID_STATE", "ERR_OUT_OF_RANGE"];
  if (!known.includes(errorCode(error) ?? "")) return error;
  const cause = error;
  const code = (error as { errcode?: number }).errcode ?? 0;
  if (errorCode(error) === "ERR_INVALID_STATE") return closed();
  // An integer that no store writes, say.
  if (errorCode(error) === "ERR_OUT_OF_RANGE" || code === shortRead) return damaged(file, { cause });
  switch (code & 0xff) {
    case busy:
    case locked:
      return vaultError("VAULT_BUSY", `Another process is writing to the store ${file}.`, {
        hint: "Try again. If it stays so, another process that has it open hangs",
        cause,
      });
    case readOnlyCode:
      return readOnly(file, cause);
    case full:
      return diskFull(file, cause);
    case inputOutput:
      // The system says "file too large" in this way: a quota or a limit of the process.
      return vaultError("VAULT_UNUSABLE", `The disk failed for the store ${file}.`, {
        hint: `Nothing that was acknowledged is lost. Look for a quota, a limit of file sizes, or a failing disk:  df ${file}`,
        cause,
      });
    case corrupt:
    case notADatabase:
      return damaged(file, { cause });
    default:
      return vaultError("VAULT_UNUSABLE", `The store ${file} can't be used.`, {
        hint: `Its user must be able to write its folder:  ls -ld ${file}*`,
        cause,
      });
  }
}

/** The file is not what this room wrote. */
export const damaged = (
  file: string,
  {
    cause,
    what = "It was changed by something that has not its key, or by a failing disk",
  }: {
    cause?: unknown;
    what?: string;
  } = {},
): CurtainwallError<VaultErrorCode> =>
  vaultError("VAULT_DAMAGED", `The store ${file} is damaged.`, {
    hint: `${what}. Nothing in it is used. Bring back a copy of it, or set the secrets anew in a new store`,
    cause,
  });

const closed = (): CurtainwallError<VaultErrorCode> => vaultError("VAULT_CLOSED", "The store was closed.");

export const diskFull = (file: string, cause: unknown): CurtainwallError<VaultErrorCode> =>
  vaultError("VAULT_DISK_FULL", `There is no room on the disk for the store ${file}.`, {
    hint: "Nothing was changed. Free space and try again",
    cause,
  });

export const readOnly = (file: string, cause: unknown): CurtainwallError<VaultErrorCode> =>
  vaultError("VAULT_READ_ONLY", `The store ${file} can't be written to.`, {
    hint: `Its disk is mounted read-only, or its folder belongs to another user. Reading needs to write as well:  findmnt -T ${file}`,
    cause,
  });
