import { toBase64Url } from "../../shared/index.ts";
import type { ForgedToken } from "./forge.ts";
import type { TokenSigner } from "../plan/plan.ts";
import type { DecodedToken } from "../requests/tokens.ts";

type Members = Readonly<Record<string, unknown>>;

/** A token that its issuer signed, wrong in one thing: header and claims as texts, since some hold a name twice. */
interface IssuedToken {
  name: string;
  header: string;
  claims: string;
}

const encode = (text: string): string => toBase64Url(new TextEncoder().encode(text));

/** Signs header and claims with the issuer's key, as {@link TokenSigner} does. */
async function signed(sign: TokenSigner, header: string, claims: string): Promise<string> {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${await sign(text)}`;
}

/** The same token under a new signature: what must be accepted, else nothing that the signer signs shows anything. */
export const signedAnew = (sign: TokenSigner, { header, claims }: DecodedToken): Promise<string> =>
  signed(sign, JSON.stringify(header), JSON.stringify(claims));

/**
 * Tokens that only their issuer could have signed, each of them no access token for this API, in this minute, that every reader would understand alike.
 *
 * @param toleranceSeconds how far the target's clock may be off: what is out of time is so by little more
 * @see RFC 9068 §4, RFC 7515 §4 and §4.1.11, RFC 7519 §4.1, RFC 7797 §7, RFC 8705 §3.1, RFC 9449 §7.1
 */
export async function issuedWrong(
  { header, claims }: DecodedToken,
  sign: TokenSigner,
  nowMs: number,
  toleranceSeconds: number,
): Promise<ForgedToken[]> {
  const tokens = [
    ...wrongHeaders(header).map((token) => ({ ...token, claims: JSON.stringify(claims) })),
    ...wrongClaims(claims, Math.floor(nowMs / 1000), toleranceSeconds + marginSeconds).map((token) => ({
      ...token,
      header: JSON.stringify(header),
    })),
    {
      name: "around another token (cty JWT)",
      header: JSON.stringify({ ...header, cty: "JWT" }),
      claims: JSON.stringify(`${encode(JSON.stringify(header))}.${encode(JSON.stringify(claims))}.`),
    },
  ] satisfies IssuedToken[];
  return Promise.all(
    tokens.map(async (token) => ({
      name: `issued, ${token.name}`,
      value: await signed(sign, token.header, token.claims),
    })),
  );
}

function wrongHeaders(header: Members): Omit<IssuedToken, "claims">[] {
  const { typ, ...untyped } = header;
  // An issuer whose access tokens say no more than that they are JWTs can't have them told from its ID tokens by this.
  const asked = typeof typ === "string" && /at\+jwt$/i.test(typ);
  const types: [string, unknown][] = [
    ['with typ "logout+jwt"', "logout+jwt"],
    ['with typ "dpop+jwt"', "dpop+jwt"],
    ...(asked
      ? ([
          ['with typ "JWT", as an ID token has', "JWT"],
          ["with a typ that is a list", [typ]],
        ] as [string, unknown][])
      : []),
  ];
  const json = (value: Members): string => JSON.stringify(value);
  return [
    ...types.map(([name, value]) => ({ name, header: json({ ...header, typ: value }) })),
    ...(asked ? [{ name: "without typ", header: json(untyped) }] : []),
    { name: "with an unknown extension (crit)", header: json({ ...header, crit: ["x-cw"], "x-cw": true }) },
    { name: "with an empty crit", header: json({ ...header, crit: [] }) },
    { name: "with b64 false", header: json({ ...header, b64: false, crit: ["b64"] }) },
    // Who reads the first of two names reads another token than who reads the last.
    ...(asked ? [{ name: "with typ twice", header: twice(header, "typ", "JWT") }] : []),
  ];
}

/** Clocks of two machines, and what a request takes. */
const marginSeconds = 60;

function wrongClaims(claims: Members, now: number, beyond: number): Omit<IssuedToken, "header">[] {
  const { iss, aud } = claims;
  const issuer = String(iss);
  const audience = String(Array.isArray(aud) ? aud[0] : aud);
  const wrong: [string, Members][] = [
    ["without exp", { exp: undefined }],
    ["with an exp that is a text", { exp: String(now + 600) }],
    ["expired", { exp: now - beyond, iat: now - beyond - 600, nbf: undefined }],
    ["not valid yet (nbf)", { nbf: now + beyond }],
    ["without iss", { iss: undefined }],
    ["with a slash more or less in iss", { iss: issuer.endsWith("/") ? issuer.slice(0, -1) : `${issuer}/` }],
    ["with iss in capitals", { iss: issuer.toUpperCase() }],
    ["with iss as a list", { iss: [issuer] }],
    ["without aud", { aud: undefined }],
    ["with an empty aud", { aud: [] }],
    ["with aud of others alone", { aud: ["https://one.invalid", "https://two.invalid"] }],
    ["with an aud that begins alike", { aud: `${audience}.attacker.invalid` }],
    ["with aud in capitals", { aud: audience.toUpperCase() }],
    ["with aud in a list in a list", { aud: [[audience]] }],
    ["without sub", { sub: undefined }],
    ["with sub as a list", { sub: [claims.sub] }],
    ["bound to a key that is not shown (cnf)", { cnf: { jkt: "A".repeat(43) } }],
    ["bound to a certificate that is not shown (cnf)", { cnf: { "x5t#S256": "A".repeat(43) } }],
  ];
  return [
    ...wrong.map(([name, change]) => ({ name, claims: JSON.stringify({ ...claims, ...change }) })),
    { name: "with exp twice", claims: twice(claims, "exp", now - beyond) },
  ];
}

/** An object whose last member stands in it already, with another value. */
function twice(value: Members, name: string, last: unknown): string {
  return `${JSON.stringify(value).slice(0, -1)},${JSON.stringify(name)}:${JSON.stringify(last)}}`;
}
