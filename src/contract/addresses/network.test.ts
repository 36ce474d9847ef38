import assert from "node:assert/strict";
import { BlockList, isIP } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { formatAddress, parseAddress } from "../../shared/index.ts";
import type { AddressBytes } from "../../shared/index.ts";
import { networkOf, networkOfHost } from "./network.ts";

test("addresses of the internet, of private networks and of this machine are told apart", () => {
  for (const [address, network] of [
    ["9.9.9.9", "public"],
    ["2620:fe::9", "public"],
    ["::ffff:9.9.9.9", "public"],
    ["10.0.0.1", "private"],
    ["172.31.255.255", "private"],
    ["172.32.0.0", "public"],
    ["192.168.1.1", "private"],
    ["100.64.0.1", "private"],
    ["fd12:3456::1", "private"],
    ["::ffff:10.0.0.1", "private"],
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["::1", "loopback"],
    ["::ffff:127.0.0.1", "loopback"],
  ] as const)
    assert.equal(networkOf(address), network, address);
});

test("no network holds metadata services, link-local, multicast and reserved addresses, or IPv4 in disguise", () => {
  for (const address of [
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::1%eth0",
    "0.0.0.0",
    "0.1.2.3",
    "::",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "ff02::1",
    "::10.0.0.1",
    "::ffff:0:10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:a9fe:a9fe::1",
    "2001:0:a9fe::1",
    "2001:db8::1",
    "fec0::1",
    "010.0.0.1",
    "0x7f.1",
    "2130706433",
    "shop.example",
    "",
  ])
    assert.equal(networkOf(address), undefined, address);
});

test("a name says where it lies only if public DNS can't hold it", () => {
  for (const [host, network] of [
    ["localhost", "loopback"],
    ["shop.localhost", "loopback"],
    ["[::1]", "loopback"],
    ["127.0.0.1", "loopback"],
    ["10.1.2.3", "private"],
    ["shop", "private"],
    ["shop.internal", "private"],
    ["shop.default.svc.cluster.local", "private"],
    ["nas.home.arpa", "private"],
    ["shop.example", "public"],
    ["notlocalhost.example", "public"],
    ["internal.example", "public"],
    ["xlocal.com", "public"],
    ["169.254.169.254", undefined],
  ] as const)
    assert.equal(networkOfHost(host), network, host);
});

/** The other list does not look through IPv4 that is mapped into IPv6. */
const plain = (address: string): string => formatAddress(parseAddress(address) as AddressBytes);

test("no address is public here that the list of Node's own kind holds back", () => {
  const v4 = fc.ipV4();
  const v6 = fc.ipV6();
  const near = fc
    .tuple(fc.constantFrom("10", "127", "169.254", "172.16", "192.168", "100.64", "198.18", "224"), fc.ipV4())
    .map(([start, rest]) => [...start.split("."), ...rest.split(".")].slice(0, 4).join("."));
  fc.assert(
    fc.property(fc.oneof(v4, v6, near), (address) => {
      if (networkOf(address) === "public") assert.ok(isPublicAddress(plain(address)), address);
    }),
    { numRuns: 2000 },
  );
});

/** The reference: what does not lead to the public internet, in the words of Node's own lists. */
const special = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const)
  special.addSubnet(network, prefix, "ipv4");
/** Global unicast is 2000::/3; within it, these embed or name other networks. */
for (const [network, prefix] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const)
  special.addSubnet(network, prefix, "ipv6");
const globalUnicast = new BlockList();
globalUnicast.addSubnet("2000::", 3, "ipv6");

/** Whether an IP address, written as text, leads to the public internet. Anything else leads nowhere public. */
function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !special.check(address, "ipv4");
    case 6:
      return globalUnicast.check(address, "ipv6") && !special.check(address, "ipv6");
    default:
      return false;
  }
}
