// Where the issuer's keys may be asked for: these tests answer for the resolver, which nobody can from outside.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import type { Identity, SecurityEvent } from "../../contract/index.ts";
import type { Lookup } from "../../shared/node.ts";
import { makeKey } from "../fixtures/issuer.ts";
import { createIssuerKeys } from "./issuer-keys.ts";
import type { RemoteKeySource } from "./issuer-keys.ts";

const key = await makeKey("EdDSA", "first");
const name = "login.example";

interface Server {
  port: number;
  /** What it was asked, as `Host /path`. */
  asked: string[];
  /** What its discovery document says. Default: the truth. */
  jwksUrl?: string;
}

/** An issuer on this machine, by whatever name it is asked. */
async function publish(t: TestContext, address = "127.0.0.1"): Promise<Server> {
  const server = createServer((request, response) => {
    const host = String(request.headers.host);
    published.asked.push(`${host} ${request.url}`);
    const document = { issuer: `http://${host}/`, jwks_uri: published.jwksUrl ?? `http://${host}/jwks` };
    response.setHeader("connection", "close");
    response.end(JSON.stringify(request.url === "/jwks" ? { keys: [key.jwk] } : document));
  });
  await new Promise<void>((ready) => server.listen(0, address, ready));
  t.after(() => server.close());
  const published: Server = { port: (server.address() as AddressInfo).port, asked: [] };
  return published;
}

interface Following {
  keys: RemoteKeySource;
  events: SecurityEvent[];
  clock: { now: number };
  reason(): string | undefined;
}

function follow(
  t: TestContext,
  identity: Pick<Identity, "issuer" | "network"> & Partial<Identity>,
  lookup: Lookup,
  timeoutMs = 5000,
): Following {
  const events: SecurityEvent[] = [];
  const clock = { now: 1_800_000_000_000 };
  const keys = createIssuerKeys({
    identity: { jwksUrl: undefined, ...identity },
    events: (event) => events.push(event),
    lookup,
    timeoutMs,
    now: () => clock.now,
  });
  t.after(() => keys.close());
  return {
    keys,
    events,
    clock,
    reason() {
      const event = events.at(-1);
      return event?.type === "gateway.keys.unavailable" ? event.reason : undefined;
    },
  };
}

suite("an issuer's name", () => {
  test("is followed to an address of its network, and stands in Host", async (t) => {
    const server = await publish(t);
    const { keys } = follow(
      t,
      { issuer: `http://${name}:${server.port}/`, network: "loopback" },
      async () => ["127.0.0.1"],
    );
    await keys.load();
    assert.ok(keys.current());
    assert.deepEqual(server.asked, [
      `${name}:${server.port} /.well-known/openid-configuration`,
      `${name}:${server.port} /jwks`,
    ]);
  });

  test("that leads to this machine, a private network or a metadata service is not followed unless that is declared", async (t) => {
    const server = await publish(t);
    const elsewhere = [
      "127.0.0.1",
      "::ffff:127.0.0.1",
      "10.0.0.1",
      "169.254.169.254",
      "fd00:ec2::254",
      "::1",
    ];
    const issuer = `http://${name}:${server.port}/`;
    for (const network of [undefined, "public"] as const) {
      const { keys, events, clock, reason } = follow(t, { issuer, network }, async () => elsewhere);
      await keys.load();
      assert.equal(keys.current(), undefined);
      assert.match(reason() ?? "", /its name leads nowhere that it may be/);
      assert.deepEqual(events[0], {
        type: "gateway.keys.address.refused",
        time: clock.now,
        issuer,
        host: name,
        addresses: elsewhere,
      });
    }
    assert.deepEqual(server.asked, []);
  });

  test("of a private network is followed there, and not to the internet or this machine", async (t) => {
    const server = await publish(t);
    const issuer = `http://login.internal:${server.port}/`;
    const { keys, reason } = follow(t, { issuer, network: undefined }, async () => ["127.0.0.1", "9.9.9.9"]);
    await keys.load();
    assert.match(reason() ?? "", /leads nowhere/);
    assert.deepEqual(server.asked, []);
  });

  test("localhost and an address of this machine need no declaration: development goes on", async (t) => {
    const server = await publish(t);
    for (const host of ["localhost", "127.0.0.1"]) {
      const issuer = `http://${host}:${server.port}/`;
      const { keys } = follow(t, { issuer, network: undefined }, async () => ["127.0.0.1"]);
      await keys.load();
      assert.ok(keys.current(), host);
    }
  });

  test("an address that is no service's is not connected to, although nobody looks it up", async (t) => {
    const { keys, reason } = follow(
      t,
      { issuer: "http://169.254.169.254/", network: undefined },
      async () => [],
    );
    await keys.load();
    assert.match(reason() ?? "", /leads nowhere/);
  });

  test("that comes to mean something else (DNS rebinding) keeps its checked address, for ten minutes", async (t) => {
    const server = await publish(t);
    const other = await publish(t, "127.0.0.2");
    let addresses = ["127.0.0.1"];
    const { keys, clock, reason, events } = follow(
      t,
      { issuer: `http://${name}:${server.port}/`, network: "loopback" },
      async () => addresses,
    );
    await keys.load();
    addresses = ["169.254.169.254"];
    for (const seconds of [31, 31]) {
      clock.now += seconds * 1000;
      await keys.refresh();
    }
    assert.equal(server.asked.length, 6);
    assert.ok(events.some(({ type }) => type === "gateway.keys.address.refused"));
    clock.now += 600_000;
    await keys.refresh();
    assert.match(reason() ?? "", /leads nowhere/);
    assert.equal(server.asked.length, 6);
    assert.deepEqual(other.asked, []);
  });

  test("that has right addresses and wrong ones is asked at the right ones alone", async (t) => {
    const server = await publish(t);
    const { keys, events } = follow(
      t,
      { issuer: `http://${name}:${server.port}/`, network: "loopback" },
      async () => ["169.254.169.254", "127.0.0.1", "10.0.0.1"],
    );
    await keys.load();
    assert.ok(keys.current());
    assert.deepEqual(
      events.flatMap((event) => (event.type === "gateway.keys.address.refused" ? event.addresses : [])),
      ["169.254.169.254", "10.0.0.1"],
    );
  });

  test("whose look-up does not end is given up in time", async (t) => {
    const { keys, reason } = follow(
      t,
      { issuer: `http://${name}/`, network: undefined },
      () => new Promise(() => undefined),
      50,
    );
    await keys.load();
    assert.equal(reason(), "it took too long");
  });
});

suite("keys on another host than the issuer's", () => {
  test("are not asked for where the discovery document alone names them; the reason says what to write", async (t) => {
    const server = await publish(t);
    const other = await publish(t);
    for (const jwksUrl of [
      `http://127.0.0.1:${other.port}/jwks`,
      `http://keys.example:${server.port}/jwks`,
    ]) {
      server.jwksUrl = jwksUrl;
      const issuer = `http://127.0.0.1:${server.port}/`;
      const { keys, reason } = follow(t, { issuer, network: undefined }, async () => ["127.0.0.1"]);
      await keys.load();
      assert.equal(keys.current(), undefined);
      assert.match(reason() ?? "", /keys on another host.*identity\.jwksUrl/);
    }
    assert.deepEqual(other.asked, []);
    assert.equal(server.asked.length, 2);
  });

  test("are asked for where the contract names them, in its network", async (t) => {
    const other = await publish(t);
    const issuer = "http://login.example/";
    const jwksUrl = `http://keys.example:${other.port}/jwks`;
    const lookup: Lookup = async () => ["127.0.0.1"];
    const { keys } = follow(t, { issuer, jwksUrl, network: "loopback" }, lookup);
    await keys.load();
    assert.ok(keys.current());
    assert.deepEqual(other.asked, [`keys.example:${other.port} /jwks`]);
    const outside = follow(t, { issuer, jwksUrl, network: undefined }, lookup);
    await outside.keys.load();
    assert.match(outside.reason() ?? "", /leads nowhere/);
    assert.equal(other.asked.length, 1);
  });
});
