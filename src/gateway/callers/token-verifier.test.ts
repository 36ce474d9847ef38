import assert from "node:assert/strict";
import { createHash, createHmac, generateKeyPairSync, sign } from "node:crypto";
import { suite, test } from "node:test";
import fc from "fast-check";
import { exportSPKI } from "jose";
import { createKeySource, identity, makeKey, makeToken } from "../fixtures/issuer.ts";
import type { IssuerKey, TestKeySource, TokenParts } from "../fixtures/issuer.ts";
import { createTokenVerifier } from "./token-verifier.ts";
import type { TokenVerdict, TokenVerifier } from "../types.ts";

const ed = await makeKey("EdDSA", "ed");
const ec = await makeKey("ES256", "ec");
const rsa = await makeKey("RS256", "rsa");
const stranger = await makeKey("EdDSA", "ed");
const nowSeconds = 1_800_000_000;

interface Bench {
  verifier: TokenVerifier;
  keys: TestKeySource;
  clock: { seconds: number };
  digests: string[];
  verify(token: string): Promise<TokenVerdict>;
}

function open(options: { maxCached?: number; algorithms?: typeof identity.algorithms } = {}): Bench {
  const keys = createKeySource([ed.jwk, ec.jwk, rsa.jwk]);
  const clock = { seconds: nowSeconds };
  const digests: string[] = [];
  const { algorithms = identity.algorithms, ...others } = options;
  const verifier = createTokenVerifier({
    identity: { ...identity, algorithms },
    keys,
    digest: (token) => {
      digests.push(token);
      return createHash("sha256").update(token).digest("base64url");
    },
    now: () => clock.seconds * 1000,
    ...others,
  });
  return { verifier, keys, clock, digests, verify: async (token) => verifier.verify(token) };
}

/** Counts the signatures that are looked at from now on. */
function countVerifications(source: TestKeySource): () => number {
  let count = 0;
  const { current } = source;
  source.current = () => {
    const issuerKeys = current();
    return (
      issuerKeys && {
        ...issuerKeys,
        keys: issuerKeys.keys.map((key) => ({
          ...key,
          verify(signed, signature) {
            count++;
            return key.verify(signed, signature);
          },
        })),
      }
    );
  };
  return () => count;
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const claims = {
  iss: identity.issuer,
  aud: identity.audience,
  sub: "alice",
  iat: nowSeconds,
  exp: nowSeconds + 300,
};

async function assertInvalid(token: string, reason?: RegExp, bench = open()): Promise<void> {
  const verdict = await bench.verify(token);
  assert.equal(verdict.kind, "invalid", JSON.stringify(verdict));
  if (reason !== undefined && verdict.kind === "invalid") assert.match(verdict.reason, reason);
  // Refused again: no refusal is remembered as a pass.
  assert.equal((await bench.verify(token)).kind, "invalid");
}

suite("honest tokens", () => {
  for (const key of [ed, ec, rsa])
    test(`a token signed with ${key.algorithm} tells who calls`, async () => {
      const verdict = await open().verify(await makeToken(key, { claims: { roles: ["staff"] } }));
      assert.deepEqual(verdict, { kind: "valid", caller: { subject: "alice", roles: ["staff"] } });
    });

  test("several audiences, the long type name (RFC 9068 §4), and no roles are fine", async () => {
    const { verify } = open();
    for (const parts of [
      { claims: { aud: ["https://other.test", identity.audience] } },
      { header: { typ: "application/at+jwt" } },
      { header: { typ: "AT+JWT" } },
      { claims: { roles: undefined } },
    ])
      assert.equal((await verify(await makeToken(ed, parts))).kind, "valid");
  });

  test("a clock may be off by the tolerance, at either end", async () => {
    const { verify } = open();
    assert.equal((await verify(await makeToken(ed, { claims: { exp: nowSeconds - 4 } }))).kind, "valid");
    assert.equal((await verify(await makeToken(ed, { claims: { nbf: nowSeconds + 5 } }))).kind, "valid");
  });
});

suite("attacks on the signature (RFC 8725)", () => {
  test("alg none, in any spelling, with or without a signature (§3.1)", async () => {
    for (const alg of ["none", "None", "NONE", "nOnE", ""])
      for (const signature of ["", "AAAA"])
        await assertInvalid(`${encode({ alg, typ: "at+jwt", kid: "ed" })}.${encode(claims)}.${signature}`);
  });

  test("a public key used as an HMAC secret (§2.1)", async () => {
    const secrets = [
      Buffer.from(await exportSPKI(rsa.publicKey)),
      Buffer.from((await exportSPKI(rsa.publicKey)).trim()),
      Buffer.from(JSON.stringify(rsa.jwk)),
      Buffer.from(ed.jwk.x ?? "", "base64url"),
      Buffer.from(rsa.jwk.n ?? "", "base64url"),
      Buffer.alloc(0),
    ];
    for (const alg of ["HS256", "HS384", "HS512"])
      for (const secret of secrets) {
        const signed = `${encode({ alg, typ: "at+jwt", kid: "rsa" })}.${encode(claims)}`;
        const mac = createHmac(alg.replace("HS", "sha"), secret).update(signed).digest("base64url");
        await assertInvalid(`${signed}.${mac}`, /algorithm/);
      }
  });

  test("an algorithm that the contract does not name, though the key could", async () => {
    await assertInvalid(await makeToken(rsa), /algorithm/, open({ algorithms: ["ES256"] }));
    const pss: IssuerKey = await makeKey("PS256", "pss");
    const bench = open();
    bench.keys.set([pss.jwk]);
    await assertInvalid(await makeToken(pss), /algorithm/, bench);
  });

  test("a key of the attacker's, named, embedded or linked in the header (§3.10)", async () => {
    await assertInvalid(await makeToken(stranger), /signature/);
    for (const header of [
      { jwk: stranger.jwk },
      { jku: "https://evil.test/jwks" },
      { x5u: "https://evil.test/cert" },
      { x5c: ["MIIB"] },
    ] as TokenParts["header"][])
      await assertInvalid(await makeToken(stranger, { header: header ?? {} }));
    // The honest issuer's token is not refused for such a header; it is ignored.
    assert.equal(
      (await open().verify(await makeToken(ed, { header: { jku: "https://evil.test" } }))).kind,
      "valid",
    );
  });

  test("a critical extension that nobody understands (RFC 7515 §4.1.11)", async () => {
    const signed = await makeToken(ed);
    const [, payload, signature] = signed.split(".");
    for (const crit of [["canary"], [], ["b64"], "exp"])
      await assertInvalid(
        `${encode({ alg: "EdDSA", typ: "at+jwt", kid: "ed", crit, canary: 1 })}.${payload}.${signature}`,
      );
  });

  test("one bit changed anywhere", async () => {
    const token = await makeToken(ed);
    const bench = open();
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.integer({ min: 0, max: 6 }), async (at, bit) => {
        const changed =
          token.slice(0, at) + String.fromCharCode(token.charCodeAt(at) ^ (1 << bit)) + token.slice(at + 1);
        // The last character of an Ed25519 signature holds four bits that mean nothing.
        if (at !== token.length - 1) assert.notEqual((await bench.verify(changed)).kind, "valid");
      }),
      { numRuns: 300 },
    );
  });

  test("parts of two honest tokens put together", async () => {
    const mine = (await makeToken(ed)).split(".");
    const theirs = (await makeToken(ed, { claims: { sub: "bob" } })).split(".");
    await assertInvalid([mine[0], theirs[1], mine[2]].join("."), /signature/);
  });

  test("no token at all, an encrypted one, nested dots, megabytes", async () => {
    for (const token of [
      "",
      ".",
      "..",
      "a.b",
      "a.b.c",
      "a.b.c.d.e",
      `${await makeToken(ed)}.`,
      "\u0000.\u0000.\u0000",
    ])
      await assertInvalid(token);
    const bench = open();
    await assertInvalid("a".repeat(8193), /too long/, bench);
    assert.deepEqual(bench.digests, []);
    const large = await makeToken(ed, { claims: { padding: "x".repeat(8000) } });
    await assertInvalid(large, /too long/);
  });

  test("whatever it is, it is a refusal and not an exception", async () => {
    const { verify } = open();
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc
            .tuple(fc.json(), fc.json(), fc.string())
            .map((parts) => parts.map((part) => Buffer.from(part).toString("base64url")).join(".")),
        ),
        async (token) => assert.equal((await verify(token)).kind, "invalid"),
      ),
    );
  });
});

suite("attacks with a good signature", () => {
  const cases: [string, TokenParts, RegExp][] = [
    ["an ID token", { header: { typ: "JWT" } }, /typ/],
    ["a token without a type", { header: { typ: undefined as unknown as string } }, /typ/],
    ["a logout token", { header: { typ: "logout+jwt" } }, /typ/],
    ["another issuer", { claims: { iss: "https://evil.test/" } }, /iss/],
    ["an issuer without its slash", { claims: { iss: "https://login.bakery.test" } }, /iss/],
    ["another audience", { claims: { aud: "https://other.test" } }, /aud/],
    ["an audience that begins alike", { claims: { aud: `${identity.audience}/admin` } }, /aud/],
    ["no audience", { claims: { aud: undefined } }, /aud/],
    ["no subject", { claims: { sub: undefined } }, /sub/],
    ["an empty subject", { claims: { sub: "" } }, /subject/],
    ["a subject that is a number", { claims: { sub: 7 } }, /sub/],
    ["an endless subject", { claims: { sub: "a".repeat(256) } }, /subject/],
    ["no expiry", { claims: { exp: undefined } }, /exp/],
    ["an expiry that is a text", { claims: { exp: "2999" } }, /exp/],
    ["no time of issue", { claims: { iat: undefined } }, /iat/],
    ["an expiry in the past", { claims: { exp: nowSeconds - 6 } }, /expired/],
    ["a beginning in the future", { claims: { nbf: nowSeconds + 6 } }, /nbf/],
    ["roles in one text", { claims: { roles: "staff admin" } }, /roles/],
    ["roles that are no texts", { claims: { roles: [["staff"]] } }, /roles/],
  ];
  for (const [name, parts, reason] of cases)
    test(`${name} is refused`, async () => assertInvalid(await makeToken(ed, parts), reason));

  test("the reason for the log holds nothing of the token", async () => {
    const { verify } = open();
    const canary = "c4n4ry";
    for (const parts of [
      { claims: { iss: canary } },
      { claims: { aud: canary } },
      { header: { typ: canary } },
      { header: { kid: canary } },
      { header: { crit: [canary], [canary]: 1 } },
    ] as TokenParts[]) {
      const verdict = await verify(await makeToken(ed, parts).catch(() => canary));
      assert.equal(verdict.kind, "invalid");
      assert.ok(!JSON.stringify(verdict).includes(canary), JSON.stringify(verdict));
    }
  });
});

suite("keys that change", () => {
  test("an unknown key is asked for once, and the token passes if the issuer has it", async () => {
    const next = await makeKey("EdDSA", "next");
    const bench = open();
    bench.keys.published = [ed.jwk, next.jwk];
    assert.equal((await bench.verify(await makeToken(next))).kind, "valid");
    assert.equal(bench.keys.refreshes, 1);
    const unknown = await makeKey("EdDSA", "unknown");
    assert.equal((await bench.verify(await makeToken(unknown))).kind, "invalid");
    assert.equal(bench.keys.refreshes, 2);
  });

  test("a forged signature under a known key asks the issuer for nothing", async () => {
    const bench = open();
    await assertInvalid(await makeToken(stranger), /signature/, bench);
    assert.equal(bench.keys.refreshes, 0);
  });

  test("a token remembered is checked anew once the keys change, and a withdrawn key ends it", async () => {
    const bench = open();
    const token = await makeToken(ed);
    assert.equal((await bench.verify(token)).kind, "valid");
    bench.keys.set([ed.jwk]);
    assert.equal((await bench.verify(token)).kind, "valid");
    bench.keys.published = [ec.jwk];
    bench.keys.set([ec.jwk]);
    assert.equal((await bench.verify(token)).kind, "invalid");
  });

  test("without keys nothing passes, what was remembered included", async () => {
    const bench = open();
    const token = await makeToken(ed);
    assert.equal((await bench.verify(token)).kind, "valid");
    bench.keys.set(undefined);
    assert.equal((await bench.verify(token)).kind, "unavailable");
    assert.equal((await bench.verify(await makeToken(stranger))).kind, "unavailable");
  });

  test("keys that are broken refuse, and break nothing", async () => {
    const bench = open();
    bench.keys.set([{ kty: "OKP", crv: "Ed25519", x: "AA", kid: "ed", alg: "EdDSA" }]);
    assert.equal((await bench.verify(await makeToken(ed))).kind, "invalid");
  });

  test("an RSA key of fewer than 2048 bits verifies nothing (RFC 7518 §3.3)", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const bench = open();
    bench.keys.set([{ ...publicKey.export({ format: "jwk" }), kid: "rsa", alg: "RS256" }]);
    const signed = `${encode({ alg: "RS256", typ: "at+jwt", kid: "rsa" })}.${encode(claims)}`;
    const signature = sign("sha256", Buffer.from(signed), privateKey).toString("base64url");
    assert.equal((await bench.verify(`${signed}.${signature}`)).kind, "invalid");
  });

  test("an RSA key whose exponent is 1, under which every text signs itself, verifies nothing; nor does an even one", async () => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const bench = open();
    const signed = `${encode({ alg: "RS256", typ: "at+jwt", kid: "rsa" })}.${encode(claims)}`;
    const digestInfo = Buffer.from("3031300d060960864801650304020105000420", "hex");
    const hashed = Buffer.concat([digestInfo, createHash("sha256").update(signed).digest()]);
    const padding = Buffer.alloc(256 - 3 - hashed.length, 0xff);
    // What anybody can write down who has read RFC 8017 §9.2: to the power of 1 it is what it should be.
    const forged = Buffer.concat([Buffer.of(0, 1), padding, Buffer.of(0), hashed]);
    for (const e of ["AQ", "Ag", "AAAB"]) {
      bench.keys.set([{ ...publicKey.export({ format: "jwk" }), e, kid: "rsa", alg: "RS256" }]);
      const token = `${signed}.${forged.toString("base64url")}`;
      assert.equal((await bench.verify(token)).kind, "invalid", e);
    }
  });

  test("an RSA key whose exponent is 3 verifies", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 3 });
    const bench = open();
    bench.keys.set([{ ...publicKey.export({ format: "jwk" }), kid: "rsa", alg: "RS256" }]);
    const signed = `${encode({ alg: "RS256", typ: "at+jwt", kid: "rsa" })}.${encode(claims)}`;
    const signature = sign("sha256", Buffer.from(signed), privateKey).toString("base64url");
    assert.equal((await bench.verify(`${signed}.${signature}`)).kind, "valid");
  });
});

suite("what is remembered", () => {
  test("a token that was verified is answered at once, until the moment that it expires", async () => {
    const bench = open();
    const token = await makeToken(ed, { claims: { exp: nowSeconds + 60 } });
    const first = bench.verifier.verify(token);
    assert.ok(!(first instanceof Promise) && first.kind === "valid");
    const atOnce = bench.verifier.verify(token);
    assert.ok(!(atOnce instanceof Promise) && atOnce.kind === "valid");
    bench.clock.seconds = nowSeconds + 64;
    assert.equal((await bench.verify(token)).kind, "valid");
    bench.clock.seconds = nowSeconds + 65;
    assert.equal((await bench.verify(token)).kind, "invalid");
  });

  test("a connection's last token needs no digest again, and every check of it but that", async () => {
    const bench = open();
    const [token, other] = await Promise.all([
      makeToken(ed, { claims: { exp: nowSeconds + 60 } }),
      makeToken(stranger),
    ]);
    const connection = {};
    const verify = async (text: string): Promise<string> =>
      (await bench.verifier.verify(text, connection)).kind;
    for (let count = 0; count < 5; count++) assert.equal(await verify(token), "valid");
    assert.equal(bench.digests.length, 2, "the first time, and once to find it again");
    assert.equal(await verify(other), "invalid", "another token is another matter");
    assert.equal(await verify(`${token}x`), "invalid");
    assert.equal(await verify(token), "valid");
    bench.keys.set([stranger.jwk]);
    assert.equal(await verify(token), "invalid", "its key is no longer the issuer's");
    bench.keys.set([ed.jwk]);
    assert.equal(await verify(token), "valid");
    bench.clock.seconds = nowSeconds + 65;
    assert.equal(await verify(token), "invalid", "it has expired");
  });

  test("a clock set back makes a remembered token of the future wait again", async () => {
    const bench = open();
    const token = await makeToken(ed, { claims: { nbf: nowSeconds } });
    assert.equal((await bench.verify(token)).kind, "valid");
    bench.clock.seconds = nowSeconds - 60;
    assert.equal((await bench.verify(token)).kind, "invalid");
  });

  test("requests that bring one new token at once share one verification", async () => {
    const bench = open();
    const verifications = countVerifications(bench.keys);
    const token = await makeToken(ed);
    const asked = Array.from({ length: 20 }, () => bench.verify(token));
    assert.ok((await Promise.all(asked)).every(({ kind }) => kind === "valid"));
    assert.equal(verifications(), 1);
  });

  test("no more tokens are remembered than allowed; the oldest is verified again", async () => {
    const bench = open({ maxCached: 2 });
    const tokens = await Promise.all(["a", "b", "c"].map((sub) => makeToken(ed, { claims: { sub } })));
    const verifications = countVerifications(bench.keys);
    for (const token of tokens) await bench.verify(token);
    assert.equal(verifications(), 3);
    for (const token of tokens.slice(1)) await bench.verify(token);
    assert.equal(verifications(), 3);
    await bench.verify(tokens[0] as string);
    assert.equal(verifications(), 4);
  });
});
