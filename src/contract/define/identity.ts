import type { ServiceNetwork } from "../addresses/network.ts";

/** Who issues the access tokens that routes accept (RFC 9068). */
export interface IdentityOptions {
  /** The issuer's identifier: exactly the `iss` of its tokens. Its discovery document is read below this URL. */
  issuer: string;
  /** The `aud` that a token must name. */
  audience: string;
  /** Where its keys are. Default: what its discovery document says, on the issuer's own host; keys on another one are named here. */
  jwksUrl?: string;
  /**
   * Where the addresses of the issuer, and of `jwksUrl`, must lie: a name that leads elsewhere is not followed. Default: as the name says,
   * `"public"` for most (see an upstream's `network`); an address lies where it lies.
   */
  network?: ServiceNetwork;
  /** Signature algorithms accepted. Default `["RS256", "ES256", "EdDSA"]`. */
  algorithms?: readonly TokenAlgorithm[];
  /** The claim with a subject's roles, an array of strings. Default `"roles"`. */
  rolesClaim?: string;
  /** The claim with a subject's tenant, a text, for `tenant("…")` and limits per tenant. Default: none. */
  tenantClaim?: string;
  /** How far its clock may be from ours, in seconds, 0 to 60. Default 5. */
  clockToleranceSeconds?: number;
  /**
   * Tokens that count only together with a proof that whoever sends them has the key that they were issued for (DPoP, RFC 9449): a stolen one is
   * worth nothing. `"accepted"` takes them beside bearer tokens, `"required"` takes no others. Default: no proof is checked, and a token that is
   * bound to a key is refused.
   */
  dpop?: DpopMode;
  /** A PEM file with the authority that signed its certificate, relative to the contract. Default: the system's. */
  caFile?: string;
  /** Allows `http://`; says why that is safe here. */
  insecureAllowHttp?: string;
}

/** Whether access tokens come with proofs of possession; see {@link IdentityOptions.dpop}. */
export type DpopMode = "accepted" | "required";

/** Sessions of signed-in visitors, by an opaque cookie. They are kept, and found, by whoever signs visitors in. */
export interface SessionOptions {
  /**
   * The cookie that names a session. The prefix makes browsers keep it to this host, https and the whole site, so that no neighbour's page can
   * set another. Default `"__Host-session"`.
   */
  cookie?: `__Host-${string}`;
}

/** API keys, for programs that call: each has scopes, and opens routes that ask for a {@link scope} alone. */
export interface ApiKeysOptions {
  /** Where `curtainwall api-key` keeps what is known of them, relative to the contract: their digests, no key. Read again when it changes. */
  file: string;
  /** The header that they come in: `Authorization: ApiKey …`, or `X-API-Key: …`. Default `"authorization"`. */
  header?: "authorization" | "x-api-key";
}

/** Signature algorithms for access tokens. Symmetric ones and `none` are not among them. */
export type TokenAlgorithm = "RS256" | "ES256" | "EdDSA";
