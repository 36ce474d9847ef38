import assert from "node:assert/strict";
import { test } from "node:test";
import { defineStack, parseContract, upstream } from "../../../contract/index.ts";
import type { Contract } from "../../../contract/index.ts";
import { runCheck } from "../../check.ts";
import { createCommands } from "../../commands.ts";
import type { AuditContext } from "../../context.ts";
import type { Hop, TlsProbe } from "../../probes/probe.ts";
import type { AuditCheck } from "../../report.ts";
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
    commands: createCommands({ folder: ".", address: undefined, environment: [], start: undefined }),
  } as unknown as AuditContext;
  return runCheck(check, "API-8", context);
}

const name = "nothing is served over plain HTTP";
const target = (request: string): string => request.split(" ")[1] ?? "";

test("a port of HTTPS that also serves plain HTTP fails", async () => {
  assert.equal((await look(name, contractWith(false), () => "HTTP/1.1 200 OK\r\n\r\nhello")).state, "failed");
});

test("a port of HTTPS that closes a plain connection, or answers 400, passes", async () => {
  assert.equal((await look(name, contractWith(false), () => "")).state, "passed");
  assert.equal(
    (await look(name, contractWith(false), () => "HTTP/1.1 400 Bad Request\r\n\r\n")).state,
    "passed",
  );
});

test("a redirecting port must lead to the same path over https", async () => {
  const answer = (location: (path: string) => string) => (port: number, request: string) =>
    port === 1 ? "" : `HTTP/1.1 308 Permanent Redirect\r\nLocation: ${location(target(request))}\r\n\r\n`;
  const verdictOf = async (location: (path: string) => string): Promise<string> =>
    (await look(name, contractWith(81), answer(location))).state;
  assert.equal(await verdictOf((path) => `https://localhost:1${path}`), "passed");
  assert.equal(await verdictOf((path) => `https://attacker.invalid${path}`), "failed");
  assert.equal(await verdictOf(() => "https://localhost:1/"), "failed");
});

const declared = "every hop is declared https";

/** What is said of an upstream at that address. */
const lookAtHop = (url: string, insecureAllowHttp?: string): Promise<AuditCheck> =>
  look(
    declared,
    contractWith(false, upstream({ url, ...(insecureAllowHttp === undefined ? {} : { insecureAllowHttp }) })),
    () => "",
  );

test("an upstream over https passes", async () => {
  assert.equal((await lookAtHop("https://shop.internal")).state, "passed");
});

test("an upstream over http to another host fails, whatever reason the contract gives, and shows it", async () => {
  const check = await lookAtHop("http://shop.internal", "the network is ours");
  assert.equal(check.state, "failed");
  assert.equal(
    check.evidence[0]?.about,
    'upstreams.shop is http to shop.internal, readable on the way (insecureAllowHttp: "the network is ours")',
  );
});

test("an upstream over http on this machine is no pass: nothing shows who answers there", async () => {
  for (const host of ["127.0.0.1:2", "localhost:2", "[::1]:2"]) {
    const check = await lookAtHop(`http://${host}`, "listens on loopback only");
    assert.equal(check.state, "missing", host);
    assert.match(
      check.reason ?? "",
      /http on this machine \(insecureAllowHttp: "listens on loopback only"\)/,
    );
  }
});

test("one hop over http is not made up for by another over https", async () => {
  const contract = parseContract(
    defineStack({
      origin: "https://localhost:1",
      upstreams: {
        shop: upstream({ url: "https://shop.internal" }),
        stock: upstream({ url: "http://127.0.0.1:2", insecureAllowHttp: "listens on loopback only" }),
      },
    }),
  );
  assert.equal((await look(declared, contract, () => "")).state, "missing");
});

test("without any hop the checks of hops do not apply", async () => {
  const alone = parseContract(defineStack({ origin: "https://localhost:1" }));
  for (const hopCheck of [declared, "every https hop behind it speaks TLS 1.3 and verifies"])
    assert.equal((await look(hopCheck, alone, () => "")).state, "not applicable");
});

test("every address of an upstream is a hop of its own", async () => {
  const urls = ["https://a.internal", "https://b.internal", "https://c.internal:8443"] as const;
  const check = await look(
    "every hop is declared https",
    contractWith(false, upstream({ url: urls })),
    () => "",
  );
  assert.equal(check.state, "passed");
  const told = JSON.stringify(check);
  for (const host of ["a.internal", "b.internal", "c.internal:8443"]) assert.ok(told.includes(host), told);
});
