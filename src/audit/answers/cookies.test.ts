import assert from "node:assert/strict";
import { test } from "node:test";
import { createCookieJar } from "./cookies.ts";

const at = (path: string, host = "login.test.example"): URL => new URL(path, `https://${host}`);

test("a cookie goes back to its own host and path only (RFC 6265 §5.4)", () => {
  const jar = createCookieJar();
  jar.store(at("/login/form"), ["a=1; Path=/login; HttpOnly", "b=2; Path=/"]);
  assert.equal(jar.header(at("/login/form")), "a=1; b=2");
  assert.equal(jar.header(at("/loginx")), "b=2");
  assert.equal(jar.header(at("/login", "other.test.example")), undefined);
  assert.equal(jar.header(at("/login", "sub.login.test.example")), undefined);
});

test("a cookie for a domain goes to its subdomains, and a stranger's domain is not taken", () => {
  const jar = createCookieJar();
  jar.store(at("/"), ["a=1; Domain=test.example; Path=/", "b=2; Domain=bank.example; Path=/"]);
  assert.equal(jar.header(at("/", "api.test.example")), "a=1");
  assert.equal(jar.header(at("/", "bank.example")), undefined);
});

test("a cookie that is over is forgotten", () => {
  const jar = createCookieJar();
  jar.store(at("/"), ["a=1; Path=/", "b=2; Path=/"]);
  jar.store(at("/"), ["a=; Path=/; Max-Age=0", "b=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]);
  assert.equal(jar.header(at("/")), undefined);
});
