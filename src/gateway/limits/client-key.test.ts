import assert from "node:assert/strict";
import { isIPv6, SocketAddress } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { clientKey } from "./client-key.ts";

/** The /64 of an address as Node's own parser sees it. */
function prefixOf(address: string): string {
  const url = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = "", tail] = url.split("::");
  const left = head.split(":").filter(Boolean);
  const right = (tail ?? "").split(":").filter(Boolean);
  const middle = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => "0");
  return [...left, ...middle, ...right].slice(0, 4).join(":");
}

test("an IPv4 client is its address, mapped into IPv6 or not", () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      assert.equal(clientKey(address), address);
      assert.equal(clientKey(`::ffff:${address}`), address);
      assert.equal(clientKey(`::FFFF:${address}`), address);
    }),
  );
});

test("an IPv6 client is its /64, however the address is written", () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      fc.pre(isIPv6(address) && !/^::ffff:/i.test(new URL(`http://[${address}]/`).hostname.slice(1)));
      assert.equal(clientKey(address), `${prefixOf(address)}::/64`);
      assert.equal(clientKey(address.toUpperCase()), clientKey(address));
      const normal = new SocketAddress({ address, family: "ipv6" }).address;
      assert.equal(clientKey(normal), clientKey(address));
    }),
  );
});

test("addresses of one /64 are one client; of the next, another; a zone does not matter", () => {
  assert.equal(clientKey("2001:db8:0:1::1"), clientKey("2001:0db8:0000:0001:ffff:ffff:ffff:ffff"));
  assert.notEqual(clientKey("2001:db8:0:1::1"), clientKey("2001:db8:0:2::1"));
  assert.notEqual(clientKey("2001:db8:0:1::1"), clientKey("2001:db8:0:10::1"));
  assert.equal(clientKey("fe80::1%eth0"), clientKey("fe80::2%eth1"));
  assert.equal(clientKey("::1"), "0:0:0:0::/64");
});
