import { hash, randomInt } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { CurtainwallError } from "../../shared/index.ts";
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
 * one list or the other.
 *
 * @throws {CurtainwallError} `GATEWAY_API_KEYS_INVALID` when what is there, or what would be written, can't be used
 */
export function openApiKeyFile(file: string, now: () => number = Date.now): ApiKeyFile {
  const list = (): readonly ApiKeyRecord[] =>
    existsSync(file) ? parseApiKeyList(readFileSync(file, "utf8")) : [];

  function write(keys: readonly ApiKeyRecord[]): void {
    const text = `${JSON.stringify({ version: 1, keys }, null, 2)}\n`;
    parseApiKeyList(text);
    const draft = `${file}.${process.pid}.new`;
    writeFileSync(draft, text, { mode: 0o600, flag: "wx" });
    renameSync(draft, file);
  }

  return {
    list,
    create({ subject, scopes, tenant, expires }) {
      const keys = list();
      const id = randomText(8);
      if (keys.some((known) => known.id === id))
        throw new CurtainwallError(
          "GATEWAY_API_KEYS_INVALID",
          "The name that was drawn is taken. Try again.",
        );
      const named = `${id}${randomText(32)}`;
      const key = `cwk_${named}${checksum(named)}`;
      const record: ApiKeyRecord = {
        id,
        digest: hash("sha256", key, "base64url"),
        subject: subject ?? `key:${id}`,
        scopes,
        ...(tenant === undefined ? {} : { tenant }),
        created: new Date(now()).toISOString(),
        ...(expires === undefined ? {} : { expires }),
      };
      write([...keys, record]);
      return { key, record };
    },
    revoke(id) {
      const keys = list();
      const left = keys.filter((known) => known.id !== id);
      if (left.length < keys.length) write(left);
      return left.length < keys.length;
    },
  };
}
