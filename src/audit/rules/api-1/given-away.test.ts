import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { z } from "zod";
import { defineStack, parseContract, signedIn, tenant, upstream } from "../../../contract/index.ts";
import { testCertificate } from "../../fixtures/certificate.ts";
import { createIssuer } from "../../fixtures/issuer.ts";
import { verifyToken } from "../../fixtures/tokens.ts";
import { runAudit } from "../../node/run.ts";
import type { AuditCheck } from "../../report.ts";

// A site that refuses by its status, and says what it refuses.

const own = await testCertificate();
const root = mkdtempSync(join(tmpdir(), "curtainwall-given-away-"));
writeFileSync(join(root, "ca.pem"), own.ca);
let isCareless = false;

const server = createServer({ ...own, minVersion: "TLSv1.3" }, (request, response) => {
  void answerTo(request).then(({ status, body }) => {
    const type = status === 200 ? "application/json" : "application/problem+json";
    response.writeHead(status, { "content-type": type }).end(JSON.stringify(body));
  });
});
await new Promise<void>((ready) => server.listen({ host: "localhost", port: 0 }, ready));
const origin = `https://localhost:${(server.address() as AddressInfo).port}` as const;
const { jwk, users, signToken } = await createIssuer(origin);

after(() => {
  server.close();
  server.closeAllConnections();
  rmSync(root, { recursive: true });
});

async function answerTo({ url = "", headers }: IncomingMessage): Promise<{ status: number; body: unknown }> {
  if (url === "/jwks") return { status: 200, body: { keys: [jwk] } };
  const of = /^\/api\/orgs\/(acme|globex)\/bills$/.exec(url)?.[1];
  const body = of === undefined ? { bread: "Rye" } : { bills: `bills of ${of}` };
  const refused = (status: number): { status: number; body: unknown } => ({
    status,
    body: isCareless ? { status, detail: body } : { status },
  });
  const token = /^Bearer ([\w.-]+)$/.exec(headers.authorization ?? "")?.[1] ?? "";
  const claims = await verifyToken(token, { faults: new Set(), contract, jwk }).catch(() => undefined);
  if (claims === undefined) return refused(401);
  return of === undefined || claims["org"] === of ? { status: 200, body } : refused(403);
}

const contract = parseContract(
  defineStack({
    origin,
    identity: {
      issuer: `${origin}/login`,
      audience: "https://api.test.example",
      jwksUrl: `${origin}/jwks`,
      caFile: "ca.pem",
      algorithms: ["RS256"],
      tenantClaim: "org",
    },
    upstreams: { shop: upstream({ url: origin, caFile: "ca.pem" }) },
    edge: { redirectPort: false },
    routes: {
      "GET /api/bread": {
        access: signedIn,
        limit: "600/min per client",
        response: z.object({ bread: z.string() }),
        to: "shop",
      },
      "GET /api/orgs/:org/bills": {
        access: tenant("org"),
        limit: "600/min per client",
        params: { org: z.string().max(20) },
        response: z.object({ bills: z.string() }),
        to: "shop",
      },
    },
  }),
);

/** The checks of API-1, by name. */
async function audit(says: boolean): Promise<Map<string, AuditCheck>> {
  isCareless = says;
  const { rows } = await runAudit({
    contract,
    plan: { identities: users, signToken },
    target: new URL(origin),
    root,
    ca: own.ca,
    only: ["API-1"],
  });
  return new Map(rows.flatMap(({ checks }) => checks.map((check) => [check.name, check])));
}

const honest = await audit(false);
const careless = await audit(true);

for (const name of [
  "another tenant's",
  "token whose header leads to another key",
  "token that its issuer signed, wrong in type, claims or form",
  "token in another place than its own, or beside another",
]) {
  test(`${name}: a refusal that says what it refuses is none`, () => {
    assert.equal(honest.get(name)?.state, "passed");
    assert.equal(careless.get(name)?.state, "failed");
    assert.match(
      careless.get(name)?.evidence[0]?.about ?? "",
      /its answer holds what only who is let in is told/,
    );
  });
}
