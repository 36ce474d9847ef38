import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { createLocalJWKSet, jwtVerify } from "jose";
import type { JWK } from "jose";
import { createKeySource, identity, makeKey, makeToken } from "../fixtures/issuer.ts";
import { createTokenVerifier } from "./token-verifier.ts";

// Ours beside jose's, which many others use: what ours accepts, jose accepts; what jose accepts and ours does not, ours says why.

const now = 1_800_000_000;
const all = await Promise.all(
  (["EdDSA", "ES256", "RS256"] as const).flatMap((algorithm) => [
    makeKey(algorithm, `${algorithm}-1`),
    makeKey(algorithm, `${algorithm}-2`),
  ]),
);

/** Mostly what is usual, so that most tokens have one thing wrong with them, or nothing. */
const usually = <T>(usual: T, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 30, arbitrary: fc.constant(usual) }, ...others.map((other) => fc.constant(other)));
const at = (usual: number | undefined): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 24, arbitrary: fc.constant(usual) },
    fc.integer({ min: now - 8, max: now + 8 }),
    fc.double({ min: now - 8, max: now + 8, noNaN: true }),
    fc.constantFrom(undefined, "1", true, -1, 1e300, 0),
  );

const cases = fc.record({
  signer: fc.nat(all.length - 1),
  isPublished: usually(true, false),
  published: fc.array(
    fc.record({
      key: fc.nat(all.length - 1),
      kid: usually<string | undefined>("its own", undefined, "EdDSA-1"),
      alg: usually<string | undefined>("its own", undefined, "ES256", "PS256"),
      use: usually<string | undefined>("sig", undefined, "enc"),
      operations: usually<string[] | undefined>(undefined, ["verify"], ["sign"], []),
    }),
    { maxLength: 3 },
  ),
  header: fc.record({
    typ: usually<unknown>("at+jwt", "application/at+jwt", "AT+JWT", "JWT", "x/at+jwt", 7, undefined),
    kid: usually<unknown>("its own", undefined, "EdDSA-2", "other"),
    alg: usually<unknown>("its own", "ES256", "EdDSA", "none", "HS256"),
  }),
  claims: fc.record({
    iss: usually<unknown>(identity.issuer, "https://evil.test/", [identity.issuer], undefined),
    aud: usually<unknown>(
      identity.audience,
      [identity.audience],
      ["x", identity.audience],
      ["x"],
      [],
      "x",
      undefined,
    ),
    sub: usually<unknown>("alice", "", 7, undefined),
    exp: at(now + 300),
    iat: at(now),
    nbf: at(undefined),
    roles: usually<unknown>(undefined, ["staff"], "staff"),
  }),
});

/** Refusals that jose knows nothing of. */
const stricter = /no time|future|no subject|not a list of texts|expired|several keys|no usable form/;

test("whatever a token says and whichever keys are published, ours accepts nothing that jose does not", async () => {
  const seen = { both: 0, neither: 0, stricter: 0 };
  await fc.assert(
    fc.asyncProperty(cases, async ({ signer, isPublished, published, header, claims }) => {
      const by = all[signer] as (typeof all)[number];
      const own = <T>(value: T, usual: T): T => (value === "its own" ? usual : value);
      const honest = isPublished ? [by.jwk] : [];
      const others = published.map(({ key, kid, alg, use, operations }): JWK => {
        const { jwk, algorithm } = all[key] as (typeof all)[number];
        const named = own<string | undefined>(kid, jwk.kid);
        const of = own<string | undefined>(alg, algorithm);
        const { kid: _kid, alg: _alg, use: _use, ...rest } = jwk;
        return {
          ...rest,
          ...(named === undefined ? {} : { kid: named }),
          ...(of === undefined ? {} : { alg: of }),
          ...(use === undefined ? {} : { use }),
          ...(operations === undefined ? {} : { key_ops: operations }),
        };
      });
      const keys = [...honest, ...others];
      const signed = await makeToken(by, { claims, now });
      const parts = signed.split(".");
      const ownHeader = {
        alg: own(header.alg, by.algorithm),
        typ: header.typ,
        kid: own(header.kid, by.jwk.kid),
      };
      const [first, signature] = await signAnew(by, ownHeader, parts[1] as string);
      const token = `${first}.${parts[1]}.${signature}`;
      const source = createKeySource(keys);
      source.published = keys;
      const verdict = await createTokenVerifier({
        identity,
        keys: source,
        digest: (text) => createHash("sha256").update(text).digest("base64url"),
        now: () => now * 1000,
      }).verify(token);
      const theirs = await jwtVerify(token, createLocalJWKSet({ keys }), {
        issuer: identity.issuer,
        audience: identity.audience,
        algorithms: [...identity.algorithms],
        typ: "at+jwt",
        requiredClaims: ["iss", "aud", "sub", "exp", "iat"],
        clockTolerance: identity.clockToleranceSeconds,
        currentDate: new Date(now * 1000),
      }).then(
        () => true,
        () => false,
      );
      if (verdict.kind === "valid") {
        assert.ok(theirs, "ours accepted what jose refuses");
        seen.both++;
      } else if (theirs) {
        assert.match(verdict.kind === "invalid" ? verdict.reason : "", stricter);
        seen.stricter++;
      } else seen.neither++;
    }),
    { numRuns: 1500 },
  );
  // Otherwise it would have compared nothing.
  assert.ok(seen.both > 50 && seen.neither > 200, JSON.stringify(seen));
});

/** The header as given, and a signature by this key of it and the claims. */
async function signAnew(
  { algorithm, privateKey }: (typeof all)[number],
  header: object,
  claims: string,
): Promise<[header: string, signature: string]> {
  const first = Buffer.from(JSON.stringify(header)).toString("base64url");
  const means =
    algorithm === "EdDSA"
      ? { name: "Ed25519" }
      : algorithm === "ES256"
        ? { name: "ECDSA", hash: "SHA-256" }
        : { name: "RSASSA-PKCS1-v1_5" };
  const bytes = await crypto.subtle.sign(means, privateKey, Buffer.from(`${first}.${claims}`));
  return [first, Buffer.from(bytes).toString("base64url")];
}
