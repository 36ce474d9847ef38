import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { bearer, fn, secret } from "../../contract/index.ts";
import type { SecurityEvent, UseText } from "../../contract/index.ts";
import { authority, makeAuthority } from "../fixtures/certificates.ts";
import { makeVault, openEgress } from "../fixtures/open-egress.ts";
import type { OpenEgress } from "../fixtures/open-egress.ts";
import { startService } from "../fixtures/service.ts";
import type { ServiceOptions, TestService } from "../fixtures/service.ts";
import { createServiceSockets } from "./connections/service-socket.ts";

// Whoever answers for a name can change what it means from one look-up to the next. No audit has a part in that, so it is shown here what holds.

const addresses = {
  loopback: ["127.0.0.1", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "64:ff9b::7f00:1"],
  private: ["10.1.2.3", "172.16.0.1", "192.168.0.1", "100.64.0.1", "fd00::1"],
  "link-local": ["169.254.1.1", "fe80::1"],
  metadata: ["169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"],
  "nobody's": ["0.0.0.0", "::", "224.0.0.1", "255.255.255.255"],
} as const;

/** A service, and egress to it by a name that means what is said each time that half a minute is over. */
async function open(t: TestContext, network: "loopback" | "public", means: readonly (readonly string[])[]) {
  const service = await startService(t);
  const { origin } = service;
  let now = 1_800_000_000_000;
  let lookups = 0;
  const egress = await openEgress(
    t,
    {
      functions: { quotes: {} },
      secrets: {
        KEY: secret({ use: `GET ${origin}/**` as UseText, by: fn("quotes"), inject: bearer() }),
      },
      egress: { origins: { [origin as `https://${string}`]: { network } } },
    },
    {
      vault: makeVault({ KEY: "opens-the-service" }),
      now: () => now,
      lookup: async () => means[Math.min(lookups++, means.length - 1)] ?? [],
    },
  );
  const ask = async (): Promise<string> => {
    const { status, code } = await egress.call(`${origin}/x`);
    return `${status} ${code}`;
  };
  return { service, egress, ask, lookAgain: () => (now += 31_000) };
}

const refusedIn = ({ events }: OpenEgress): readonly (readonly string[])[] =>
  events.flatMap((event: SecurityEvent) =>
    event.type === "egress.address.refused" ? [event.addresses as readonly string[]] : [],
  );

const there = (service: TestService, options: Omit<ServiceOptions, "port">): ServiceOptions => ({
  ...options,
  port: service.port,
});

suite("a declared name", () => {
  for (const [kind, elsewhere] of Object.entries(addresses))
    test(`that leads to a ${kind} address at first is connected to by nobody, and each is told`, async (t) => {
      const { egress, ask, service } = await open(t, "public", [elsewhere]);
      assert.equal(await ask(), "502 EGRESS_ADDRESS_REFUSED");
      assert.deepEqual(refusedIn(egress), [elsewhere]);
      assert.equal(service.connections(), 0);
    });

  for (const [kind, elsewhere] of Object.entries(addresses).filter(([name]) => name !== "loopback"))
    test(`that leads to a ${kind} address the second time keeps the one that was checked`, async (t) => {
      const { egress, ask, service, lookAgain } = await open(t, "loopback", [["127.0.0.1"], elsewhere]);
      assert.equal(await ask(), "200 undefined");
      lookAgain();
      // The first of these has it looked up again, behind its back.
      for (let time = 0; time < 3; time++) assert.equal(await ask(), "200 undefined");
      assert.equal(service.asked.length, 4);
      assert.deepEqual(refusedIn(egress), [elsewhere]);
    });

  test("that leads to a right address and wrong ones is asked at the right one alone", async (t) => {
    const { egress, ask, service } = await open(t, "loopback", [
      ["169.254.169.254", "127.0.0.1", "10.1.2.3"],
    ]);
    for (let time = 0; time < 3; time++) assert.equal(await ask(), "200 undefined");
    assert.equal(service.asked.length, 3);
    assert.deepEqual(refusedIn(egress), [["169.254.169.254", "10.1.2.3"]]);
  });

  test("that leads to somebody else in its own network the second time sends nothing there: the certificate decides", async (t) => {
    for (const certificate of [
      await authority.issue(["other.example"]),
      await (await makeAuthority()).issue(["api.example"]),
    ]) {
      const { ask, service, lookAgain } = await open(t, "loopback", [["127.0.0.1"], ["127.0.0.2"]]);
      const options = there(service, { address: "127.0.0.2", certificate });
      const impostor = await startService(t, undefined, options);
      assert.equal(await ask(), "200 undefined");
      lookAgain();
      const answers = [await ask(), await ask(), await ask()];
      assert.equal(answers.at(-1), "502 EGRESS_CERTIFICATE_REFUSED");
      assert.ok(impostor.connections() > 0);
      assert.deepEqual(impostor.asked, []);
    }
  });
});

test("a database's name that leads elsewhere than it may is connected to by nobody", async (t) => {
  const { port, connections } = await startService(t);
  for (const elsewhere of Object.values(addresses)) {
    const place = { host: "store.example", port };
    const sockets = createServiceSockets(place, { timeoutMs: 2000, lookup: async () => elsewhere });
    await assert.rejects(sockets.connect(), { code: "ENOTFOUND" });
  }
  assert.equal(connections(), 0);
});
