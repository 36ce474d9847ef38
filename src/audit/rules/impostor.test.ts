import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:https";
import type { RequestOptions, Server } from "node:https";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { z } from "zod";
import { bearer, defineStack, everyone, parseContract, secret, upstream } from "../../contract/index.ts";
import type { Contract } from "../../contract/index.ts";
import { makeAuthority, makeCertificate } from "../fixtures/certificate.ts";
import type { TestCertificate } from "../fixtures/certificate.ts";
import { runAudit } from "../node/run.ts";
import type { AuditImpostor, AuditImpostors } from "../plan/plan.ts";
import type { AuditCheck } from "../report.ts";

const authority = await makeAuthority();
const [own, misnamed] = [await authority.issue("localhost"), await authority.issue("elsewhere.localhost")];
const foreign = await makeCertificate();
const root = mkdtempSync(join(tmpdir(), "curtainwall-impostor-"));
writeFileSync(join(root, "ca.pem"), own.ca);
const minVersion = "TLSv1.3";
const seen = { hellos: 0, requests: 0 };
const service = await open((respond) => {
  seen.requests++;
  respond(200, { ok: true });
});
const greeted = new WeakSet<object>();
service.server.on("keylog", (_line: Buffer, socket: object) => {
  if (!greeted.has(socket)) seen.hellos++;
  greeted.add(socket);
});

/** How the stack under test asks its service. */
let ask: () => Promise<number> = () => Promise.resolve(200);
const front = await open((respond) => void ask().then((status) => respond(status, { ok: true })));
const contract = describe(front.origin, service.origin);

after(() => {
  for (const { server } of [front, service]) {
    server.close();
    server.closeAllConnections();
  }
  rmSync(root, { recursive: true });
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
      upstreams: { shop: upstream({ url: at, caFile: "ca.pem" }) },
      secrets: {
        SHOP_KEY: secret({
          use: { request: `GET ${at}/api/stock` },
          by: ["GET /api/stock"],
          inject: bearer(),
          rotateEveryDays: 90,
        }),
      },
      egress: { origins: { [at]: { caFile: "ca.pem" } } },
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
function askService(careless: Pick<RequestOptions, "rejectUnauthorized" | "checkServerIdentity"> = {}) {
  return (): Promise<number> =>
    new Promise((resolve) => {
      const sent = request(`${service.origin}/api/stock`, { ca: own.ca, ...careless, agent: false });
      sent.on("response", (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      sent.on("error", () => resolve(502));
      sent.end();
    });
}

/** Looks whether anybody listens there, and says nothing. */
async function connectAndGo(): Promise<void> {
  const socket = connect({ host: "localhost", port: Number(new URL(service.origin).port) }, () =>
    socket.end(),
  );
  socket.resume();
  await once(socket, "close");
}

const put = (shown: TestCertificate) => async (): Promise<AuditImpostor> => {
  Object.assign(seen, { hellos: 0, requests: 0 });
  service.server.setSecureContext({ ...shown, minVersion });
  return {
    seen: () => Promise.resolve({ ...seen }),
    leave: () => Promise.resolve(service.server.setSecureContext({ ...own, minVersion })),
  };
};
const both: AuditImpostors = { wrongAuthority: put(foreign), wrongName: put(misnamed) };

async function audit(
  impostors: AuditImpostors | undefined = both,
  { row, place } = { row: "SEC-5", place: "a service" },
): Promise<AuditCheck> {
  const { rows } = await runAudit({
    contract,
    plan: "wrongAuthority" in impostors ? { impostors: { [service.origin]: impostors } } : {},
    target: new URL(front.origin),
    root,
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
  ask = askService();
  const { state, reason, observations } = await audit();
  assert.deepEqual([state, reason, observations], ["passed", undefined, 2]);
  assert.equal(await ask(), 200, "the place was given back");
});

test("a request that an impostor could read is a failure", async () => {
  ask = askService({ rejectUnauthorized: false });
  const { state, failing, evidence } = await audit();
  assert.deepEqual([state, failing], ["failed", 2]);
  assert.match(evidence[0]?.about ?? "", /it is sent the request/);
});

test("who looks at the authority and at no name is found, where the plan has somebody with another name", async () => {
  ask = askService({ checkServerIdentity: () => undefined });
  const { state, failing, evidence } = await audit();
  assert.deepEqual([state, failing], ["failed", 1]);
  assert.match(evidence[0]?.about ?? "", /an impostor with another name/);
  const { state: without, reason } = await audit({ wrongAuthority: both.wrongAuthority });
  assert.equal(without, "missing");
  assert.match(reason ?? "", /nobody showed that the name in a certificate is looked at/);
});

test("a request that comes later, to be tried again, is seen", async () => {
  const [careful, careless] = [askService(), askService({ rejectUnauthorized: false })];
  ask = async () => {
    const status = await careful();
    if (status !== 200) setTimeout(() => void careless(), 150);
    return status;
  };
  assert.equal((await audit()).state, "failed");
});

test("who connects and says no hello has not seen a certificate", async () => {
  const honest = askService();
  let isStanding = false;
  const watched = (place: () => Promise<AuditImpostor>) => async (): Promise<AuditImpostor> => {
    isStanding = true;
    const { leave, ...impostor } = await place();
    return { ...impostor, leave: () => leave().then(() => void (isStanding = false)) };
  };
  ask = () => (isStanding ? connectAndGo().then(() => 502) : honest());
  const { state, reason } = await audit({
    wrongAuthority: watched(both.wrongAuthority),
    wrongName: watched(put(misnamed)),
  });
  assert.equal(state, "missing");
  assert.match(reason ?? "", /nobody came to an impostor of another authority .* and said hello/);
});

test("an impostor who is not what the plan says shows nothing", async () => {
  ask = askService();
  const confused = await audit({ wrongAuthority: put(misnamed), wrongName: put(foreign) });
  assert.equal(confused.state, "missing");
  assert.match(confused.reason ?? "", /its certificate is for DNS:elsewhere\.localhost/);
  assert.match(confused.reason ?? "", /its certificate is for DNS:localhost \([A-Z_]+\)/);
  assert.match((await auditCounting(() => 0)).reason ?? "", /a hello to it is not counted/);
  let connections = 0;
  service.server.on("connection", () => connections++);
  assert.match((await auditCounting(() => connections)).reason ?? "", /what is no hello counts as one/);
});

/** What is said of an impostor who counts hellos so. */
const auditCounting = (hellos: () => number): Promise<AuditCheck> =>
  audit({
    ...both,
    wrongAuthority: async () => {
      const { leave } = await both.wrongAuthority();
      return { leave, seen: async () => ({ hellos: hellos(), requests: seen.requests }) };
    },
  });

test("that nobody came, that nothing is served and that no impostor can come are no passes", async () => {
  ask = () => Promise.resolve(200);
  assert.match((await audit()).reason ?? "", /nobody came/);
  ask = () => Promise.resolve(502);
  assert.match((await audit()).reason ?? "", /was answered 502/);
  assert.match((await audit({} as AuditImpostors)).reason ?? "", /impostors name no service/);
});

test("the same is seen of the gateway, where the impostor takes an upstream's place", async () => {
  const upstreams = { row: "API-8", place: "an upstream" };
  ask = askService();
  assert.equal((await audit(both, upstreams)).state, "passed");
  ask = askService({ rejectUnauthorized: false });
  assert.equal((await audit(both, upstreams)).state, "failed");
  assert.equal((await audit({} as AuditImpostors, upstreams)).state, "not applicable");
});
