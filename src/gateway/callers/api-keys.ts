import type { EventSink } from "../../contract/index.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import type { TokenVerdict } from "../types.ts";
import { apiKeyForm, parseApiKeyList } from "./api-key-list.ts";

/** Options of {@link createApiKeys}. */
export interface ApiKeysOptions {
  /** SHA-256, base64url. */
  digest: (text: string) => string;
  events: EventSink;
  /** The present in milliseconds since 1970. Default `Date.now`. */
  now?: () => number;
}

/** Finds out who calls with an API key. */
export interface ApiKeys {
  verify(key: string): TokenVerdict;
  /** Takes a new list, whole; one that can't be used is told by an event, and the one before stays. Undefined: there are no keys. */
  replace(list: string | undefined): void;
}

interface KnownKey {
  readonly digest: string;
  readonly expiresMs: number;
  readonly verdict: TokenVerdict & { kind: "valid" };
}

const invalid = (reason: string): TokenVerdict => ({ kind: "invalid", reason });

/**
 * Checks API keys against a list of digests. A key is 190 random bits: nobody finds it by trying, so one SHA-256 is enough, and a slow
 * hash would be a lever for denial of service. A key is found by its name, which is no secret, and compared in constant time.
 */
export function createApiKeys({ digest, events, now = Date.now }: ApiKeysOptions): ApiKeys {
  let known: ReadonlyMap<string, KnownKey> = new Map();

  function replace(list: string | undefined): void {
    try {
      known = new Map(
        list === undefined ? [] : parseApiKeyList(list).map((record) => [record.id, knownKey(record)]),
      );
      events({ type: "gateway.api-keys.loaded", time: now(), keys: known.size });
    } catch (error) {
      const reason = isCurtainwallError(error) ? error.message : "it can't be read";
      events({ type: "gateway.api-keys.refused", time: now(), reason });
    }
  }

  function verify(key: string): TokenVerdict {
    const [, id] = apiKeyForm.exec(key) ?? [];
    if (id === undefined) return invalid("it is no API key");
    const record = known.get(id);
    // The same work for a name that there is not.
    const isRight = isSame(digest(key), record?.digest ?? noDigest);
    if (record === undefined || !isRight) return invalid("there is no such API key");
    return now() < record.expiresMs ? record.verdict : invalid("the API key has expired");
  }

  return { verify, replace };
}

const noDigest = "A".repeat(43);

function knownKey({
  id,
  digest,
  subject,
  scopes,
  tenant,
  expires,
}: ReturnType<typeof parseApiKeyList>[number]): KnownKey {
  return {
    digest,
    expiresMs: expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires),
    verdict: {
      kind: "valid",
      caller: { subject, roles: [], scopes, keyId: id, ...(tenant === undefined ? {} : { tenant }) },
    },
  };
}

/** Compares two digests of one length in a time that says nothing of where they differ. */
function isSame(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let at = 0; at < one.length; at++) difference |= one.charCodeAt(at) ^ other.charCodeAt(at);
  return difference === 0;
}
