import { CurtainwallError } from "../../shared/index.ts";

/** One API key, as the file has it: whoever reads it learns no key. */
export interface ApiKeyRecord {
  /** The part of the key that names it. */
  readonly id: string;
  /** SHA-256 of the whole key, base64url. */
  readonly digest: string;
  /** Who calls with it. */
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly tenant?: string;
  /** ISO 8601, UTC. */
  readonly created: string;
  /** The moment from which it does not count any more, ISO 8601, UTC. Absent: it counts until it is revoked. */
  readonly expires?: string;
}

/** Prefix, name, secret of 190 bits, checksum: what scanners for leaked secrets recognise. */
export const apiKeyForm: RegExp = /^cwk_([0-9A-Za-z]{8})([0-9A-Za-z]{32})([0-9A-Za-z]{6})$/;

const names = new Set(["id", "digest", "subject", "scopes", "tenant", "created", "expires"]);
const scopeForm = /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/;
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/;
const maxKeys = 100_000;

/**
 * Reads a list of API keys, to the letter: what is not understood might have been a restriction.
 *
 * @throws {CurtainwallError} `GATEWAY_API_KEYS_INVALID`
 */
export function parseApiKeyList(text: string): readonly ApiKeyRecord[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    throw invalid("it is not JSON");
  }
  const { version, keys, ...others } = isObject(list) ? list : {};
  if (version !== 1 || !Array.isArray(keys) || Object.keys(others).length > 0)
    throw invalid('it is not { "version": 1, "keys": […] }');
  if (keys.length > maxKeys) throw invalid(`it has more than ${maxKeys} keys`);
  const fault = keys.findIndex((key) => !isRecord(key));
  if (fault >= 0) throw invalid(`entry ${fault + 1} is not as curtainwall api-key writes it`);
  const records = keys as ApiKeyRecord[];
  if (new Set(records.map(({ id }) => id)).size < records.length) throw invalid("two keys have one name");
  return records;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isName = (value: unknown): boolean => typeof value === "string" && value !== "" && value.length <= 255;

const isTime = (value: unknown): boolean =>
  typeof value === "string" && timeForm.test(value) && !Number.isNaN(Date.parse(value));

function isRecord(key: unknown): boolean {
  if (!isObject(key) || Object.keys(key).some((name) => !names.has(name))) return false;
  const { id, digest, subject, scopes, tenant, created, expires } = key;
  return (
    typeof id === "string" &&
    /^[0-9A-Za-z]{8}$/.test(id) &&
    typeof digest === "string" &&
    /^[\w-]{43}$/.test(digest) &&
    isName(subject) &&
    Array.isArray(scopes) &&
    scopes.length > 0 &&
    scopes.every((scope) => typeof scope === "string" && scopeForm.test(scope)) &&
    (tenant === undefined || isName(tenant)) &&
    isTime(created) &&
    (expires === undefined || isTime(expires))
  );
}

const invalid = (reason: string): CurtainwallError =>
  new CurtainwallError("GATEWAY_API_KEYS_INVALID", `The list of API keys can't be used: ${reason}.`, {
    hint: "Make it with  npx curtainwall api-key create",
  });
