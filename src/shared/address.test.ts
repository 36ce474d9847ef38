import assert from "node:assert/strict";
import { BlockList, isIP, isIPv6, SocketAddress } from "node:net";
import { suite, test } from "node:test";
import fc from "fast-check";
import {
  addressGroup,
  formatAddress,
  isWithin,
  normalizeAddress,
  parseAddress,
  parseNetwork,
} from "./address.ts";

/** An address as Node's own parser sees it. */
function canonical(address: string): string {
  const family = isIPv6(address) ? "ipv6" : "ipv4";
  return new SocketAddress({ address, family }).address;
}

const nearlyAddress = fc
  .array(fc.constantFrom("0", "1", "ff", "::", ":", ".", "255", "256", "ffff", "%", "g", "08"), {
    maxLength: 18,
  })
  .map((parts) => parts.join(""));

suite("An address", () => {
  test("is read exactly when Node reads it, and as the same", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), nearlyAddress), (text) => {
        fc.pre(!text.includes("%"));
        const bytes = parseAddress(text);
        assert.equal(bytes !== undefined, isIP(text) !== 0, text);
        if (bytes === undefined) return;
        const isMapped = canonical(text).startsWith("::ffff:") && canonical(text).includes(".");
        assert.equal(canonical(formatAddress(bytes)), isMapped ? canonical(text).slice(7) : canonical(text));
      }),
      { numRuns: 3000 },
    );
  });

  test("with leading zeros, a number too large, or more than an address, is none", () => {
    for (const text of [
      "01.2.3.4",
      "1.2.3.256",
      "1.2.3",
      "",
      " 1.2.3.4",
      "1.2.3.4\n",
      "::1::",
      "1.2.3.4::",
      ":",
      `${"0".repeat(500)}::`,
    ])
      assert.equal(parseAddress(text), undefined, text);
  });

  test("loses its zone, and its IPv6 clothes if it is one of IPv4", () => {
    assert.deepEqual(parseAddress("fe80::1%eth0"), parseAddress("fe80::1"));
    assert.equal(normalizeAddress("::ffff:192.0.2.7"), "192.0.2.7");
    assert.equal(normalizeAddress("::FFFF:192.0.2.7"), "192.0.2.7");
    assert.equal(normalizeAddress("192.0.2.7"), "192.0.2.7");
    assert.equal(normalizeAddress("2001:db8::1"), "2001:db8::1");
    assert.equal(normalizeAddress("64:ff9b::192.0.2.7"), "64:ff9b::192.0.2.7");
  });
});

suite("A network", () => {
  test("holds what Node's own list says it holds", () => {
    const v4 = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }), fc.ipV4());
    const v6 = fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 }), fc.ipV6());
    fc.assert(
      fc.property(fc.oneof(v4, v6), ([base, prefix, other]) => {
        const family = isIPv6(base) ? "ipv6" : "ipv4";
        const bytes = parseAddress(base);
        fc.pre(bytes !== undefined && (family === "ipv4") === (bytes.length === 4));
        const list = new BlockList();
        list.addSubnet(base, prefix, family);
        const kept = bytes.map(
          (byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, prefix - index * 8))),
        );
        const network = parseNetwork(`${formatAddress(kept)}/${prefix}`);
        assert.ok(network);
        for (const address of [base, other]) {
          const itsBytes = parseAddress(address);
          if (itsBytes === undefined || itsBytes.length !== bytes.length) continue;
          assert.equal(
            isWithin(itsBytes, [network]),
            list.check(address, family),
            `${address} in ${base}/${prefix}`,
          );
        }
      }),
    );
  });

  test("is refused when bits are set that its prefix leaves out: most likely another one was meant", () => {
    assert.equal(parseNetwork("10.1.0.0/8"), undefined);
    assert.equal(parseNetwork("2001:db8::1/32"), undefined);
    for (const text of [
      "10.0.0.0/33",
      "10.0.0.0/",
      "10.0.0.0/8/8",
      "10.0.0.0/-1",
      "ten/8",
      "fe80::1%eth0/64",
    ])
      assert.equal(parseNetwork(text), undefined, text);
  });

  test("of IPv4 is the same however it is written, and holds no IPv6 address", () => {
    assert.deepEqual(parseNetwork("::ffff:10.0.0.0/104"), parseNetwork("10.0.0.0/8"));
    const all = [parseNetwork("0.0.0.0/0")].filter((network) => network !== undefined);
    assert.ok(isWithin(parseAddress("::ffff:192.0.2.1") ?? new Uint8Array(), all));
    assert.ok(!isWithin(parseAddress("2001:db8::1") ?? new Uint8Array(), all));
  });
});

suite("Whom an address stands for", () => {
  test("is an IPv4 address itself, mapped into IPv6 or not", () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        assert.equal(addressGroup(address), address);
        assert.equal(addressGroup(`::ffff:${address}`), address);
        assert.equal(addressGroup(`::FFFF:${address}`), address);
      }),
    );
  });

  test("is an IPv6 address's network, however the address is written", () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.ipV6(), fc.integer({ min: 16, max: 128 }), (address, other, prefix) => {
        fc.pre(parseAddress(address)?.length === 16 && parseAddress(other)?.length === 16);
        assert.equal(addressGroup(address.toUpperCase(), prefix), addressGroup(address, prefix));
        assert.equal(addressGroup(canonical(address), prefix), addressGroup(address, prefix));
        const list = new BlockList();
        list.addSubnet(address, prefix, "ipv6");
        assert.equal(
          addressGroup(address, prefix) === addressGroup(other, prefix),
          list.check(other, "ipv6"),
        );
      }),
    );
  });

  test("is the same for a whole /64, and another for the next; a zone does not matter", () => {
    assert.equal(addressGroup("2001:db8:0:1::1"), addressGroup("2001:0db8:0000:0001:ffff:ffff:ffff:ffff"));
    assert.notEqual(addressGroup("2001:db8:0:1::1"), addressGroup("2001:db8:0:2::1"));
    assert.notEqual(addressGroup("2001:db8:0:1::1"), addressGroup("2001:db8:0:10::1"));
    assert.equal(addressGroup("fe80::1%eth0"), addressGroup("fe80::2%eth1"));
    assert.equal(addressGroup("::1"), "0:0:0:0::/64");
    assert.equal(addressGroup("2001:db8:1:2::1", 48), "2001:db8:1::/48");
    assert.equal(addressGroup("2001:db8:1:2fff::1", 56), "2001:db8:1:2f00::/56");
  });
});
