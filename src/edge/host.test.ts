import assert from "node:assert/strict";
import { test } from "node:test";
import { isCurtainwallError } from "../shared/index.ts";
import { acceptedHosts, isAcceptedHost } from "./host.ts";

test("The origin's host is accepted in any case, with the default port or without", () => {
  const hosts = acceptedHosts("https://www.example.org");
  for (const host of ["www.example.org", "WWW.Example.org", "www.example.org:443"]) {
    assert.equal(isAcceptedHost(hosts, host), true, host);
  }
});

test("Another host, port, suffix, prefix or a trailing dot is not", () => {
  const hosts = acceptedHosts("https://www.example.org");
  const others = [
    "example.org",
    "www.example.org:80",
    "www.example.org.",
    "www.example.org.evil.example",
    "",
    "evil",
  ];
  for (const host of others) assert.equal(isAcceptedHost(hosts, host), false, host);
});

test("A port in the origin is required, and holds for aliases that name none", () => {
  const hosts = acceptedHosts("https://localhost:8443", ["127.0.0.1", "[::1]", "other.test:9000"]);
  for (const host of ["localhost:8443", "127.0.0.1:8443", "[::1]:8443", "other.test:9000"]) {
    assert.equal(isAcceptedHost(hosts, host), true, host);
  }
  for (const host of ["localhost", "127.0.0.1", "other.test"])
    assert.equal(isAcceptedHost(hosts, host), false);
});

test("An origin that is none, or not https, is refused at once", () => {
  for (const origin of [
    "",
    "www.example.org",
    "http://www.example.org",
    "https://www.example.org/path",
    "https://u@h",
  ]) {
    assert.throws(
      () => acceptedHosts(origin),
      (error) => isCurtainwallError(error, "EDGE_OPTION_INVALID"),
      origin,
    );
  }
  for (const alias of ["a/b", "u@h", "a b", ""]) {
    assert.throws(
      () => acceptedHosts("https://www.example.org", [alias]),
      (error) => isCurtainwallError(error, "EDGE_OPTION_INVALID"),
      alias,
    );
  }
});
