/** Who issues the access tokens that routes accept (RFC 9068). */
export interface IdentityOptions {
  /** The issuer's identifier: exactly the `iss` of its tokens. Its discovery document is read below this URL. */
  issuer: string;
  /** The `aud` that a token must name. */
  audience: string;
  /** Where its keys are. Default: what its discovery document says. */
  jwksUrl?: string;
  /** Signature algorithms accepted. Default `["RS256", "ES256", "EdDSA"]`. */
  algorithms?: readonly TokenAlgorithm[];
  /** The claim with a subject's roles, an array of strings. Default `"roles"`. */
  rolesClaim?: string;
  /** The claim with a subject's tenant, a text, for `tenant("…")` and limits per tenant. Default: none. */
  tenantClaim?: string;
  /** How far its clock may be from ours, in seconds, 0 to 60. Default 5. */
  clockToleranceSeconds?: number;
  /** A PEM file with the authority that signed its certificate, relative to the contract. Default: the system's. */
  caFile?: string;
  /** Allows `http://`; says why that is safe here. */
  insecureAllowHttp?: string;
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
