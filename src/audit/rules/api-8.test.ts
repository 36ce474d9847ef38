import assert from "node:assert/strict";
import { test } from "node:test";
import { defineStack, parseContract, upstream } from "../../contract/index.ts";
import type { Contract } from "../../contract/index.ts";
import { runCheck } from "../check.ts";
import type { AuditContext } from "../context.ts";
import type { Hop, TlsProbe } from "../probe.ts";
import type { AuditCheck } from "../report.ts";
import { api8 } from "./api-8.ts";

const contractWith = (
  redirectPort: number | false,
  shop = upstream({ url: "https://localhost:2" }),
): Contract =>
  parseContract(defineStack({ origin: "https://localhost:1", upstreams: { shop }, edge: { redirectPort } }));

/** What a plain request gets, by port. */
function look(
  name: string,
  contract: Contract,
  plain: (port: number, request: string) => string,
): Promise<AuditCheck> {
  const check = api8.checks.find((candidate) => candidate.name === name);
  assert.ok(check !== undefined);
  const tls = {
    plain: async ({ port }: Hop, request: string) => new TextEncoder().encode(plain(port, request)),
  } as TlsProbe;
  const context = {
    contract,
    tls,
    target: new URL("https://localhost:1"),
    isLoopback: true,
    mark: () => "marked",
  } as unknown as AuditContext;
  return runCheck(check, "API-8", context);
}

const name = "nothing is served over plain HTTP";
const target = (request: string): string => request.split(" ")[1] ?? "";

test("a port of HTTPS that also serves plain HTTP fails", async () => {
  assert.equal(
    (await look(name, contractWith(false), () => "HTTP/1.1 200 OK\r\n\r\nhello")).verdict,
    "failed",
  );
});

test("a port of HTTPS that closes a plain connection, or answers 400, passes", async () => {
  assert.equal((await look(name, contractWith(false), () => "")).verdict, "passed");
  assert.equal(
    (await look(name, contractWith(false), () => "HTTP/1.1 400 Bad Request\r\n\r\n")).verdict,
    "passed",
  );
});

test("a redirecting port must lead to the same path over https", async () => {
  const answer = (location: (path: string) => string) => (port: number, request: string) =>
    port === 1 ? "" : `HTTP/1.1 308 Permanent Redirect\r\nLocation: ${location(target(request))}\r\n\r\n`;
  const verdictOf = async (location: (path: string) => string): Promise<string> =>
    (await look(name, contractWith(81), answer(location))).verdict;
  assert.equal(await verdictOf((path) => `https://localhost:1${path}`), "passed");
  assert.equal(await verdictOf((path) => `https://attacker.invalid${path}`), "failed");
  assert.equal(await verdictOf(() => "https://localhost:1/"), "failed");
});

test("an upstream over http passes only with its reason, which is shown", async () => {
  const reasoned = contractWith(
    false,
    upstream({ url: "http://127.0.0.1:2", insecureAllowHttp: "listens on loopback only" }),
  );
  const check = await look("every hop is declared https, or says why not", reasoned, () => "");
  assert.equal(check.verdict, "passed");
  assert.match(JSON.stringify(check.evidence), /http, a weakening: listens on loopback only/);
  const silent = { ...reasoned, weakenings: [] };
  assert.equal(
    (await look("every hop is declared https, or says why not", silent, () => "")).verdict,
    "failed",
  );
});
