import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { suite, test } from "node:test";
import fc from "fast-check";
import { calculateJwkThumbprint } from "jose";
import type { JWK } from "jose";
import { z } from "zod";
import { defineStack, parseContract, signedIn, upstream } from "../../../contract/index.ts";
import type { DpopMode, SecurityEvent } from "../../../contract/index.ts";
import { callGateway, origin } from "../../fixtures/bakery.ts";
import type { Reply } from "../../fixtures/bakery.ts";
import { createKeySource, identity, makeKey, makeToken } from "../../fixtures/issuer.ts";
import { digestOf, makeProver } from "../../fixtures/prover.ts";
import type { Prover, ProofParts } from "../../fixtures/prover.ts";
import { createGateway } from "../../gateway.ts";
import { createLimitMemory, createLimitStore } from "../../limits/rate-limit.ts";
import { createTokenVerifier } from "../token-verifier.ts";
import { createProofMemory } from "./proof-memory.ts";
import type { ProofMemory } from "./proof-memory.ts";
import { createProofVerifier } from "./proof-verifier.ts";

const issuer = await makeKey("EdDSA", "k1");
const alice = await makeProver();
const ed = await makeProver("EdDSA");
const thief = await makeProver();
const second = 1_800_000_000;
const path = "/api/me";
const htu = origin + path;

interface Opened {
  readonly clock: { seconds: number };
  readonly events: SecurityEvent[];
  /** A token that is bound to a client's key; undefined: to none. */
  token(prover?: Prover, claims?: object): Promise<string>;
  ask(headers: Record<string, string>, method?: string, target?: string): Promise<Reply>;
  /** An honest request, but for what is given. */
  asks(prover: Prover, token: string, parts?: Partial<ProofParts>): Promise<Reply>;
  reason(): unknown;
}

interface Options {
  mode?: DpopMode | undefined;
  memory?: ProofMemory;
}

function open({ mode = "accepted", memory }: Options = {}): Opened {
  const clock = { seconds: second };
  const events: SecurityEvent[] = [];
  const now = (): number => clock.seconds * 1000;
  const route = {
    access: signedIn,
    limit: "6000/min per client",
    to: "shop",
    response: z.object({}),
  } as const;
  const contract = parseContract(
    defineStack({
      origin,
      identity: { issuer: identity.issuer, audience: identity.audience, dpop: mode },
      upstreams: { shop: upstream({ url: "https://shop.bakery.test" }) },
      routes: { "GET /api/me": route, "GET /api/a~b": route },
    }),
  );
  const gateway = createGateway({
    contract,
    limits: createLimitStore(createLimitMemory({ now: now() })),
    tokens: createTokenVerifier({
      identity: { ...identity, dpop: mode },
      keys: createKeySource([issuer.jwk]),
      digest: digestOf,
      now,
    }),
    proofs: createProofVerifier({
      origin,
      memory: memory ?? createProofMemory({ slots: 1024, windowSeconds: 65, now: now() - 3_600_000 }),
      now,
    }),
    events: (event) => events.push(event),
    now,
    destinations: new Map([["shop", (_request, done) => done({ kind: "answer", status: 200, value: {} })]]),
  });
  const opened: Opened = {
    clock,
    events,
    token: (prover, claims = {}) =>
      makeToken(issuer, {
        now: clock.seconds,
        claims: { ...(prover === undefined ? {} : { cnf: { jkt: prover.thumbprint } }), ...claims },
      }),
    ask: (headers, method = "GET", target = path) => callGateway(gateway, { method, target, headers }),
    async asks(prover, token, parts = {}) {
      const dpop = await prover.prove({ now: clock.seconds, htu, token, ...parts });
      return opened.ask({ authorization: `DPoP ${token}`, dpop }, parts.method);
    },
    reason: () => (events.at(-1) as { reason?: unknown } | undefined)?.reason,
  };
  return opened;
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

suite("A token that is bound to a key", () => {
  test("counts with a proof of that key, once for each proof", async () => {
    const gate = open();
    for (const prover of [alice, ed]) {
      const token = await gate.token(prover);
      assert.equal((await gate.asks(prover, token)).status, 200);
      const dpop = await prover.prove({ now: second, htu, token });
      assert.equal((await gate.ask({ authorization: `DPoP ${token}`, dpop })).status, 200);
      const again = await gate.ask({ authorization: `dpop ${token}`, dpop });
      assert.equal(again.status, 401);
      assert.equal(
        again.header("www-authenticate"),
        'DPoP error="invalid_dpop_proof", error_description="The proof does not hold", algs="ES256 EdDSA Ed25519"',
      );
      assert.match(String(gate.reason()), /used before/);
    }
    const head = await gate.token(alice);
    assert.equal((await gate.asks(alice, head, { method: "HEAD" })).status, 200);
  });

  test("is worth nothing without the key: as a bearer token, without a proof, with a thief's", async () => {
    const gate = open();
    const token = await gate.token(alice);
    assert.equal((await gate.ask({ authorization: `Bearer ${token}` })).status, 401);
    assert.match(String(gate.reason()), /came as a bearer token/);
    assert.equal((await gate.ask({ authorization: `DPoP ${token}` })).status, 401);
    assert.match(String(gate.reason()), /no proof/);
    assert.equal((await gate.asks(thief, token)).status, 401);
    assert.match(String(gate.reason()), /key is not the token's/);
    // With the honest key shown, and signed by another.
    assert.equal((await gate.asks(thief, token, { header: { jwk: alice.jwk } })).status, 401);
    assert.match(String(gate.reason()), /signature is wrong/);
  });

  test("is refused where the contract asks for no proofs, and so is one that is bound to anything else", async () => {
    const gate = open();
    const tokens = createTokenVerifier({
      identity,
      keys: createKeySource([issuer.jwk]),
      digest: digestOf,
      now: () => second * 1000,
    });
    const verdict = await tokens.verify(await gate.token(alice));
    assert.match(verdict.kind === "invalid" ? verdict.reason : "", /no proofs are checked/);
    const jkt = alice.thumbprint;
    for (const cnf of [
      { "x5t#S256": "a".repeat(43) },
      { jkt, "x5t#S256": "a".repeat(43) },
      { jwk: alice.jwk },
      { jkt: `${jkt}=` },
      { jkt: [jkt] },
      { jkt: "" },
      {},
      [],
      "",
      null,
      jkt,
    ]) {
      const token = await gate.token(undefined, { cnf });
      assert.equal((await gate.asks(alice, token)).status, 401, JSON.stringify(cnf));
      assert.match(String(gate.reason()), /bound to/);
      assert.equal((await gate.ask({ authorization: `Bearer ${token}` })).status, 401, JSON.stringify(cnf));
    }
  });
});

suite("A token that is bound to no key", () => {
  test("is a bearer token where those are accepted, and never more than that", async () => {
    const gate = open();
    const token = await gate.token();
    assert.equal((await gate.ask({ authorization: `Bearer ${token}` })).status, 200);
    assert.equal((await gate.asks(alice, token)).status, 401);
    assert.match(String(gate.reason()), /bound to no key/);
    const dpop = await alice.prove({ now: second, htu, token });
    assert.equal((await gate.ask({ authorization: `Bearer ${token}`, dpop })).status, 401);
    assert.match(String(gate.reason()), /proof came with a bearer token/);
    assert.equal((await gate.ask({})).header("www-authenticate"), 'Bearer, DPoP algs="ES256 EdDSA Ed25519"');
  });

  test("is none where proofs are required", async () => {
    const gate = open({ mode: "required" });
    assert.equal((await gate.ask({ authorization: `Bearer ${await gate.token()}` })).status, 401);
    assert.equal((await gate.asks(alice, await gate.token())).status, 401);
    assert.equal((await gate.asks(alice, await gate.token(alice))).status, 200);
    assert.equal((await gate.ask({})).header("www-authenticate"), 'DPoP algs="ES256 EdDSA Ed25519"');
  });
});

suite("A proof", () => {
  const refused: Record<string, Partial<ProofParts>> = {
    "of another method": { claims: { htm: "POST" } },
    "of the method in small letters": { claims: { htm: "get" } },
    "of no method": { claims: { htm: undefined } },
    "of another address": { htu: `${origin}/api/a~b` },
    "of another host": { htu: `https://evil.test${path}` },
    "of no address": { claims: { htu: undefined } },
    "of another token": { token: "another" },
    "of no token": { claims: { ath: undefined } },
    "with the token's digest in capitals": { claims: { ath: "A".repeat(43) } },
    "of a minute and a little ago": { now: second - 65 },
    "of the future": { now: second + 6 },
    "of no time": { claims: { iat: undefined } },
    "of a time that is a text": { claims: { iat: String(second) } },
    "of a time that is endless": { claims: { iat: 1e300 } },
    "without a name": { claims: { jti: undefined } },
    "with an empty name": { claims: { jti: "" } },
    "with a name that is a number": { claims: { jti: 7 } },
    "with a name of 256 letters": { claims: { jti: "a".repeat(256) } },
    "with a name of a million letters": { claims: { jti: "a".repeat(1_000_000) } },
    "of type JWT": { header: { typ: "JWT" } },
    "of an access token's type": { header: { typ: "at+jwt" } },
    "of its type with the whole media type": { header: { typ: "application/dpop+jwt" } },
    "of its type in capitals": { header: { typ: "DPOP+JWT" } },
    "of no type": { header: { typ: undefined } },
    "that shows no key": { header: { jwk: undefined } },
    "that shows a list of keys": { header: { jwk: [alice.jwk] } },
    "that shows a private key": { header: { jwk: { ...alice.jwk, d: "A".repeat(43) } } },
    "that shows a symmetric key besides": { header: { jwk: { ...alice.jwk, k: "A".repeat(43) } } },
    "that shows a key in another spelling": { header: { jwk: { ...alice.jwk, x: `${alice.jwk.x}=` } } },
    "that shows a key on another curve": { header: { jwk: { ...alice.jwk, crv: "P-384" } } },
    "that shows a point that is none": { header: { jwk: { ...alice.jwk, y: "A".repeat(43) } } },
    "that asks for an extension": { header: { crit: ["b64"], b64: true } },
    "that names a key elsewhere, and shows none": {
      header: { jwk: undefined, jku: "https://evil.test/", kid: "x" },
    },
  };
  for (const [name, parts] of Object.entries(refused))
    test(`${name} is refused`, async () => {
      const gate = open();
      const token = await gate.token(alice);
      const { status } = await gate.asks(alice, token, parts);
      assert.equal(status, 401, String(gate.reason()));
      assert.match(String(gate.reason()), /^the proof: it/);
      assert.equal((await gate.asks(alice, token)).status, 200, "an honest one goes on counting");
    });

  test("of up to a minute ago, or of a clock that is ahead a little, counts; what else it says is not looked at", async () => {
    const gate = open();
    const token = await gate.token(alice);
    for (const now of [second - 64, second - 30.5, second + 5])
      assert.equal((await gate.asks(alice, token, { now })).status, 200, String(now));
    const jwk = { ...alice.jwk, use: "sig", kid: "mine", ext: true, key_ops: ["verify"] };
    assert.equal((await gate.asks(alice, token, { header: { jwk }, claims: { nonce: "x" } })).status, 200);
    assert.equal((await gate.asks(alice, token, { claims: { jti: "a".repeat(255) } })).status, 200);
    assert.equal((await gate.asks(alice, token, { htu: `${htu}?page=2#top` })).status, 200);
  });

  test("counts for an address however that is escaped, and for what was asked for alone", async () => {
    const gate = open();
    const token = await gate.token(alice);
    for (const [asked, address] of [
      ["/api/a~b", `${origin}/api/a%7Eb`],
      ["/api/a%7eb", `${origin}/api/a~b`],
      ["/api/a~b?x=y", `${origin.toUpperCase().replace("HTTPS", "https")}:443/api/a~b`],
    ] as const) {
      const dpop = await alice.prove({ now: second, htu: address, token });
      const { status } = await gate.ask(
        { authorization: `DPoP ${token}`, dpop, host: "evil.test" },
        "GET",
        asked,
      );
      // An undeclared key of the query is refused after the caller is known.
      assert.equal(status, asked.includes("?") ? 400 : 200, asked);
    }
  });

  test("by an algorithm that is none, symmetric, or not the key's is refused", async () => {
    const gate = open();
    const token = await gate.token(alice);
    const claims = { jti: "1", htm: "GET", htu, iat: second, ath: digestOf(token) };
    const sign = (header: object, signature: (input: string) => string): string => {
      const input = `${encode({ typ: "dpop+jwt", jwk: alice.jwk, ...header })}.${encode(claims)}`;
      return `${input}.${signature(input)}`;
    };
    const hmac = (key: string) => (input: string) =>
      createHmac("sha256", key).update(input).digest("base64url");
    const oct = { kty: "oct", k: "AAAA" };
    for (const proof of [
      sign({ alg: "none" }, () => ""),
      sign({ alg: "none" }, () => "AAAA"),
      sign({ alg: "HS256" }, hmac(JSON.stringify(alice.jwk))),
      sign({ alg: "HS256", jwk: oct }, hmac("\0\0\0")),
      sign({ alg: "ES256", jwk: oct }, hmac("\0\0\0")),
      sign({ alg: "RS256" }, () => "AAAA"),
      sign({ alg: "EdDSA" }, () => "A".repeat(86)),
      sign({ alg: "ES256" }, () => "A".repeat(86)),
      sign({ alg: ["ES256"] }, () => "A".repeat(86)),
      sign({ alg: "constructor" }, () => "AAAA"),
      sign({ alg: "__proto__" }, () => "AAAA"),
    ]) {
      assert.equal((await gate.ask({ authorization: `DPoP ${token}`, dpop: proof })).status, 401, proof);
      assert.match(String(gate.reason()), /^the proof: it/);
    }
  });

  test("by RSA is refused, whatever the token is bound to", async () => {
    const rsa = await makeProver("RS256");
    const gate = open();
    assert.equal((await gate.asks(rsa, await gate.token(rsa))).status, 401);
    assert.match(String(gate.reason()), /algorithm is not accepted/);
  });

  test("twice, as a server joins them, or with anything beside it, is none", async () => {
    const gate = open();
    const token = await gate.token(alice);
    const [one, other] = await Promise.all([1, 2].map(() => alice.prove({ now: second, htu, token })));
    for (const dpop of [
      `${one}, ${other}`,
      `${one},${one}`,
      `${one} `,
      ` ${one}`,
      `${one}.`,
      "",
      "a.b.c",
      `${one}=`,
    ]) {
      const { status } = await gate.ask({ authorization: `DPoP ${token}`, dpop });
      assert.equal(status, 401, dpop.slice(-20));
    }
    assert.equal((await gate.ask({ authorization: `DPoP ${token}`, dpop: one as string })).status, 200);
  });

  test("has one header and one set of claims: a name twice is refused", async () => {
    const gate = open();
    const token = await gate.token(alice);
    const good = await alice.prove({ now: second, htu, token });
    const [head = "", body = "", signature = ""] = good.split(".");
    const open_ = (part: string) => Buffer.from(part, "base64url").toString();
    const twice = (part: string, extra: string) =>
      Buffer.from(open_(part).replace(/^\{/, `{${extra},`)).toString("base64url");
    for (const dpop of [
      `${twice(head, '"typ":"JWT"')}.${body}.${signature}`,
      `${head}.${twice(body, `"htm":"POST"`)}.${signature}`,
    ]) {
      assert.equal((await gate.ask({ authorization: `DPoP ${token}`, dpop })).status, 401);
      assert.match(String(gate.reason()), /a name stands twice/);
    }
  });

  test("that is refused uses nothing up: nobody can spend another's names, or fill the memory without a token", async () => {
    const memory = createProofMemory({ slots: 1024, windowSeconds: 65, now: (second - 3600) * 1000 });
    const gate = open({ memory });
    const token = await gate.token(alice);
    const before = new Uint8Array(memory.buffer.slice(0));
    const jti = "chosen";
    assert.equal((await gate.asks(thief, token, { claims: { jti } })).status, 401);
    assert.equal((await gate.asks(alice, `${token.slice(0, -4)}AAAA`, { claims: { jti } })).status, 401);
    assert.deepEqual(new Uint8Array(memory.buffer), before);
    const stolen = await gate.token(thief);
    assert.equal((await gate.asks(thief, stolen, { claims: { jti } })).status, 200);
    assert.equal(
      (await gate.asks(alice, token, { claims: { jti } })).status,
      200,
      "names are each client's own",
    );
  });

  test("that can't be remembered is answered 503, and counts nowhere", async () => {
    const memory = createProofMemory({ slots: 8, windowSeconds: 65, now: (second - 3600) * 1000 });
    const gate = open({ memory });
    const token = await gate.token(alice);
    const statuses: number[] = [];
    for (let count = 0; count < 12; count++) statuses.push((await gate.asks(alice, token)).status);
    assert.deepEqual(statuses, [...Array<number>(8).fill(200), ...Array<number>(4).fill(503)]);
    gate.clock.seconds += 65;
    assert.equal((await gate.asks(alice, await gate.token(alice))).status, 200);
  });

  test("with any one letter changed is none", async () => {
    const gate = open();
    const token = await gate.token(alice);
    const proof = await alice.prove({ now: second, htu, token });
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=, ";
    await fc.assert(
      fc.asyncProperty(
        fc.nat(proof.length - 1),
        fc.constantFrom(...letters.split("")),
        async (at, letter) => {
          fc.pre(proof[at] !== letter);
          const dpop = proof.slice(0, at) + letter + proof.slice(at + 1);
          assert.equal((await gate.ask({ authorization: `DPoP ${token}`, dpop })).status, 401, dpop);
        },
      ),
      { numRuns: 300 },
    );
    assert.equal((await gate.ask({ authorization: `DPoP ${token}`, dpop: proof })).status, 200);
  });
});

suite("The examples of RFC 9449", () => {
  const jwk: JWK = {
    kty: "EC",
    crv: "P-256",
    x: "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    y: "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
  };
  const thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
  const token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
  const header =
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19";
  const claims =
    "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9";
  const signature = "2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
  const subject = { method: "GET", path: "/protectedresource", thumbprint, tokenDigest: digestOf(token) };
  const verifier = () =>
    createProofVerifier({
      origin: "https://resource.example.org",
      memory: createProofMemory({ slots: 1024, windowSeconds: 65, now: 1_562_000_000_000 }),
      now: () => 1_562_262_620_000,
    });

  test("the key has its thumbprint (§6.1), the token its digest (§7.1)", async () => {
    assert.equal(await calculateJwkThumbprint(jwk), thumbprint);
    assert.equal(digestOf(token), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
  });

  test("the proof for a protected resource holds (§7.1), for that resource, method, token and key alone", async () => {
    const proof = `${header}.${claims}.${signature}`;
    const proofs = verifier();
    assert.equal(await proofs.verify(proof, subject), undefined);
    assert.equal((await proofs.verify(proof, subject))?.reason, "it was used before");
    for (const other of [
      { method: "POST" },
      { path: "/token" },
      { tokenDigest: digestOf("other") },
      { thumbprint: thief.thumbprint },
    ])
      assert.equal((await verifier().verify(proof, { ...subject, ...other }))?.kind, "invalid");
  });

  test("the proof for a token is none for a resource (§4.1): it names no token", async () => {
    const proof =
      `${header}.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ` +
      ".2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
    const server = createProofVerifier({
      origin: "https://server.example.com",
      memory: createProofMemory({ slots: 1024, windowSeconds: 65, now: 1_562_000_000_000 }),
      now: () => 1_562_262_620_000,
    });
    const asked = { ...subject, method: "POST", path: "/token" };
    assert.equal((await server.verify(proof, asked))?.reason, "it is of another token");
  });
});
