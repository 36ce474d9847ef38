/** How a secret is put into a request. Made by {@link bearer}, {@link basic} and the others here. */
export type Injector =
  | { readonly kind: "bearer" }
  | { readonly kind: "basic" }
  | { readonly kind: "header"; readonly name: string; readonly prefix: string }
  | { readonly kind: "query"; readonly name: string }
  | ({ readonly kind: "hmac" } & Required<HmacOptions>)
  | ({ readonly kind: "aws" } & Required<AwsSignatureOptions>)
  | ({ readonly kind: "jwt" } & Required<JwtAssertionOptions>)
  | ({ readonly kind: "client-credentials" } & ClientCredentialsOptions);

/** `Authorization: Bearer <value>` (RFC 6750 §2.1). */
export function bearer(): Injector {
  return Object.freeze({ kind: "bearer" });
}

/** `Authorization: Basic …` (RFC 7617). The value is `user:password`. */
export function basic(): Injector {
  return Object.freeze({ kind: "basic" });
}

/** A header of its own: `inHeader("X-Api-Key")`. `prefix` stands before the value, with a space if it needs one. */
export function inHeader(name: string, prefix = ""): Injector {
  return Object.freeze({ kind: "header", name, prefix });
}

/** A query key: `inQuery("key")`. Such a value ends up in the logs of whoever receives it: prefer a header if there is one. */
export function inQuery(name: string): Injector {
  return Object.freeze({ kind: "query", name });
}

/** Options of {@link hmac}. */
export interface HmacOptions {
  /** The header that gets the signature. */
  header: string;
  /** What is signed, in this order, joined by `separator`. */
  over: readonly ("method" | "path" | "target" | "timestamp" | "body" | "body-digest")[];
  /** Default `"\n"`. */
  separator?: string;
  /** Default `"sha256"`. */
  algorithm?: "sha256" | "sha384" | "sha512";
  /** Default `"hex"`. */
  encoding?: "hex" | "base64" | "base64url";
  /** What stands before the signature, like `"sha256="`. Default: nothing. */
  prefix?: string;
  /** The header that gets the time, in seconds since 1970, if `over` has it. Default `"x-timestamp"`. */
  timestampHeader?: string;
}

/** A signature over the request, with the value as its key (RFC 2104). */
export function hmac(options: HmacOptions): Injector {
  return Object.freeze({
    separator: "\n",
    algorithm: "sha256",
    encoding: "hex",
    prefix: "",
    timestampHeader: "x-timestamp",
    ...options,
    kind: "hmac",
  });
}

/** Options of {@link awsSignature}. */
export interface AwsSignatureOptions {
  region: string;
  service: string;
}

/** AWS Signature Version 4. The value is `ACCESS_KEY_ID:SECRET_ACCESS_KEY`. */
export function awsSignature(options: AwsSignatureOptions): Injector {
  return Object.freeze({ ...options, kind: "aws" });
}

/** Options of {@link jwtAssertion}. */
export interface JwtAssertionOptions {
  issuer: string;
  subject?: string;
  audience: string;
  /** Default `"ES256"`. The value is the private key, PEM (PKCS#8). */
  algorithm?: "ES256" | "RS256" | "EdDSA";
  /** Names the key to whoever checks it. Default: it is not named. */
  keyId?: string;
  /** How long one counts, in seconds, 10 to 3 600. Default 300. */
  lifetimeSeconds?: number;
}

/** A JSON Web Token, signed for each use with the value, as `Authorization: Bearer` (RFC 7519). */
export function jwtAssertion(options: JwtAssertionOptions): Injector {
  return Object.freeze({
    algorithm: "ES256",
    lifetimeSeconds: 300,
    keyId: "",
    // A contract in plain JavaScript may give nothing: that is told with its place, when the contract is read.
    subject: options?.issuer,
    ...options,
    kind: "jwt",
  });
}

/** Options of {@link clientCredentials}. */
export interface ClientCredentialsOptions {
  /** Where tokens are had. Must be https. */
  tokenUrl: string;
  scope?: string;
  /** For servers that ask for one. */
  audience?: string;
  /** How the client says who it is. Default `"basic"`. */
  authentication?: "basic" | "post";
}

/** An access token had with the value, `client_id:client_secret`, kept and renewed (RFC 6749 §4.4), as `Authorization: Bearer`. */
export function clientCredentials(options: ClientCredentialsOptions): Injector {
  return Object.freeze({ authentication: "basic", ...options, kind: "client-credentials" });
}
