import assert from "node:assert/strict";
import { test } from "node:test";
import { addressGroup, normalizeAddress } from "./address.ts";

test("An IPv4 address that came mapped into IPv6 is written as IPv4", () => {
  assert.equal(normalizeAddress("::ffff:192.0.2.7"), "192.0.2.7");
  assert.equal(normalizeAddress("192.0.2.7"), "192.0.2.7");
  assert.equal(normalizeAddress("2001:db8::1"), "2001:db8::1");
});

test("IPv4 is counted by address, IPv6 by its first 64 bits, however it is shortened", () => {
  assert.equal(addressGroup("192.0.2.7"), "192.0.2.7");
  assert.equal(addressGroup("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2");
  assert.equal(addressGroup("2001:db8:1:2::6"), "2001:db8:1:2");
  assert.equal(addressGroup("2001:db8::6"), "2001:db8:0:0");
  assert.equal(addressGroup("::1"), "0:0:0:0");
  assert.equal(addressGroup("fe80::1%eth0"), "fe80:0:0:0");
  assert.equal(addressGroup("64:ff9b::192.0.2.7"), "64:ff9b:0:0");
});
