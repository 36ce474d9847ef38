import assert from "node:assert/strict";
import { hash, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request as ask } from "node:https";
import type { Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, test } from "node:test";
import { z } from "zod";
import { defineStack, everyone, parseContract, upstream } from "../../contract/index.ts";
import { makeCertificate } from "../fixtures/certificate.ts";
import { runAudit } from "../node/run.ts";
import type { ReceivedRequest } from "../upstream-witness.ts";
import type { AuditCheck } from "../report.ts";

/** What the gateway or its upstream does wrong. */
type Fault =
  | "says it for a day"
  | "says it of somebody else"
  | "passes on what is refused"
  | "takes any word"
  | "reads what is too long"
  | "takes nothing twice";

const own = await makeCertificate();
const root = mkdtempSync(join(tmpdir(), "curtainwall-arrivals-"));
writeFileSync(join(root, "ca.pem"), own.ca);
let fault: Fault | undefined;
let received: ReceivedRequest[] = [];
const taken = new Set<string>();

const shop = await open(async (request, response) => {
  const { method = "", url: target = "" } = request;
  const body = await buffer(request);
  received.push({ method, target, headers: request.headers, body: { base64: body.toString("base64") } });
  const word = String(request.headers["curtainwall-assertion"]);
  const {
    htm,
    htp,
    body: digest,
  } = JSON.parse(Buffer.from(word.split(".")[1] ?? "", "base64url").toString()) as Said;
  const isRight = htm === method && htp === target && digest === digestOf(body);
  const isStale = fault === "takes nothing twice" && taken.has(word);
  taken.add(word);
  const isTaken = (isRight || fault === "takes any word") && !isStale;
  response.writeHead(isTaken ? 200 : 401, { "content-type": "application/json" }).end('{"ok":true}');
});
const gateway = await open(async (request, response) => {
  const { method = "", url: target = "" } = request;
  const body = await buffer(request);
  const id = randomUUID();
  if (!isDeclared(request, body.toString()) && fault !== "passes on what is refused")
    return refuse(response, id);
  if (target.endsWith("/endless") && fault !== "reads what is too long") return refuse(response, id, 502);
  const now = Math.floor(Date.now() / 1000);
  const said = {
    iss: gateway.origin,
    aud: `${shop.origin}/`,
    ...(fault === "says it of somebody else" ? { sub: "somebody" } : {}),
    htm: method,
    htp: target,
    iat: now,
    exp: now + (fault === "says it for a day" ? 86_400 : 30),
    body: digestOf(body),
  };
  const word = ["", JSON.stringify(said), id]
    .map((part) => Buffer.from(part).toString("base64url"))
    .join(".");
  const headers = { "curtainwall-assertion": word, "request-id": id };
  ask(`${shop.origin}${target}`, { method, headers, ca: own.ca, agent: false }, (answer) => {
    answer.resume();
    if (answer.statusCode !== 200) return refuse(response, id);
    response.writeHead(200, { "content-type": "application/json" }).end('{"ok":true}');
  }).end(body);
});

interface Said {
  htm: string;
  htp: string;
  body?: string;
}

const digestOf = (body: Buffer): string | undefined =>
  body.length === 0 ? undefined : hash("sha256", body, "base64url");

const isDeclared = ({ method, url = "", headers }: IncomingMessage, body: string): boolean =>
  (method === "GET" && /^\/api\/breads\/[a-z]{1,20}$/.test(url)) ||
  (method === "POST" &&
    url === "/api/notes" &&
    headers["content-type"] === "application/json" &&
    headers["content-encoding"] === undefined &&
    /^{"note":"[a-z]{1,20}"}$/.test(body));

function refuse(response: ServerResponse, id: string, status = 400): void {
  response.writeHead(status, { "content-type": "application/problem+json" });
  response.end(JSON.stringify({ type: "about:blank", title: "No", status, code: "TEST", id }));
}

async function open(
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<{ server: Server; origin: `https://${string}` }> {
  const server = createServer({ ...own, minVersion: "TLSv1.3" }, (request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((ready) => server.listen({ host: "localhost", port: 0 }, ready));
  return { server, origin: `https://localhost:${(server.address() as AddressInfo).port}` };
}

after(() => {
  for (const { server } of [gateway, shop]) {
    server.close();
    server.closeAllConnections();
  }
  rmSync(root, { recursive: true });
});

const word = z.string().regex(/^[a-z]{1,20}$/);
const contract = parseContract(
  defineStack({
    origin: gateway.origin,
    upstreams: { shop: upstream({ url: shop.origin, caFile: "ca.pem" }) },
    edge: { redirectPort: false },
    routes: {
      "GET /api/breads/:id": {
        access: everyone,
        limit: "600/min per client",
        params: { id: word },
        response: z.object({ ok: z.boolean() }),
        to: "shop",
      },
      "POST /api/notes": {
        access: everyone,
        limit: "600/min per client",
        body: z.object({ note: word }),
        response: z.object({ ok: z.boolean() }),
        to: "shop",
      },
    },
  }),
);

const names = {
  said: "what an upstream is told is true, of one request, and soon over",
  again: "the gateway's word for one request is refused with any other",
  lies: "what a lying upstream says stays inside",
  broken: "what a schema refuses does not come to its upstream",
} as const;

async function audit(
  planted: Fault | undefined,
  tells = true,
): Promise<(check: keyof typeof names) => AuditCheck> {
  fault = planted;
  received = [];
  const { rows } = await runAudit({
    contract,
    target: new URL(gateway.origin),
    ca: own.ca,
    root,
    only: ["API-1", "API-3", "API-7"],
    plan: {
      samples: {
        "GET /api/breads/:id": { params: { id: "rye" } },
        "POST /api/notes": { body: { note: "sliced" } },
      },
      lies: {
        "GET /api/breads/:id": [{ what: "too much", isTooLong: true, params: { id: "endless" } }],
      },
      ...(tells ? { upstreams: { shop: { received: async () => received.slice(-300) } } } : {}),
    },
  });
  const checks = rows.flatMap((row) => row.checks);
  return (check) => checks.find(({ name }) => name === names[check]) as AuditCheck;
}

test("an honest gateway and an upstream that asks for its word pass; without a witness nothing is said of them", async () => {
  const check = await audit(undefined);
  for (const name of ["said", "again", "broken", "lies"] as const)
    assert.equal(check(name).state, "passed", JSON.stringify(check(name)));
  const blind = await audit(undefined, false);
  for (const name of ["said", "again", "broken"] as const) assert.equal(blind(name).state, "not applicable");
});

for (const [planted, name, state, words] of [
  ["says it for a day", "said", "failed", /good for 86400 seconds/],
  ["says it of somebody else", "said", "failed", /of somebody else/],
  ["passes on what is refused", "broken", "failed", /comes to shop|is served/],
  ["takes any word", "again", "failed", /answered 200/],
  ["reads what is too long", "lies", "failed", /longer than the contract lets/],
  ["takes nothing twice", "again", "missing", /refuses the gateway's own request/],
] as const)
  test(`who ${planted} is found`, async () => {
    const check = (await audit(planted))(name);
    assert.equal(check.state, state, JSON.stringify(check));
    assert.match(JSON.stringify([check.evidence, check.reason]), words);
  });
