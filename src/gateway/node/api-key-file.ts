import { hash, randomInt } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { CurtainwallError } from "../../shared/index.ts";
import { withFileLock } from "../../shared/node.ts";
import { parseApiKeyList } from "../callers/api-key-list.ts";
import type { ApiKeyRecord } from "../callers/api-key-list.ts";

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const randomText = (length: number): string =>
  Array.from({ length }, () => digits[randomInt(digits.length)]).join("");

/** Six digits in base 62, as GitHub and npm write theirs: a scanner tells a key from a text that looks alike. */
function checksum(text: string): string {
  let value = crc32(text);
  let written = "";
  for (let place = 0; place < 6; place++) {
    written = (digits[value % 62] ?? "") + written;
    value = Math.floor(value / 62);
  }
  return written;
}

/** What a new API key is for. */
export interface NewApiKey extends Pick<ApiKeyRecord, "scopes" | "tenant" | "expires"> {
  /** Who calls with it. Default: `key:` and its name. */
  readonly subject?: string | undefined;
}

/** A file of API keys. */
export interface ApiKeyFile {
  list(): readonly ApiKeyRecord[];
  /** Adds a key and returns it: it is nowhere else, and can't be had again. */
  create(key: NewApiKey): { readonly key: string; readonly record: ApiKeyRecord };
  /** Takes a key out. Returns whether it was there. */
  revoke(id: string): boolean;
}

/**
 * Opens a file of API keys, which need not be there yet. It holds digests only and is replaced whole, so that who reads it meanwhile reads
 * one list or the other. Of several processes that change it at once, each sees what the one before wrote; a key that `create` returned is
 * on disk.
 *
 * @throws {CurtainwallError} `GATEWAY_API_KEYS_INVALID` when what is there, or what would be written, can't be used
 */
export function openApiKeyFile(file: string, now: () => number = Date.now): ApiKeyFile {
  const list = (): readonly ApiKeyRecord[] =>
    existsSync(file) ? parseApiKeyList(readFileSync(file, "utf8")) : [];

  return {
    list,
    create: (key) =>
      change(file, () => {
        const keys = list();
        const made = makeKey(key, now());
        if (keys.some(({ id }) => id === made.record.id))
          throw new CurtainwallError(
            "GATEWAY_API_KEYS_INVALID",
            "The name that was drawn is taken. Try again.",
          );
        write(file, [...keys, made.record]);
        return made;
      }),
    revoke: (id) =>
      change(file, () => {
        const keys = list();
        const left = keys.filter((known) => known.id !== id);
        if (left.length < keys.length) write(file, left);
        return left.length < keys.length;
      }),
  };
}

/** Reads and writes the file while no other process does. */
function change<Result>(file: string, work: () => Result): Result {
  try {
    return withFileLock(file, work);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_SQLITE_ERROR") throw cause;
    throw new CurtainwallError(
      "GATEWAY_API_KEYS_INVALID",
      `The list of API keys can't be locked: ${(cause as Error).message}.`,
      {
        hint: `Is its folder there, and yours to write in? Does another command hold ${file}.lock for long?`,
        cause,
      },
    );
  }
}

/** Replaces the list: whole or not at all, and on disk when this returns. */
function write(file: string, keys: readonly ApiKeyRecord[]): void {
  const text = `${JSON.stringify({ version: 1, keys }, null, 2)}\n`;
  parseApiKeyList(text);
  const draft = `${file}.new`;
  // Whoever writes holds the lock: what lies here was left by one that was killed.
  rmSync(draft, { force: true });
  writeFileSync(draft, text, { mode: 0o600, flag: "wx", flush: true });
  renameSync(draft, file);
}

function makeKey(
  { subject, scopes, tenant, expires }: NewApiKey,
  nowMs: number,
): { readonly key: string; readonly record: ApiKeyRecord } {
  const id = randomText(8);
  const named = `${id}${randomText(32)}`;
  const key = `cwk_${named}${checksum(named)}`;
  const record: ApiKeyRecord = {
    id,
    digest: hash("sha256", key, "base64url"),
    subject: subject ?? `key:${id}`,
    scopes,
    ...(tenant === undefined ? {} : { tenant }),
    created: new Date(nowMs).toISOString(),
    ...(expires === undefined ? {} : { expires }),
  };
  return { key, record };
}
