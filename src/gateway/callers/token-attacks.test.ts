import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { suite, test } from "node:test";
import type { JWK } from "jose";
import { createKeySource, identity } from "../fixtures/issuer.ts";
import type { TokenVerdict } from "../types.ts";
import { createTokenVerifier } from "./token-verifier.ts";

// The attacks that are published against verifiers of JWTs: RFC 8725 §2, the CVEs of JWT libraries, and what scanners try.

const nowSeconds = 1_800_000_000;
const honestHeader = { alg: "EdDSA", typ: "at+jwt", kid: "ed" };
const honestClaims = {
  iss: identity.issuer,
  aud: identity.audience,
  sub: "alice",
  iat: nowSeconds,
  exp: nowSeconds + 300,
};

const ed = generateKeyPairSync("ed25519");
const edJwk: JWK = { ...(ed.publicKey.export({ format: "jwk" }) as JWK), kid: "ed" };
const jwkOf = (key: KeyObject, members: object): JWK => ({
  ...(key.export({ format: "jwk" }) as JWK),
  ...members,
});

const encode = (text: string | Buffer): string => Buffer.from(text).toString("base64url");

/** Signs what is written, whatever it is. */
function signText(header: string, claims: string | Buffer, key = ed.privateKey): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${encode(sign(null, Buffer.from(signed), key))}`;
}

const signed = (header: object, claims: object, key?: KeyObject): string =>
  signText(JSON.stringify(header), JSON.stringify(claims), key);

async function verify(token: string, keys: JWK[] = [edJwk], tenantClaim?: string): Promise<TokenVerdict> {
  const verifier = createTokenVerifier({
    identity: { ...identity, tenantClaim },
    keys: createKeySource(keys),
    digest: (text) => createHash("sha256").update(text).digest("base64url"),
    now: () => nowSeconds * 1000,
  });
  return verifier.verify(token);
}

async function assertRefused(
  token: string,
  reason: RegExp,
  keys?: JWK[],
  tenantClaim?: string,
): Promise<void> {
  const verdict = await verify(token, keys, tenantClaim);
  assert.equal(verdict.kind, "invalid", JSON.stringify(verdict));
  if (verdict.kind === "invalid") assert.match(verdict.reason, reason);
}

const claimsText = (more: string): string => `${JSON.stringify(honestClaims).slice(0, -1)},${more}}`;
const without = (name: keyof typeof honestClaims): object => ({ ...honestClaims, [name]: undefined });

test("the honest token of these tests passes, signed by hand", async () => {
  assert.equal((await verify(signed(honestHeader, honestClaims))).kind, "valid");
});

suite("what two readers would read in two ways is read by none", () => {
  const headerText = JSON.stringify(honestHeader).slice(0, -1);
  const texts: [string, string, string | Buffer, RegExp][] = [
    ["a header name twice", `${headerText},"alg":"EdDSA"}`, JSON.stringify(honestClaims), /header.*twice/],
    [
      "a header name twice, escaped",
      `${headerText},"\\u0061lg":"none"}`,
      JSON.stringify(honestClaims),
      /header.*twice/,
    ],
    ["two subjects", JSON.stringify(honestHeader), claimsText('"sub":"root"'), /claims.*twice/],
    [
      "two subjects, one escaped",
      JSON.stringify(honestHeader),
      claimsText('"s\\u0075b":"root"'),
      /claims.*twice/,
    ],
    ["two expiries", JSON.stringify(honestHeader), claimsText('"exp":9999999999'), /claims.*twice/],
    [
      "a name twice, deep inside",
      JSON.stringify(honestHeader),
      claimsText('"x":{"a":1,"a":2}'),
      /claims.*twice/,
    ],
    [
      "a prototype among the claims",
      JSON.stringify(honestHeader),
      claimsText('"__proto__":{"roles":["staff"]}'),
      /claims/,
    ],
    ["a number that nobody can hold", JSON.stringify(honestHeader), claimsText('"x":1e400'), /rounded/],
    [
      "a number that would be rounded",
      JSON.stringify(honestHeader),
      claimsText('"x":9007199254740993'),
      /rounded/,
    ],
    ["half of a character", JSON.stringify(honestHeader), claimsText('"x":"\\ud800"'), /claims/],
    [
      "a zero in a subject",
      JSON.stringify(honestHeader),
      JSON.stringify({ ...honestClaims, sub: "alice\0" }),
      /claims/,
    ],
    [
      "claims that are no UTF-8",
      JSON.stringify(honestHeader),
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]),
      /claims.*JSON/,
    ],
    [
      "a byte order mark",
      JSON.stringify(honestHeader),
      `\ufeff${JSON.stringify(honestClaims)}`,
      /claims.*JSON/,
    ],
    ["claims that are a list", JSON.stringify(honestHeader), JSON.stringify([honestClaims]), /no object/],
    ["claims that are null", JSON.stringify(honestHeader), "null", /no object/],
    ["a header that is a text", '"EdDSA"', JSON.stringify(honestClaims), /no object/],
  ];
  for (const [name, header, claims, reason] of texts)
    test(`${name} is refused`, async () => assertRefused(signText(header, claims), reason));

  test("a token has one spelling: the idle bits of its last letters are zero", async () => {
    const token = signed(honestHeader, honestClaims);
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let passing = 0;
    for (const letter of letters) if ((await verify(token.slice(0, -1) + letter)).kind === "valid") passing++;
    assert.equal(passing, 1);
    for (const spelled of [
      `${token}=`,
      `${token}\n`,
      ` ${token}`,
      token.replaceAll("-", "+"),
      `${token}AAAA`,
    ])
      if (spelled !== token) await assertRefused(spelled, /./);
  });
});

suite("headers", () => {
  const cases: [string, object, RegExp][] = [
    ["b64 alone (RFC 7797)", { b64: false }, /what is signed/],
    ["b64 that is harmless", { b64: true }, /what is signed/],
    ["b64 with crit", { b64: false, crit: ["b64"] }, /extension/],
    ["an empty crit", { crit: [] }, /extension/],
    ["crit of a known name", { crit: ["exp"] }, /extension/],
    ["a key's name that climbs out of a folder", { kid: "../../../../dev/null" }, /no key of the issuer/],
    ["a key's name that closes a query", { kid: "x' UNION SELECT 'secret' --" }, /no key of the issuer/],
    ["a key's name that is a command", { kid: "ed|/usr/bin/id" }, /no key of the issuer/],
    ["a key's name with a zero", { kid: "ed\0" }, /header/],
    ["a key's name that an object inherits", { kid: "constructor" }, /no key of the issuer/],
    ["a key's name in capitals", { kid: "ED" }, /no key of the issuer/],
    ["an empty name of a key", { kid: "" }, /usable form/],
    ["a list of names of keys", { kid: ["ed"] }, /usable form/],
    ["an object for the key's name", { kid: { toString: "ed" } }, /usable form/],
    ["null for the key's name", { kid: null }, /usable form/],
    ["an endless name of a key", { kid: "e".repeat(256) }, /usable form/],
    ["an algorithm in a list", { alg: ["EdDSA"] }, /./],
    ["a type that ends alike", { typ: "x/at+jwt" }, /typ/],
    ["a type with a blank", { typ: " at+jwt" }, /typ/],
    ["a type in a list", { typ: ["at+jwt"] }, /typ/],
    ["the type of a proof (RFC 9449)", { typ: "dpop+jwt" }, /typ/],
  ];
  for (const [name, header, reason] of cases)
    test(`${name} is refused`, async () =>
      assertRefused(signed({ ...honestHeader, ...header }, honestClaims), reason));

  test("an encrypted token is refused, and so is one inside another", async () => {
    await assertRefused("e30.AAAA.AAAA.AAAA.AAAA", /not a signed token/);
    const inner = signed(honestHeader, honestClaims);
    await assertRefused(
      signText(JSON.stringify({ ...honestHeader, cty: "JWT" }), inner),
      /claims are no JSON/,
    );
  });
});

suite("keys that do not fit", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const withSignature = (alg: string, kid: string, signature: Buffer): string =>
    `${encode(JSON.stringify({ ...honestHeader, alg, kid }))}.${encode(JSON.stringify(honestClaims))}.${encode(signature)}`;
  const honest = signed(honestHeader, honestClaims);

  test("a signature of zeros verifies under no curve (CVE-2022-21449)", async () => {
    const jwk = jwkOf(p256.publicKey, { kid: "ec", alg: "ES256" });
    await assertRefused(withSignature("ES256", "ec", Buffer.alloc(64)), /signature/, [jwk]);
    await assertRefused(withSignature("ES256", "ec", Buffer.from("3006020100020100", "hex")), /signature/, [
      jwk,
    ]);
    await assertRefused(withSignature("EdDSA", "ed", Buffer.alloc(64)), /signature/);
  });

  test("a key of another kind, curve or purpose is none", async () => {
    const others: JWK[] = [
      jwkOf(rsa.publicKey, { kid: "ed" }),
      jwkOf(p256.publicKey, { kid: "ed" }),
      { ...edJwk, alg: "ES256" },
      { ...edJwk, alg: "RS256" },
      { ...edJwk, use: "enc" },
      { ...edJwk, key_ops: ["sign"] },
      { ...edJwk, crv: "X25519" },
    ];
    for (const jwk of others) await assertRefused(honest, /./, [jwk]);
  });

  test("ES256 with a key of another curve, in either order, is refused", async () => {
    const text = `${encode(JSON.stringify({ ...honestHeader, alg: "ES256", kid: "ec" }))}.${encode(JSON.stringify(honestClaims))}`;
    const options = { key: p384.privateKey, dsaEncoding: "ieee-p1363" } as const;
    const token = `${text}.${encode(sign("sha256", Buffer.from(text), options))}`;
    await assertRefused(token, /no key of the issuer/, [jwkOf(p384.publicKey, { kid: "ec" })]);
    await assertRefused(token, /signature/, [jwkOf(p256.publicKey, { kid: "ec" })]);
  });

  test("two keys of one name, or none named where there are two, are no choice of ours", async () => {
    const other = jwkOf(generateKeyPairSync("ed25519").publicKey, { kid: "ed" });
    await assertRefused(honest, /several keys/, [edJwk, other]);
    const { kid: _, ...unnamed } = honestHeader;
    const token = signed(unnamed, honestClaims);
    await assertRefused(token, /several keys/, [edJwk, { ...other, kid: "other" }]);
    assert.equal((await verify(token, [edJwk])).kind, "valid", "one key needs no name");
  });
});

suite("claims in other forms than they have", () => {
  const cases: [string, object, RegExp][] = [
    ["an expiry beyond all years", { ...honestClaims, exp: 1e300 }, /expiry/],
    ["an expiry in milliseconds", { ...honestClaims, exp: (nowSeconds + 300) * 1000 }, /expiry/],
    ["an expiry that is true", { ...honestClaims, exp: true }, /./],
    ["an expiry in a list", { ...honestClaims, exp: [nowSeconds + 300] }, /./],
    ["an expiry before 1970", { ...honestClaims, exp: -1 }, /./],
    ["an issue in the future", { ...honestClaims, iat: nowSeconds + 6 }, /future/],
    ["an issue before 1970", { ...honestClaims, iat: -1 }, /time of issue/],
    ["an issue that is null", { ...honestClaims, iat: null }, /./],
    ["a beginning that is a text", { ...honestClaims, nbf: "0" }, /./],
    ["an issuer in a list", { ...honestClaims, iss: [identity.issuer] }, /iss/],
    ["an issuer in capitals", { ...honestClaims, iss: identity.issuer.toUpperCase() }, /iss/],
    ["an issuer with a port", { ...honestClaims, iss: "https://login.bakery.test:443/" }, /iss/],
    ["an issuer with a blank", { ...honestClaims, iss: `${identity.issuer} ` }, /iss/],
    ["an audience that is a part", { ...honestClaims, aud: identity.audience.slice(0, -1) }, /aud/],
    ["an audience in a list in a list", { ...honestClaims, aud: [[identity.audience]] }, /aud/],
    ["an audience beside a number", { ...honestClaims, aud: [identity.audience, 7] }, /audience/],
    ["an audience in an object", { ...honestClaims, aud: { 0: identity.audience, length: 1 } }, /aud/],
    ["no audience in a list", { ...honestClaims, aud: [] }, /aud/],
    ["a subject in a list", { ...honestClaims, sub: ["alice"] }, /subject/],
    ["a subject that is true", { ...honestClaims, sub: true }, /subject/],
    ["scopes in a list (RFC 8693 §4.2)", { ...honestClaims, scope: ["orders:read"] }, /scope/],
    ["scopes with two blanks", { ...honestClaims, scope: "orders:read  admin" }, /scope/],
    ["scopes with a line break", { ...honestClaims, scope: "orders:read\nadmin" }, /scope/],
    ["a tenant that is a number", { ...honestClaims, org: 7 }, /tenant/],
    ["a tenant in a list", { ...honestClaims, org: ["acme"] }, /tenant/],
    ["an empty tenant", { ...honestClaims, org: "" }, /tenant/],
  ];
  for (const [name, claims, reason] of cases)
    test(`${name} is refused`, async () =>
      assertRefused(signed(honestHeader, claims), reason, undefined, "org"));

  for (const name of ["iss", "aud", "sub", "iat", "exp"] as const)
    test(`a token without ${name} is refused`, async () =>
      assertRefused(signed(honestHeader, without(name)), new RegExp(name)));

  test("scopes and tenant are the caller's; an issue ahead by the tolerance, and fractions, are fine", async () => {
    const claims = { ...honestClaims, iat: nowSeconds + 4.5, scope: "orders:read admin", org: "acme" };
    assert.deepEqual(await verify(signed(honestHeader, claims), undefined, "org"), {
      kind: "valid",
      caller: { subject: "alice", roles: [], scopes: ["orders:read", "admin"], tenant: "acme" },
    });
    const plain = await verify(signed(honestHeader, claims));
    assert.ok(plain.kind === "valid" && plain.caller.tenant === undefined, "no claim is a tenant by itself");
  });

  test("a claim that objects inherit is nobody's", async () => {
    const verdict = await verify(signed(honestHeader, honestClaims), undefined, "constructor");
    assert.ok(verdict.kind === "valid" && verdict.caller.tenant === undefined);
  });
});
