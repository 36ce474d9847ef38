import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import type { ContractProxies } from "../../contract/index.ts";
import { parseNetwork } from "../../shared/index.ts";
import { compileFindClient, isProxy } from "./find-client.ts";

const networks = (...texts: string[]) =>
  texts.map((text) => parseNetwork(text)).filter((network) => network !== undefined);
const inside: ContractProxies = {
  trusted: networks("10.0.0.0/8", "2001:db8::/32"),
  clientFrom: "x-forwarded-for",
};

/** Whose request it is that came with this header. */
function clientOf(proxies: ContractProxies | undefined, peer: string, value?: string): string | undefined {
  return compileFindClient(proxies)({
    peer,
    fromProxy: isProxy(proxies, peer),
    header: (name) => (name === proxies?.clientFrom ? value : undefined),
  });
}

suite("Whose request it is", () => {
  test("is told by the connection alone when no proxy is declared", () => {
    assert.equal(clientOf(undefined, "192.0.2.1", "198.51.100.7"), "192.0.2.1");
  });

  test("is told by the connection for whoever comes past the proxies, whatever they claim", () => {
    assert.equal(clientOf(inside, "192.0.2.1", "198.51.100.7"), "192.0.2.1");
    assert.equal(clientOf(inside, "192.0.2.1", "10.0.0.1"), "192.0.2.1");
  });

  test("is the last station that is no proxy of ours: what the client wrote stands left of it", () => {
    assert.equal(clientOf(inside, "10.0.0.1", "198.51.100.7"), "198.51.100.7");
    assert.equal(clientOf(inside, "10.0.0.1", "1.1.1.1, 198.51.100.7"), "198.51.100.7");
    assert.equal(clientOf(inside, "10.0.0.1", "1.1.1.1, 198.51.100.7, 10.2.3.4,10.0.0.9"), "198.51.100.7");
    assert.equal(clientOf(inside, "10.0.0.1", "10.9.9.9, 198.51.100.7"), "198.51.100.7");
    assert.equal(clientOf(inside, "10.0.0.1", "10.2.3.4, 10.0.0.9"), "10.2.3.4", "a client inside");
    assert.equal(clientOf(inside, "10.0.0.1", "::ffff:198.51.100.7"), "198.51.100.7");
    assert.equal(clientOf(inside, "10.0.0.1", "2001:DB8::1, 2001:470::7"), "2001:470:0:0:0:0:0:7");
  });

  test("is told without the port that some balancers write", () => {
    assert.equal(clientOf(inside, "10.0.0.1", "198.51.100.7:4711"), "198.51.100.7");
    assert.equal(clientOf(inside, "10.0.0.1", "[2001:470::7]:4711"), "2001:470:0:0:0:0:0:7");
    assert.equal(clientOf(inside, "10.0.0.1", "[2001:470::7]"), "2001:470:0:0:0:0:0:7");
  });

  test("nobody knows when a proxy says nothing, or no address where one must stand", () => {
    const values = [undefined, "", "unknown", "1.1.1.1,", "_hidden", "1.1.1.1, 010.1.1.1", ",".repeat(40)];
    for (const value of values) assert.equal(clientOf(inside, "10.0.0.1", value), undefined, String(value));
    assert.equal(
      clientOf(inside, "10.0.0.1", "nonsense, 198.51.100.7"),
      "198.51.100.7",
      "left of it, nobody looks",
    );
  });

  test("is so many stations from the end where only the proxies' number is known", () => {
    const two: ContractProxies = { trusted: 2, clientFrom: "x-forwarded-for" };
    assert.equal(clientOf(two, "192.0.2.1", "1.1.1.1, 198.51.100.7, 203.0.113.9"), "198.51.100.7");
    assert.equal(clientOf(two, "192.0.2.1", "198.51.100.7"), undefined, "it came past one of them");
    assert.equal(clientOf(two, "192.0.2.1"), undefined);
  });

  test("is read from Forwarded, quoted or not", () => {
    const proxies: ContractProxies = { ...inside, clientFrom: "forwarded" };
    assert.equal(clientOf(proxies, "10.0.0.1", "for=198.51.100.7;proto=https, for=10.0.0.4"), "198.51.100.7");
    assert.equal(clientOf(proxies, "10.0.0.1", 'For="[2001:470::7]:99" ; by=x'), "2001:470:0:0:0:0:0:7");
    assert.equal(clientOf(proxies, "10.0.0.1", 'for="198.51.100.7:80"'), "198.51.100.7");
    const faults = [
      "for=unknown",
      "proto=https",
      "for=",
      'for="1.1.1.1',
      "for=1.1.1.1 for=2.2.2.2",
      "for=1.1.1.1;for=2.2.2.2",
      "",
      "for = 1.1.1.1",
    ];
    for (const fault of faults) assert.equal(clientOf(proxies, "10.0.0.1", fault), undefined, fault);
    // A comma inside quotes ends no station: what follows it is no other client.
    assert.equal(clientOf(proxies, "10.0.0.1", 'for="x, for=1.1.1.1", for=198.51.100.7'), "198.51.100.7");
  });

  test("is never what the client wrote into the header before it reached the first proxy", () => {
    const written = fc.oneof(
      fc.string(),
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom("10.0.0.1", "unknown", "", 'for="', 'for="1.1.1.1', "for=10.0.0.1", '"', "\\"),
    );
    const proxied = (clientFrom: ContractProxies["clientFrom"]): ContractProxies => ({
      ...inside,
      clientFrom,
    });
    fc.assert(
      fc.property(fc.array(written, { maxLength: 5 }), fc.boolean(), (lies, isForwarded) => {
        const prefix = lies.map((lie) => `${lie}, `).join("");
        const value = `${prefix}${isForwarded ? "for=" : ""}198.51.100.7, ${isForwarded ? "for=" : ""}10.0.0.4`;
        const client = clientOf(proxied(isForwarded ? "forwarded" : "x-forwarded-for"), "10.0.0.1", value);
        // A broken quote leaves the header without a meaning: then nobody is charged, and the request is refused.
        assert.ok(client === "198.51.100.7" || client === undefined, `${client} of ${value}`);
        if (!isForwarded && !lies.some((lie) => lie.split(",").length > 25))
          assert.equal(client, "198.51.100.7");
      }),
    );
  });
});
