import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT } from "jose";
import type { JWK } from "jose";
import { toBase64Url } from "../../shared/index.ts";
import type { DecodedToken } from "../requests/tokens.ts";

/** A token that no issuer made. */
export interface ForgedToken {
  /** What is wrong with it, for the report. */
  name: string;
  value: string;
}

const encode = (value: unknown): string => toBase64Url(new TextEncoder().encode(JSON.stringify(value)));

/** Tokens that claim to need no signature, in the spellings that verifiers have let through. */
export function unsigned({ header, parts }: DecodedToken): ForgedToken[] {
  return ["none", "None", "NONE", "nOnE"].flatMap((alg) => [
    { name: `alg "${alg}", no signature`, value: `${encode({ ...header, alg })}.${parts[1]}.` },
    {
      name: `alg "${alg}", the old signature`,
      value: `${encode({ ...header, alg })}.${parts[1]}.${parts[2]}`,
    },
  ]);
}

/**
 * Tokens signed with HMAC, keyed with the issuer's *public* key in each form that a verifier may hold it in.
 *
 * @see RFC 8725 §2.1
 */
export async function keyConfused(
  { header, parts }: DecodedToken,
  keys: readonly JWK[],
): Promise<ForgedToken[]> {
  const forged: ForgedToken[] = [];
  for (const jwk of keys) {
    if (jwk.kty !== "RSA" && jwk.kty !== "EC" && jwk.kty !== "OKP") continue;
    for (const [form, key] of await publicForms(jwk)) {
      for (const alg of ["HS256", "HS512"] as const) {
        const signed = `${encode({ ...header, alg })}.${parts[1]}`;
        forged.push({
          name: `${alg} keyed with the public key as ${form}`,
          value: `${signed}.${await hmac(alg, key, signed)}`,
        });
      }
    }
  }
  return forged;
}

async function publicForms(jwk: JWK): Promise<[string, Uint8Array][]> {
  const alg =
    jwk.alg ??
    ({ RSA: "RS256", EC: "ES256", OKP: "EdDSA" } as Record<string, string>)[jwk.kty ?? ""] ??
    "RS256";
  const key = await importJWK({ ...jwk, ext: true }, alg);
  const encoder = new TextEncoder();
  const forms: [string, Uint8Array][] = [["JWK", encoder.encode(JSON.stringify(jwk))]];
  if (key instanceof Uint8Array) return forms;
  const pem = await exportSPKI(key);
  const der = Uint8Array.fromBase64(pem.replaceAll(/-----[^-]+-----|\s/g, ""));
  forms.push(
    ["PEM", encoder.encode(pem)],
    ["PEM with a last line feed", encoder.encode(`${pem.trimEnd()}\n`)],
    ["DER", der],
  );
  return forms;
}

/** Keys a text, base64url. An empty key is none to WebCrypto, and to HMAC a block of zeros: a zero byte says the same. */
export async function hmac(alg: "HS256" | "HS512", key: Uint8Array, text: string): Promise<string> {
  const hash = alg === "HS256" ? "SHA-256" : "SHA-512";
  const imported = await crypto.subtle.importKey(
    "raw",
    (key.length === 0 ? new Uint8Array(1) : key) as Uint8Array<ArrayBuffer>,
    { name: "HMAC", hash },
    false,
    ["sign"],
  );
  return toBase64Url(
    new Uint8Array(await crypto.subtle.sign("HMAC", imported, new TextEncoder().encode(text))),
  );
}

/**
 * Tokens that the auditor signed with a key of its own: of another issuer, and in the issuer's name, offering its key along
 * with the token in each way that a careless verifier may accept.
 *
 * @see RFC 7515 §4.1.2 and §4.1.3, RFC 8725 §2.8 and §3.10
 */
export async function foreign({
  header,
  claims,
}: DecodedToken): Promise<{ otherIssuer: ForgedToken[]; sameIssuer: ForgedToken[] }> {
  const alg =
    typeof header.alg === "string" && /^(RS256|ES256|EdDSA)$/.test(header.alg) ? header.alg : "ES256";
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const typ = typeof header.typ === "string" ? { typ: header.typ } : {};
  const kid = typeof header.kid === "string" ? { kid: header.kid } : {};
  const sign = (extraHeader: object, extraClaims: object): Promise<string> =>
    new SignJWT({ ...claims, ...extraClaims })
      .setProtectedHeader({ alg, ...typ, ...extraHeader })
      .sign(privateKey);
  const attacker = "https://attacker.invalid/";
  return {
    otherIssuer: [
      { name: "of another issuer", value: await sign(kid, { iss: attacker }) },
      {
        name: "of an issuer whose name begins alike",
        value: await sign(kid, { iss: `${String(claims.iss)}.attacker.invalid/` }),
      },
      { name: "of no issuer", value: await sign(kid, { iss: undefined }) },
    ],
    sameIssuer: [
      { name: "signed with a key of ours", value: await sign(kid, {}) },
      { name: "signed with a key of ours, no kid", value: await sign({}, {}) },
      { name: "bringing its own key (jwk)", value: await sign({ ...kid, jwk }, {}) },
      {
        name: "naming its own key set (jku)",
        value: await sign({ ...kid, jku: `${attacker}jwks.json` }, {}),
      },
      { name: "with a kid that is a path", value: await sign({ kid: "../../../../../dev/null" }, {}) },
    ],
  };
}

/** Genuine tokens that were changed after they had been signed. */
export function tampered({ claims, parts }: DecodedToken, otherSubject: string): ForgedToken[] {
  const [header, payload, signature] = parts;
  const bytes = Uint8Array.fromBase64(signature, { alphabet: "base64url" });
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  return [
    { name: "one bit of the signature changed", value: `${header}.${payload}.${toBase64Url(bytes)}` },
    {
      name: "another subject under the old signature",
      value: `${header}.${encode({ ...claims, sub: otherSubject })}.${signature}`,
    },
    {
      name: "every role under the old signature",
      value: `${header}.${encode({ ...claims, roles: ["admin", "staff"], scope: "admin" })}.${signature}`,
    },
    { name: "signature cut off", value: `${header}.${payload}.` },
    {
      name: "signature of zeros",
      value: `${header}.${payload}.${toBase64Url(new Uint8Array(bytes.length))}`,
    },
  ];
}
