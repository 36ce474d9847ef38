import type { JSONWebKeySet, JWK } from "jose";
import type { EventSink, Identity } from "../../contract/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { Lookup } from "../../shared/node.ts";
import type { IssuerKeys, KeySource } from "../callers/token-verifier.ts";
import { createIssuerFetch, refused } from "./issuer-fetch.ts";
import { readSignatureKeys } from "./signature-keys.ts";

/** Options of {@link createIssuerKeys}. */
export interface IssuerKeysOptions {
  identity: Pick<Identity, "issuer" | "jwksUrl" | "network">;
  /** PEM of the authority that signed the issuer's certificate. Default: the system's. */
  ca?: string | undefined;
  events: EventSink;
  /** Age at which keys are asked for again, in milliseconds. Default 600 000. */
  maxAgeMs?: number;
  /** Least time between two attempts, in milliseconds, so that tokens with invented keys can't drive requests. Default 5 000. */
  coolDownMs?: number;
  /**
   * Age at which keys are no longer used if the issuer can't be reached, in milliseconds: whoever cuts the connection must
   * not keep a withdrawn key alive for ever. Default 86 400 000.
   */
  maxStaleMs?: number;
  /** How long the issuer may take for one answer, in milliseconds. Default 5 000. */
  timeoutMs?: number;
  /** Finds a name's addresses. Default: as the system does. */
  lookup?: Lookup | undefined;
  /** The present in milliseconds since 1970. Default `Date.now`. */
  now?: () => number;
}

/** A {@link KeySource} that asks the issuer. */
export interface RemoteKeySource extends KeySource {
  /** Asks for the keys the first time. Resolves whether or not that worked: routes that need them answer 503 until it does. */
  load(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Keeps the public keys of an OpenID or OAuth issuer: found through its discovery document, renewed in the background,
 * asked for again when a token names an unknown key. While the issuer can't be reached the last keys stay in use, for a day. Nobody is asked but
 * the issuer's own host and that of a declared `jwksUrl`, at addresses of their network.
 *
 * @see RFC 8414 §3 (metadata), OpenID Connect Discovery 1.0 §4, RFC 7517 (JWK)
 */
export function createIssuerKeys({
  identity,
  ca,
  events,
  maxAgeMs = 600_000,
  coolDownMs = 5000,
  maxStaleMs = 86_400_000,
  timeoutMs = 5000,
  lookup,
  now = Date.now,
}: IssuerKeysOptions): RemoteKeySource {
  const { issuer, network } = identity;
  const { readJson, close } = createIssuerFetch({
    network,
    ca,
    lookup,
    timeoutMs,
    now,
    onRefused: (host, addresses) =>
      events({ type: "gateway.keys.address.refused", time: now(), issuer, host, addresses }),
  });
  let keys: IssuerKeys | undefined;
  let fingerprint = "";
  let loadedAt = Number.NEGATIVE_INFINITY;
  let attemptedAt = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;
  let closed = false;

  async function attempt(): Promise<void> {
    try {
      const jwksUrl = identity.jwksUrl ?? (await discover());
      const set = publicSigningKeys(await readJson(jwksUrl));
      const text = JSON.stringify(set);
      if (text !== fingerprint || keys === undefined)
        keys = { epoch: (keys?.epoch ?? 0) + 1, keys: readSignatureKeys(set.keys) };
      loadedAt = now();
      if (text === fingerprint) return;
      fingerprint = text;
      events({ type: "gateway.keys.loaded", time: now(), issuer: identity.issuer, keys: set.keys.length });
    } catch (error) {
      if (closed) return;
      events({
        type: "gateway.keys.unavailable",
        time: now(),
        issuer: identity.issuer,
        reason: reasonOf(error),
      });
    }
  }

  async function discover(): Promise<string> {
    const url = `${identity.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const document = (await readJson(url)) as { issuer?: unknown; jwks_uri?: unknown };
    if (document.issuer !== identity.issuer) throw refused(`its discovery document names another issuer`);
    const jwksUrl = typeof document.jwks_uri === "string" ? URL.parse(document.jwks_uri) : null;
    if (jwksUrl === null || jwksUrl.protocol !== new URL(identity.issuer).protocol)
      throw refused("its discovery document names no usable jwks_uri");
    // Whoever can change that document, or what an open field of it says, does not choose whom the gateway asks.
    if (jwksUrl.origin !== new URL(identity.issuer).origin)
      throw refused(
        "its discovery document leads to keys on another host; if they are there, name them in the contract: identity.jwksUrl",
      );
    return jwksUrl.href;
  }

  /** Starts an attempt unless one runs or the last was just now. */
  function refreshSoon(): Promise<void> | undefined {
    if (running !== undefined) return running;
    if (now() - attemptedAt < coolDownMs) return undefined;
    attemptedAt = now();
    running = attempt().finally(() => (running = undefined));
    return running;
  }

  const usable = (): IssuerKeys | undefined => (now() - loadedAt > maxStaleMs ? undefined : keys);

  return {
    async load() {
      await refreshSoon();
    },
    current() {
      if (now() - loadedAt > maxAgeMs) void refreshSoon();
      return usable();
    },
    async refresh() {
      await refreshSoon();
      return usable();
    },
    close() {
      closed = true;
      return close();
    },
  };
}

/** The keys of a set that can verify signatures. A private or symmetric key in a public set is a leak: the set is refused. */
function publicSigningKeys(value: object): JSONWebKeySet {
  const { keys } = value as { keys?: unknown };
  if (!Array.isArray(keys)) throw refused("its key set is malformed");
  const usable = keys.filter(
    (key: JWK) =>
      typeof key === "object" &&
      key !== null &&
      (key.use === undefined || key.use === "sig") &&
      ["RSA", "EC", "OKP"].includes(key.kty ?? ""),
  );
  if (keys.some((key: JWK | null) => key?.kty === "oct" || isPrivate(key ?? {})))
    throw refused("its key set holds private keys");
  if (usable.length === 0) throw refused("its key set holds no key for signatures");
  return { keys: usable as JWK[] };
}

/** Members of private keys: with one factor of an RSA modulus whoever reads it has the whole key (RFC 7518 §6.3.2). */
const privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

const isPrivate = (key: object): boolean => privateMembers.some((name) => Object.hasOwn(key, name));

/** Why the keys can't be had, in words that hold nothing of what the issuer sent. */
function reasonOf(error: unknown): string {
  if (error instanceof CurtainwallError) return error.message;
  if (error instanceof SyntaxError) return "its answer is not JSON";
  // An exception of the DOM has a number for a code.
  if (error instanceof DOMException) return "it took too long";
  const { code = "it can't be reached" } = error as { code?: string };
  return code === "UND_ERR_RES_EXCEEDED_MAX_SIZE" ? "its answer is too large" : code;
}
