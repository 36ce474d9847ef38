import assert from "node:assert/strict";
import { test } from "node:test";
import { isPublicAddress } from "./public-address.ts";

test("only addresses of the public internet are public", () => {
  for (const address of ["1.1.1.1", "93.184.215.14", "172.32.0.1", "2606:4700::1111"])
    assert.ok(isPublicAddress(address), address);
  for (const address of [
    ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1"],
    ...["224.0.0.1", "255.255.255.255", "::", "::1", "::ffff:10.0.0.1", "fe80::1", "fd00::1", "ff02::1"],
    ...["64:ff9b::a00:1", "2001:db8::1", "2002:a00:1::", "", "example.com", "1.1.1", "01.1.1.1"],
  ])
    assert.ok(!isPublicAddress(address), address);
});
