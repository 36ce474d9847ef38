import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { exportJWK } from "jose";
import type { JWK } from "jose";
import type { SecurityEvent } from "../../contract/index.ts";
import { identity, makeKey, makeToken } from "../fixtures/issuer.ts";
import { tokenDigest } from "../node.ts";
import { createTokenVerifier } from "../callers/token-verifier.ts";
import type { TokenVerdict } from "../types.ts";
import { certificate, listen, skip } from "../../../test/support/https-server.ts";
import type { TestServer } from "../../../test/support/https-server.ts";
import { createIssuerKeys } from "./issuer-keys.ts";
import type { RemoteKeySource } from "./issuer-keys.ts";

const first = await makeKey("EdDSA", "first");
const second = await makeKey("ES256", "second");

interface Issuer {
  keys: RemoteKeySource;
  events: SecurityEvent[];
  clock: { now: number };
  /** The last reason for which the keys could not be had. */
  reason(): string | undefined;
  verify(token: string): Promise<TokenVerdict>;
}

function follow(
  t: TestContext,
  origin: string,
  options: { ca?: string; jwksUrl?: string; timeoutMs?: number } = {},
): Issuer {
  const events: SecurityEvent[] = [];
  const clock = { now: 1_800_000_000_000 };
  const keys = createIssuerKeys({
    identity: { issuer: `${origin}/`, jwksUrl: options.jwksUrl },
    ca: options.ca ?? certificate.ca,
    events: (event) => events.push(event),
    now: () => clock.now,
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
  t.after(() => keys.close());
  const verifier = createTokenVerifier({
    identity: { ...identity, issuer: `${origin}/` },
    keys,
    digest: tokenDigest,
    now: () => clock.now,
  });
  return {
    keys,
    events,
    clock,
    verify: async (token) => verifier.verify(token),
    reason() {
      const event = events.at(-1);
      return event?.type === "gateway.keys.unavailable" ? event.reason : undefined;
    },
  };
}

interface Published {
  set: unknown;
  discovery?: unknown;
  status?: number;
}

/** An issuer's server that answers what the test says at that moment. */
async function publish(t: TestContext, published: Published, port?: number): Promise<TestServer> {
  const server: TestServer = await listen(
    t,
    (request, response) => {
      const isDiscovery = request.url === "/.well-known/openid-configuration";
      const honest = { issuer: `${server.origin}/`, jwks_uri: `${server.origin}/jwks` };
      const value = isDiscovery ? (published.discovery ?? honest) : published.set;
      response.writeHead(published.status ?? 200, {
        "content-type": "application/json",
        location: "/elsewhere",
      });
      response.end(typeof value === "string" ? value : JSON.stringify(value));
    },
    port,
  );
  return server;
}

const tokenFrom = (origin: string, key = first): Promise<string> =>
  makeToken(key, { claims: { iss: `${origin}/` } });

suite("an issuer that works", { skip }, () => {
  test("its keys are found through its discovery document, and its tokens verified", async (t) => {
    const server = await publish(t, { set: { keys: [first.jwk, second.jwk] } });
    const { keys, events, verify } = follow(t, server.origin);
    await keys.load();
    assert.deepEqual(server.asked, ["GET /.well-known/openid-configuration", "GET /jwks"]);
    assert.deepEqual(
      events.map((event) => event.type),
      ["gateway.keys.loaded"],
    );
    assert.equal((await verify(await tokenFrom(server.origin))).kind, "valid");
    assert.equal((await verify(await tokenFrom(server.origin, second))).kind, "valid");
  });

  test("a declared address of the keys is asked at once", async (t) => {
    const server = await publish(t, { set: { keys: [first.jwk] } });
    const { keys } = follow(t, server.origin, { jwksUrl: `${server.origin}/other` });
    await keys.load();
    assert.deepEqual(server.asked, ["GET /other"]);
    assert.ok(keys.current());
  });

  test("a rotated key is found by the first token that names it; the withdrawn one ends", async (t) => {
    const published: Published = { set: { keys: [first.jwk] } };
    const server = await publish(t, published);
    const { keys, clock, verify } = follow(t, server.origin);
    await keys.load();
    const old = await tokenFrom(server.origin);
    assert.equal((await verify(old)).kind, "valid");
    published.set = { keys: [second.jwk] };
    clock.now += 5000;
    assert.equal((await verify(await tokenFrom(server.origin, second))).kind, "valid");
    assert.equal((await verify(old)).kind, "invalid");
  });

  test("keys of ten minutes are asked for again in the background, and unchanged ones move nothing", async (t) => {
    const server = await publish(t, { set: { keys: [first.jwk] } });
    const { keys, clock, events } = follow(t, server.origin);
    await keys.load();
    const epoch = keys.current()?.epoch;
    clock.now += 600_001;
    assert.equal(keys.current()?.epoch, epoch);
    await keys.refresh();
    assert.equal(server.asked.length, 4);
    assert.equal(keys.current()?.epoch, epoch);
    assert.equal(events.length, 1);
  });

  test("tokens with invented keys make it ask once in five seconds, however many come", async (t) => {
    const server = await publish(t, { set: { keys: [first.jwk] } });
    const { keys, clock, verify } = follow(t, server.origin);
    await keys.load();
    clock.now += 5000;
    const invented = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        makeToken(first, { header: { kid: `x${index}` }, claims: { iss: `${server.origin}/` } }),
      ),
    );
    const verdicts = await Promise.all(invented.map(verify));
    assert.ok(verdicts.every(({ kind }) => kind === "invalid"));
    for (const token of invented) await verify(token);
    assert.equal(server.asked.length, 4);
  });
});

suite("an issuer that does not", { skip }, () => {
  test("one that is not there at the start is asked again, and its tokens pass when it is", async (t) => {
    const reserved = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => {
      reserved.once("listening", resolve);
    });
    const { port } = reserved.address() as AddressInfo;
    await new Promise((resolve) => {
      reserved.close(resolve);
    });
    const origin = `https://127.0.0.1:${port}`;
    const { keys, clock, verify, reason } = follow(t, origin);
    await keys.load();
    assert.equal(reason(), "ECONNREFUSED");
    const token = await tokenFrom(origin);
    assert.equal((await verify(token)).kind, "unavailable");
    await publish(t, { set: { keys: [first.jwk] } }, port);
    // Within the cool-down nobody asks.
    assert.equal((await keys.refresh())?.epoch, undefined);
    clock.now += 5000;
    assert.ok(await keys.refresh());
    assert.equal((await verify(token)).kind, "valid");
  });

  test("one that stops answering leaves its last keys in use for a day, then nothing passes", async (t) => {
    const server = await publish(t, { set: { keys: [first.jwk] } });
    const { keys, clock, reason } = follow(t, server.origin);
    await keys.load();
    await server.close();
    clock.now += 3_600_000;
    assert.ok(await keys.refresh());
    assert.ok(reason());
    clock.now += 86_400_000;
    assert.equal(keys.current(), undefined);
    assert.equal(await keys.refresh(), undefined);
  });

  const hostile: [string, Published, RegExp][] = [
    ["garbage", { set: "<html>" }, /not JSON/],
    ["an empty answer", { set: "" }, /not JSON/],
    ["a text", { set: '"keys"' }, /not an object/],
    ["a list", { set: [] }, /malformed/],
    ["no keys", { set: { keys: [] } }, /no key/],
    ["keys that are none", { set: { keys: [null, 1, "a"] } }, /no key/],
    ["keys for encryption only", { set: { keys: [{ ...first.jwk, use: "enc" }] } }, /no key/],
    ["300 000 bytes", { set: { keys: [], padding: "x".repeat(300_000) } }, /too large/],
    ["an error", { set: { keys: [first.jwk] }, status: 500 }, /answered 500/],
    ["a redirect, which is not followed", { set: { keys: [first.jwk] }, status: 302 }, /answered 302/],
    [
      "another issuer's document",
      {
        set: { keys: [first.jwk] },
        discovery: { issuer: "https://evil.test/", jwks_uri: "https://evil.test/" },
      },
      /another issuer/,
    ],
    ["a symmetric key", { set: { keys: [first.jwk, { kty: "oct", k: "c2VjcmV0" }] } }, /private keys/],
  ];
  for (const [name, published, expected] of hostile)
    test(`one that answers with ${name} gives no keys, and the event says why`, async (t) => {
      const server = await publish(t, published);
      const { keys, reason } = follow(t, server.origin);
      await keys.load();
      assert.equal(keys.current(), undefined);
      assert.match(reason() ?? "", expected);
      assert.ok(!server.asked.some((line) => line.includes("elsewhere")));
    });

  test("one that does not answer, or not to the end, is given up in time", async (t) => {
    for (const begins of [false, true]) {
      const server = await listen(t, (_, response) => {
        if (begins) response.writeHead(200, { "content-type": "application/json" }).write('{"keys":');
      });
      const { keys, reason } = follow(t, server.origin, { timeoutMs: 100 });
      await keys.load();
      assert.equal(keys.current(), undefined);
      assert.equal(reason(), "it took too long");
    }
  });

  test("one that cuts its answer short gives no keys", async (t) => {
    const server = await listen(t, (_, response, socket) => {
      response.writeHead(200, { "content-length": "500" }).write('{"keys":[]}', () => socket.destroy());
    });
    const { keys, reason } = follow(t, server.origin);
    await keys.load();
    assert.equal(keys.current(), undefined);
    assert.ok(reason());
  });

  test("closing while it is asked is no alarm", async (t) => {
    let asked: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const server = await listen(t, () => asked());
    const { keys, events } = follow(t, server.origin);
    const loading = keys.load();
    await arrived;
    await keys.close();
    await loading;
    assert.deepEqual(events, []);
  });

  test("one that publishes its private keys is refused, and the log does not repeat them", async (t) => {
    const leaked: JWK = { ...(await exportJWK(first.privateKey)), kid: "first" };
    const server = await publish(t, { set: { keys: [leaked] } });
    const { keys, reason, events } = follow(t, server.origin);
    await keys.load();
    assert.equal(keys.current(), undefined);
    assert.match(reason() ?? "", /private keys/);
    assert.ok(!JSON.stringify(events).includes(leaked.d ?? "?"));
  });

  test("any member of a private key makes it one: a factor of the modulus is the whole key (RFC 7518 §6.3.2)", async (t) => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const rsa = publicKey.export({ format: "jwk" });
    const published: Published = { set: {} };
    const server = await publish(t, published);
    for (const member of ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"]) {
      published.set = { keys: [first.jwk, { ...rsa, [member]: "c2VjcmV0" }] };
      const { keys, reason } = follow(t, server.origin);
      await keys.load();
      assert.equal(keys.current(), undefined, member);
      assert.match(reason() ?? "", /private keys/, member);
    }
    published.set = { keys: [first.jwk, rsa] };
    const honest = follow(t, server.origin);
    await honest.keys.load();
    assert.equal(honest.keys.current()?.keys.length, 2);
  });

  test("one whose document leads to keys over http is refused", async (t) => {
    for (const jwks_uri of ["http://127.0.0.1:1/jwks", "file:///etc/passwd", "jwks", 7]) {
      const published: Published = { set: { keys: [first.jwk] } };
      const server = await publish(t, published);
      published.discovery = { issuer: `${server.origin}/`, jwks_uri };
      const { keys, reason } = follow(t, server.origin);
      await keys.load();
      assert.match(reason() ?? "", /no usable jwks_uri/);
    }
  });

  test("one with a certificate that nobody vouches for is refused", async (t) => {
    const server = await publish(t, { set: { keys: [first.jwk] } });
    const events: SecurityEvent[] = [];
    const keys = createIssuerKeys({
      identity: { issuer: `${server.origin}/`, jwksUrl: undefined },
      events: (event) => events.push(event),
    });
    t.after(() => keys.close());
    await keys.load();
    assert.equal(keys.current(), undefined);
    assert.match(JSON.stringify(events), /CERT|SIGN|ISSUER/);
    assert.deepEqual(server.asked, []);
  });

  test("one that breaks after it worked keeps its last keys", async (t) => {
    const published: Published = { set: { keys: [first.jwk] } };
    const server = await publish(t, published);
    const { keys, clock, verify } = follow(t, server.origin);
    await keys.load();
    published.set = "garbage";
    clock.now += 5000;
    await keys.refresh();
    assert.equal((await verify(await tokenFrom(server.origin))).kind, "valid");
  });
});
