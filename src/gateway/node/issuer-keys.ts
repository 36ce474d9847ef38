import type { JSONWebKeySet, JWK } from "jose";
import { Agent, request } from "undici";
import type { EventSink, Identity } from "../../contract/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { IssuerKeys, KeySource } from "../callers/token-verifier.ts";
import { readSignatureKeys } from "./signature-keys.ts";

/** Options of {@link createIssuerKeys}. */
export interface IssuerKeysOptions {
  identity: Pick<Identity, "issuer" | "jwksUrl">;
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
  /** The present in milliseconds since 1970. Default `Date.now`. */
  now?: () => number;
}

/** A {@link KeySource} that asks the issuer. */
export interface RemoteKeySource extends KeySource {
  /** Asks for the keys the first time. Resolves whether or not that worked: routes that need them answer 503 until it does. */
  load(): Promise<void>;
  close(): Promise<void>;
}

const maxDocumentBytes = 262_144;

/**
 * Keeps the public keys of an OpenID or OAuth issuer: found through its discovery document, renewed in the background,
 * asked for again when a token names an unknown key. While the issuer can't be reached the last keys stay in use, for a day.
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
  now = Date.now,
}: IssuerKeysOptions): RemoteKeySource {
  const agent = new Agent({
    connections: 2,
    connect: { minVersion: "TLSv1.3", ...(ca === undefined ? {} : { ca }) },
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
      const set = publicSigningKeys(await fetchJson(jwksUrl));
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
    const document = (await fetchJson(url)) as { issuer?: unknown; jwks_uri?: unknown };
    if (document.issuer !== identity.issuer) throw refused(`its discovery document names another issuer`);
    const jwksUrl = typeof document.jwks_uri === "string" ? URL.parse(document.jwks_uri) : null;
    if (jwksUrl === null || jwksUrl.protocol !== new URL(identity.issuer).protocol)
      throw refused("its discovery document names no usable jwks_uri");
    return jwksUrl.href;
  }

  async function fetchJson(url: string): Promise<object> {
    const { statusCode, body } = await request(url, {
      dispatcher: agent,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      signal: AbortSignal.timeout(timeoutMs),
      headers: { accept: "application/json" },
    });
    let text = "";
    for await (const chunk of body.setEncoding("utf8")) {
      text += chunk as string;
      if (text.length > maxDocumentBytes) throw refused("its answer is too large");
    }
    if (statusCode !== 200) throw refused(`it answered ${statusCode}`);
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) throw refused("its answer is not an object");
    return value;
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
      return agent.destroy();
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
  if (keys.some((key: JWK) => key?.d !== undefined || key?.priv !== undefined || key?.kty === "oct"))
    throw refused("its key set holds private keys");
  if (usable.length === 0) throw refused("its key set holds no key for signatures");
  return { keys: usable as JWK[] };
}

const refused = (message: string): CurtainwallError => new CurtainwallError("GATEWAY_KEYS_REFUSED", message);

/** Why the keys can't be had, in words that hold nothing of what the issuer sent. */
function reasonOf(error: unknown): string {
  if (error instanceof CurtainwallError) return error.message;
  if (error instanceof SyntaxError) return "its answer is not JSON";
  // An exception of the DOM has a number for a code.
  if (error instanceof DOMException) return "it took too long";
  return (error as { code?: string }).code ?? "it can't be reached";
}
