import assert from "node:assert/strict";
import { createServer, request } from "node:https";
import type { Server } from "node:https";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { z } from "zod";
import { bearer, defineStack, everyone, parseContract, secret, upstream } from "../../contract/index.ts";
import type { Contract } from "../../contract/index.ts";
import { makeCertificate } from "../fixtures/certificate.ts";
import { runAudit } from "../node/run.ts";
import type { AuditImpostor } from "../plan.ts";
import type { AuditCheck } from "../report.ts";

const [own, foreign] = [await makeCertificate(), await makeCertificate()];
const minVersion = "TLSv1.3";
const seen = { connections: 0, requests: 0 };
const service = await open((respond) => {
  seen.requests++;
  respond(200, { ok: true });
});
service.server.on("connection", () => seen.connections++);

/** How the stack under test asks its service. */
let ask: () => Promise<number> = () => Promise.resolve(200);
const front = await open((respond) => void ask().then((status) => respond(status, { ok: true })));
const contract = describe(front.origin, service.origin);

after(() => {
  for (const { server } of [front, service]) {
    server.close();
    server.closeAllConnections();
  }
});

async function open(
  handle: (respond: (status: number, body: unknown) => void) => void,
): Promise<{ server: Server; origin: `https://${string}` }> {
  const server = createServer({ ...own, minVersion }, (_request, response) =>
    handle((status, body) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    }),
  );
  await new Promise<void>((ready) => server.listen({ host: "localhost", port: 0 }, ready));
  return { server, origin: `https://localhost:${(server.address() as AddressInfo).port}` };
}

function describe(origin: string, at: `https://${string}`): Contract {
  return parseContract(
    defineStack({
      origin,
      upstreams: { shop: upstream({ url: at }) },
      secrets: {
        SHOP_KEY: secret({
          use: { request: `GET ${at}/api/stock` },
          by: ["GET /api/stock"],
          inject: bearer(),
          rotateEveryDays: 90,
        }),
      },
      egress: { origins: { [at]: {} } },
      edge: { redirectPort: false },
      routes: {
        "GET /api/stock": {
          access: everyone,
          limit: "60/min per client",
          response: z.object({ ok: z.boolean() }),
          to: "shop",
        },
      },
    }),
  );
}

/** Asks the service anew, without a connection from before. */
function askService(rejectUnauthorized: boolean): () => Promise<number> {
  return () =>
    new Promise((resolve) => {
      const sent = request(`${service.origin}/api/stock`, { ca: own.ca, rejectUnauthorized, agent: false });
      sent.on("response", (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      sent.on("error", () => resolve(502));
      sent.end();
    });
}

async function placeImpostor(): Promise<AuditImpostor> {
  Object.assign(seen, { connections: 0, requests: 0 });
  service.server.setSecureContext({ ...foreign, minVersion });
  return {
    seen: () => Promise.resolve({ ...seen }),
    leave: () => Promise.resolve(service.server.setSecureContext({ ...own, minVersion })),
  };
}

async function audit(
  impostors?: Record<string, typeof placeImpostor>,
  { row, place } = { row: "SEC-5", place: "a service" },
): Promise<AuditCheck> {
  const { rows } = await runAudit({
    contract,
    plan: impostors === undefined ? {} : { impostors },
    target: new URL(front.origin),
    root: import.meta.dirname,
    ca: own.ca,
    only: [row],
  });
  const check = rows
    .flatMap(({ checks }) => checks)
    .find(({ name }) => name === `an impostor in ${place}'s place is sent nothing`);
  assert.ok(check !== undefined);
  return check;
}

test("who verifies the service's certificate tells an impostor nothing", async () => {
  ask = askService(true);
  const { state, reason } = await audit({ [service.origin]: placeImpostor });
  assert.deepEqual([state, reason], ["passed", undefined]);
  assert.equal(await ask(), 200, "the place was given back");
});

test("a request that an impostor could read is a failure", async () => {
  ask = askService(false);
  const { state, evidence } = await audit({ [service.origin]: placeImpostor });
  assert.equal(state, "failed");
  assert.match(evidence[0]?.about ?? "", /it is sent the request/);
});

test("that nobody came, that nothing is served and that no impostor can come are no passes", async () => {
  ask = () => Promise.resolve(200);
  assert.match((await audit({ [service.origin]: placeImpostor })).reason ?? "", /nobody came/);
  ask = () => Promise.resolve(502);
  assert.match((await audit({ [service.origin]: placeImpostor })).reason ?? "", /was answered 502/);
  assert.match((await audit()).reason ?? "", /impostors name no service/);
});

test("the same is seen of the gateway, where the impostor takes an upstream's place", async () => {
  const upstreams = { row: "API-8", place: "an upstream" };
  const impostors = { [service.origin]: placeImpostor };
  ask = askService(true);
  assert.equal((await audit(impostors, upstreams)).state, "passed");
  ask = askService(false);
  assert.equal((await audit(impostors, upstreams)).state, "failed");
  assert.equal((await audit(undefined, upstreams)).state, "not applicable");
});
