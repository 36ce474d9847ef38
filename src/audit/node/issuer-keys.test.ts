import assert from "node:assert/strict";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { z } from "zod";
import { defineStack, everyone, parseContract, upstream } from "../../contract/index.ts";
import type { Contract } from "../../contract/index.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import { testCertificate } from "../fixtures/certificate.ts";
import { fetchIssuerKeys } from "./issuer-keys.ts";

const { cert, key, ca } = await testCertificate();

/** A host of keys that notes what it is asked for. */
async function startHost(
  t: TestContext,
  document: (origin: string) => object,
): Promise<{ origin: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    const { url = "" } = request;
    asked.push(url);
    const body = url.endsWith("openid-configuration") ? document(origin) : { keys: [{ kid: "k1" }] };
    response.setHeader("content-type", "application/json").end(JSON.stringify(body));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `https://localhost:${(server.address() as AddressInfo).port}`;
  return { origin, asked };
}

const contractOf = (issuer: string, jwksUrl?: string): Contract =>
  parseContract(
    defineStack({
      origin: "https://localhost:8443",
      identity: {
        issuer,
        audience: "https://api.test.example",
        ...(jwksUrl === undefined ? {} : { jwksUrl }),
      },
      upstreams: { shop: upstream({ url: "https://localhost:8444", timeoutMs: 1000 }) },
      routes: {
        "GET /api/hours": {
          access: everyone,
          limit: "60/min per client",
          response: z.object({}),
          to: "shop",
        },
      },
    }),
  );

const keysOf = (contract: Contract): ReturnType<typeof fetchIssuerKeys> =>
  fetchIssuerKeys(contract, async () => ca);

test("keys are asked for where the issuer itself is, or where the contract says", async (t) => {
  const issuer = await startHost(t, (origin) => ({ jwks_uri: `${origin}/keys` }));
  assert.deepEqual(await keysOf(contractOf(issuer.origin)), [{ kid: "k1" }]);
  const other = await startHost(t, () => ({}));
  assert.deepEqual(await keysOf(contractOf(issuer.origin, `${other.origin}/keys`)), [{ kid: "k1" }]);
  assert.deepEqual(other.asked, ["/keys"]);
});

test("a discovery document leads nowhere else", async (t) => {
  const other = await startHost(t, () => ({}));
  for (const jwksUri of [`${other.origin}/keys`, "http://localhost/keys", "keys", 1, undefined]) {
    const issuer = await startHost(t, () => ({ jwks_uri: jwksUri }));
    await assert.rejects(keysOf(contractOf(issuer.origin)), (error) =>
      isCurtainwallError(error, "AUDIT_TARGET_UNREACHABLE"),
    );
    assert.equal(issuer.asked.length, 1);
  }
  assert.deepEqual(other.asked, []);
});
