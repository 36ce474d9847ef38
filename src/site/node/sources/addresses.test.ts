import assert from "node:assert/strict";
import { test } from "node:test";
import { isAllowedAddress } from "./addresses.ts";

const pim = new URL("https://pim.example/");
const refusedAlways = [
  // For documentation: nobody has it.
  "2001:db8::1",
  "169.254.169.254",
  "169.254.0.1",
  "::ffff:169.254.169.254",
  "64:ff9b::a9fe:a9fe",
  "64:ff9b:1::a9fe:a9fe",
  "64:ff9b::6464:64c8",
  "64:ff9b::a83f:8110",
  "2002:6464:64c8::1",
  "::169.254.169.254",
  "::ffff:0:169.254.169.254",
  "fd00:ec2::254",
  "100.100.100.200",
  "168.63.129.16",
  "fe80::1",
  "0.0.0.0",
  "::",
  "224.0.0.1",
  "255.255.255.255",
  "no address",
];
const privateOnes = [
  "10.0.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "100.64.0.1",
  "127.0.0.1",
  "::1",
  "fc00::1",
  "::ffff:10.0.0.1",
];
const publicOnes = ["93.184.215.14", "8.8.8.8", "172.32.0.1", "2606:4700::1111"];

test("a name of the public internet leads to public addresses alone", () => {
  for (const address of publicOnes)
    assert.ok(isAllowedAddress(address, { url: pim, allowPrivate: false }), address);
  for (const address of [...privateOnes, ...refusedAlways])
    assert.ok(!isAllowedAddress(address, { url: pim, allowPrivate: false }), address);
});

test("a contract that says why reaches private addresses, and never those where clouds keep credentials", () => {
  for (const address of [...privateOnes, ...publicOnes])
    assert.ok(isAllowedAddress(address, { url: pim, allowPrivate: true }), address);
  for (const address of refusedAlways)
    assert.ok(!isAllowedAddress(address, { url: pim, allowPrivate: true }), address);
});

test("a contract that names this machine reaches it and nothing else", () => {
  const url = new URL("http://localhost:3000/");
  for (const address of ["127.0.0.1", "127.8.8.8", "::1"])
    assert.ok(isAllowedAddress(address, { url, allowPrivate: false }));
  for (const address of ["10.0.0.1", "8.8.8.8", "169.254.169.254"])
    assert.ok(!isAllowedAddress(address, { url, allowPrivate: true }), address);
});
