import assert from "node:assert/strict";
import { createHash, createHmac, generateKeyPairSync } from "node:crypto";
import { suite, test } from "node:test";
import { importSPKI, jwtVerify } from "jose";
import { awsSignature, basic, bearer, hmac, inHeader, inQuery, jwtAssertion } from "../../contract/index.ts";
import type { Injector } from "../../contract/index.ts";
import { Secret } from "../../shared/index.ts";
import { createInjector } from "./create-injector.ts";
import type { Outgoing } from "./outgoing.ts";

const time = 1_800_000_000_000;

async function inject(
  injector: Injector,
  value: string,
  { method = "POST", query = "", headers = {}, body = "" } = {},
): Promise<{ outgoing: Outgoing; hidden: readonly string[] }> {
  const outgoing: Outgoing = {
    method,
    origin: "https://api.example",
    path: "/v1/x",
    query,
    headers: new Map(Object.entries(headers)),
    body: body === "" ? undefined : new TextEncoder().encode(body),
  };
  const { inject: run } = createInjector({
    injector,
    askForToken: () => Promise.reject(new Error("not asked")),
    now: () => time,
    elapsed: () => 0,
  });
  const { hidden } = await run(outgoing, new Secret(value));
  return { outgoing, hidden };
}

const headersOf = async (...given: Parameters<typeof inject>): Promise<Record<string, string>> =>
  Object.fromEntries((await inject(...given)).outgoing.headers);

suite("an injector", () => {
  test("puts a value where the contract says", async () => {
    assert.deepEqual(await headersOf(bearer(), "abc"), { authorization: "Bearer abc" });
    // RFC 7617 §2
    assert.deepEqual(await headersOf(basic(), "Aladdin:open sesame"), {
      authorization: "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
    });
    assert.deepEqual(await headersOf(basic(), "test:123\u00a3"), { authorization: "Basic dGVzdDoxMjPCow==" });
    assert.deepEqual(await headersOf(inHeader("X-Key", "Token "), "abc"), { "x-key": "Token abc" });
    assert.equal((await inject(inQuery("k"), "a&b")).outgoing.query, "k=a%26b");
  });

  test("drops what only it may set, however a caller wrote it", async () => {
    const own = { "x-key": "1", x_key: "2", "x-other": "3" };
    assert.deepEqual(await headersOf(inHeader("X-Key"), "abc", { headers: own }), {
      "x-key": "abc",
      "x-other": "3",
    });
    const { outgoing } = await inject(inQuery("a b"), "v", {
      query: "a+b=1&a%20b=2&%61+b=3&a+b[]=5&[A_b]=6&d=7;a+b=8&c=4&%zz",
    });
    assert.equal(outgoing.query, "c=4&%zz&a%20b=v");
    const signed = await headersOf(awsSignature({ region: "r", service: "s" }), "ID:KEY", {
      headers: { "x-amz-date": "1", "x-amz-security-token": "t", date: "d", "x-amz-target": "T" },
    });
    assert.deepEqual(Object.keys(signed), ["x-amz-target", "x-amz-date", "authorization"]);
  });

  test("refuses a value that would become another header, or lacks a part, and does not quote it", async () => {
    for (const [injector, value] of [
      [bearer(), "canary\r\nX-Evil: 1"],
      [bearer(), "canary "],
      [bearer(), ""],
      [bearer(), "canar\u00ff"],
      [inHeader("x-key"), "canary\n"],
      [basic(), "canary"],
      [basic(), ":canary"],
      [basic(), "canary:"],
      [basic(), "user:canary\n"],
      [awsSignature({ region: "r", service: "s" }), "canary"],
      [awsSignature({ region: "r", service: "s" }), "canary\n:key"],
      [jwtAssertion({ issuer: "i", audience: "a" }), "canary"],
      [
        jwtAssertion({ issuer: "i", audience: "a" }),
        "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----",
      ],
      [
        jwtAssertion({ issuer: "i", audience: "a", algorithm: "RS256" }),
        generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({
          type: "pkcs8",
          format: "pem",
        }),
      ],
    ] as const)
      await assert.rejects(inject(injector, value), (error: Error & { code: string }) => {
        assert.equal(error.code, "EGRESS_SECRET_UNFIT");
        assert.doesNotMatch(JSON.stringify(error) + error.message + String(error.stack), /canary/);
        return true;
      });
  });

  test("signs with HMAC what its service asks for (RFC 2104), as node:crypto does", async () => {
    const body = '{"a":1}';
    const { outgoing, hidden } = await inject(
      hmac({
        header: "X-Sig",
        over: ["timestamp", "method", "target", "body"],
        separator: ".",
        prefix: "v1=",
      }),
      "key",
      { query: "q=1", body, headers: { "x-sig": "mine", "x-timestamp": "mine" } },
    );
    const expected = createHmac("sha256", "key").update(`1800000000.POST./v1/x?q=1.${body}`).digest("hex");
    assert.deepEqual(Object.fromEntries(outgoing.headers), {
      "x-timestamp": "1800000000",
      "x-sig": `v1=${expected}`,
    });
    assert.deepEqual(hidden, []);
    // RFC 4231 §4.3
    assert.deepEqual(
      await headersOf(hmac({ header: "s", over: ["body"] }), "Jefe", {
        body: "what do ya want for nothing?",
      }),
      { s: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
    );
    for (const algorithm of ["sha256", "sha384", "sha512"] as const)
      for (const encoding of ["hex", "base64", "base64url"] as const) {
        const { s } = await headersOf(
          hmac({ header: "s", over: ["path", "body-digest"], algorithm, encoding }),
          "key",
        );
        const digest = createHash(algorithm).digest(encoding);
        assert.equal(s, createHmac(algorithm, "key").update(`/v1/x\n${digest}`).digest(encoding));
      }
  });

  test("signs a token for each use, which whoever has the public key can check, and nobody can use again as another", async () => {
    const pairs = {
      ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
      RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
      EdDSA: generateKeyPairSync("ed25519"),
    } as const;
    for (const algorithm of ["ES256", "RS256", "EdDSA"] as const) {
      const { privateKey, publicKey } = pairs[algorithm];
      const injector = jwtAssertion({
        issuer: "me",
        audience: "https://api.example",
        algorithm,
        keyId: "k1",
        lifetimeSeconds: 60,
      });
      const { outgoing, hidden } = await inject(
        injector,
        privateKey.export({ type: "pkcs8", format: "pem" }),
      );
      const token = outgoing.headers.get("authorization")?.slice("Bearer ".length) ?? "";
      assert.deepEqual(hidden, [token]);
      const key = await importSPKI(publicKey.export({ type: "spki", format: "pem" }), algorithm);
      const { payload, protectedHeader } = await jwtVerify(token, key, {
        issuer: "me",
        subject: "me",
        audience: "https://api.example",
        currentDate: new Date(time),
      });
      assert.equal(payload.exp, time / 1000 + 60);
      assert.equal(payload.iat, time / 1000);
      assert.equal(typeof payload.jti, "string");
      assert.deepEqual(protectedHeader, { alg: algorithm, typ: "JWT", kid: "k1" });
    }
  });
});
