import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { suite, test } from "node:test";
import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { verifyAssertion } from "./assertion.ts";
import { createAssertionSigner } from "./node/assertion-signer.ts";
import type { AssertionRules } from "./assertion.ts";

const { privateKey, publicKey } = await generateKeyPair("EdDSA", { extractable: true });
const stranger = await generateKeyPair("EdDSA");
const rules: AssertionRules = {
  keys: { keys: [{ ...(await exportJWK(publicKey)), kid: "a1", alg: "EdDSA", use: "sig" }] },
  issuer: "https://www.bakery.test",
  audience: "https://shop.bakery.test/",
};
const signer = createAssertionSigner({
  key: privateKey,
  keyId: "a1",
  issuer: rules.issuer,
  audience: rules.audience,
});
const request = { method: "GET", path: "/api/orders?page=2" };
const alice = { subject: "alice", roles: ["staff"] };
const sign = (caller: typeof alice | undefined = alice): string | Promise<string> =>
  signer.sign({ ...request, caller, id: "r1" });
const invalid = { code: "GATEWAY_ASSERTION_INVALID" };

suite("an assertion", () => {
  test("tells the upstream who calls, with which roles, and the request's id", async () => {
    assert.deepEqual(await verifyAssertion(await sign(), request, rules), {
      subject: "alice",
      roles: ["staff"],
      id: "r1",
    });
    const anonymous = await signer.sign({ ...request, caller: undefined, id: "r2" });
    assert.deepEqual(await verifyAssertion(anonymous, request, rules), {
      subject: undefined,
      roles: [],
      id: "r2",
    });
  });

  test("is good for one method, one path and one query only", async () => {
    const header = await sign();
    for (const other of [
      { ...request, method: "DELETE" },
      { ...request, method: "get" },
      { ...request, path: "/api/orders" },
      { ...request, path: "/api/orders?page=3" },
      { ...request, path: "/api/orders/?page=2" },
    ])
      await assert.rejects(verifyAssertion(header, other, rules), invalid);
  });

  test("is good for one body only, and for none where there was none", async () => {
    const body = '{"bread":"Roggen","ü":1}';
    const post = { method: "POST", path: "/api/orders" };
    const bodyDigest = createHash("sha256").update(body).digest("base64url");
    const header = await signer.sign({ ...post, caller: alice, id: "r1", bodyDigest });
    for (const same of [body, Buffer.from(body), () => body, async () => new TextEncoder().encode(body)])
      assert.equal((await verifyAssertion(header, { ...post, body: same }, rules)).id, "r1");
    for (const other of [undefined, "", `${body} `, body.replace("1", "2"), () => "", async () => "{}"])
      await assert.rejects(verifyAssertion(header, { ...post, body: other }, rules), invalid);

    const bare = await signer.sign({ ...post, caller: alice, id: "r2" });
    for (const none of [undefined, "", new Uint8Array(), () => ""])
      assert.equal((await verifyAssertion(bare, { ...post, body: none }, rules)).id, "r2");
    for (const some of [body, Buffer.of(0), async () => body])
      await assert.rejects(verifyAssertion(bare, { ...post, body: some }, rules), invalid);
  });

  test("that does not hold costs no reading of a body", async () => {
    const header = await sign();
    const body = (): string => assert.fail("the body was read");
    for (const forged of [undefined, "a.b.c", `${header.slice(0, -40)}${"A".repeat(40)}`])
      await assert.rejects(verifyAssertion(forged, { ...request, body }, rules), invalid);
    await assert.rejects(verifyAssertion(header, { ...request, method: "PUT", body }, rules), invalid);
  });

  test("is no judgement on a body that could not be read", async () => {
    const body = (): Promise<string> => Promise.reject(new Error("the client went away"));
    await assert.rejects(verifyAssertion(await sign(), { ...request, body }, rules), /went away/);
  });

  test("is good for one upstream, from one stack", async () => {
    const header = await sign();
    await assert.rejects(
      verifyAssertion(header, request, { ...rules, audience: "https://mail.bakery.test/" }),
      invalid,
    );
    await assert.rejects(
      verifyAssertion(header, request, { ...rules, issuer: "https://evil.test" }),
      invalid,
    );
  });

  test("is good for half a minute", async () => {
    const header = await sign();
    const at = (seconds: number): AssertionRules => ({
      ...rules,
      currentDate: new Date(Date.now() + seconds * 1000),
    });
    await verifyAssertion(header, request, at(20));
    await assert.rejects(verifyAssertion(header, request, at(40)), invalid);
  });

  test("that is missing, forged, unsigned, of another kind or changed is refused", async () => {
    const good = await sign();
    const [head, payload, signature] = good.split(".");
    const forge = (type: string, key = privateKey): Promise<string> =>
      new SignJWT({ htm: "GET", htp: request.path })
        .setProtectedHeader({ alg: "EdDSA", typ: type, kid: "a1" })
        .setIssuer(rules.issuer)
        .setAudience(rules.audience)
        .setIssuedAt()
        .setExpirationTime("30s")
        .setJti("r1")
        .sign(key);
    assert.equal((await verifyAssertion(await forge("curtainwall-assertion+jwt"), request, rules)).id, "r1");
    const none = Buffer.from('{"alg":"none","typ":"curtainwall-assertion+jwt"}').toString("base64url");
    for (const header of [
      undefined,
      "",
      "undefined",
      "a.b.c",
      `${none}.${payload}.`,
      `${head}.${payload}.${signature?.replace(/^./, (letter) => (letter === "A" ? "B" : "A"))}`,
      await forge("curtainwall-assertion+jwt", stranger.privateKey),
      // An access token that this key should sign one day is no assertion.
      await forge("at+jwt"),
      await forge("JWT"),
    ])
      await assert.rejects(verifyAssertion(header, request, rules), invalid);
  });

  test("without the claims that bind it is refused", async () => {
    const bare = await new SignJWT({})
      .setProtectedHeader({ alg: "EdDSA", typ: "curtainwall-assertion+jwt", kid: "a1" })
      .setIssuer(rules.issuer)
      .setAudience(rules.audience)
      .setIssuedAt()
      .setExpirationTime("30s")
      .sign(privateKey);
    await assert.rejects(verifyAssertion(bare, request, rules), invalid);
  });
});
