import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { z } from "zod";
import {
  anyOf,
  check,
  everyone,
  none,
  owner,
  ownerLookup,
  parseContract,
  role,
  signedIn,
  upstream,
} from "../src/contract/index.ts";
import {
  createGateway,
  createLimitMemory,
  createLimitStore,
  createTokenVerifier,
} from "../src/gateway/index.ts";
import type { GatewayRequest } from "../src/gateway/index.ts";
import { createKeySource, makeKey, makeToken } from "../src/gateway/fixtures/issuer.ts";

/**
 * Handles requests of routes that differ in one check each, and has Valgrind write down what the instructions are at: `step-costs-worker.ts
 * <requests>`. Started by `step-costs.ts` under callgrind.
 */

const requests = Number(process.argv[2]);
const text = z.string().max(40);
const answer = z.strictObject({
  id: text,
  name: text,
  price: z.number(),
  tags: z.array(text),
  stock: z.int(),
});
const body = z.object({ name: text, note: text, price: z.number(), tags: z.array(text), count: z.int() });
const client = "900000000/min per client";

/** A route by its name, and what it has that the one it is compared with has not. */
const routes: Record<string, object> = {
  bare: { access: everyone, limit: client, response: none },
  "limit by client": { access: everyone, limit: [client, "800000000/min per client"], response: none },
  answer: { access: everyone, limit: client, response: answer },
  etag: { access: everyone, limit: client, response: answer, etag: true },
  visibility: { access: everyone, limit: client, response: answer, visible: { field: "name", is: ["Rye"] } },
  parameters: { access: everyone, limit: client, response: none, params: { id: text } },
  query: { access: everyone, limit: client, response: none, query: { page: z.coerce.number().optional() } },
  headers: { access: everyone, limit: client, response: none, headers: { "x-version": z.enum(["1", "2"]) } },
  body: { access: everyone, limit: client, response: none, body },
  "under way": { access: everyone, limit: client, response: none, concurrency: 9 },
  failures: { access: everyone, limit: client, response: none, failures: "900000/15min per client" },
  budget: { access: everyone, limit: client, response: none, spends: { mail: 1 } },
  token: { access: signedIn, limit: client, response: none },
  "limit by user": { access: signedIn, limit: [client, "900000000/min per user"], response: none },
  "access by role": { access: role("staff"), limit: client, response: none },
  "access by several": { access: anyOf(role("a"), role("staff")), limit: client, response: none },
  "access by check": { access: check("mine", () => true), limit: client, response: none },
  "token, parameters": { access: signedIn, limit: client, response: none, params: { id: text } },
  "access by path": { access: owner("id"), limit: client, response: none, params: { id: text } },
  "access by look-up": {
    access: ownerLookup({ get: "/objects/:id", field: "owner" }),
    limit: client,
    response: none,
    params: { id: text },
  },
};

const methodOf = (route: object): string => ("body" in route ? "POST" : "GET");
const pathOf = (name: string, route: object): string =>
  `/api/${name.replaceAll(/\W+/g, "-")}${"params" in route ? "/:id" : ""}`;

const identity = { issuer: "https://login.example/", audience: "api" };
const key = await makeKey("EdDSA", "k1");
const contract = parseContract({
  kind: "stack",
  origin: "https://localhost",
  identity,
  budgets: { mail: "900000000/h" },
  upstreams: { service: upstream({ url: "https://service.example" }) },
  routes: Object.fromEntries(
    Object.entries(routes).map(([name, route]) => [
      `${methodOf(route)} ${pathOf(name, route)}`,
      { to: "service", ...route },
    ]),
  ),
});
const digest = (value: string): string => createHash("sha256").update(value).digest("base64url");
if (contract.identity === undefined) throw new Error("no identity");
const value = { id: "1", name: "Rye", price: 4.5, tags: ["a", "b"], stock: 3 };
const answerText = JSON.stringify(value);
const gateway = createGateway({
  contract,
  destinations: new Map([
    [
      "service",
      ({ route, target }, done) =>
        target.startsWith("/objects/")
          ? done({ kind: "answer", status: 200, value: { owner: "ada" } })
          : done(
              route.response === undefined
                ? { kind: "answer", status: 204, value: undefined }
                : { kind: "answer", status: 200, value: { ...value }, text: answerText },
            ),
    ],
  ]),
  limits: createLimitStore(createLimitMemory()),
  tokens: createTokenVerifier({
    identity: contract.identity,
    keys: createKeySource([key.jwk]),
    digest,
  }),
  digest,
  events: (event) => {
    // Valgrind, or a neighbour, keeps the thread for longer than a check may.
    if (event.type === "gateway.check.slow") return;
    throw new Error(JSON.stringify(event));
  },
});

const claims = { iss: identity.issuer, aud: identity.audience, sub: "ada", roles: ["staff"] };
const now = Math.floor(Date.now() / 1000);
const token = await makeToken(key, { claims: { ...claims, exp: now + 7200 }, now });
const sent = new TextEncoder().encode(
  JSON.stringify({ name: "Rye", note: "sliced", price: 4.5, tags: ["a", "b"], count: 2 }),
);
const connection = {};

function requestOf(name: string, route: object, number: number): GatewayRequest {
  const isOpen = "access" in route && route.access === everyone;
  const headers: Record<string, string | undefined> = {
    authorization: isOpen ? undefined : `Bearer ${token}`,
    "content-type": "body" in route ? "application/json" : undefined,
    "x-version": "headers" in route ? "1" : undefined,
  };
  return {
    method: methodOf(route),
    path: pathOf(name, route).replace(":id", "ada"),
    query: "query" in route ? `page=${number % 9}` : "",
    remoteAddress: "192.0.2.1",
    connection,
    hasBody: "body" in route,
    header: (header) => headers[header],
    readBody: (_most, done) => done(undefined, sent),
  };
}

async function handle(name: string, route: object, times: number): Promise<void> {
  for (let number = 0; number < times; number++) {
    const request = requestOf(name, route, number);
    // Most answer before they return; only those that wait are waited for.
    let status = 0;
    let told: (() => void) | undefined;
    gateway.handle(request, (reply) => {
      status = reply.status;
      told?.();
    });
    if (status === 0) await new Promise<void>((resolve) => (told = resolve));
    if (status > 299) throw new Error(`${name}: ${status}`);
  }
}

/** Makes an object for each request and nothing else: what counting itself costs. */
async function handleNothing(times: number): Promise<void> {
  for (let number = 0; number < times; number++) requestOf("bare", routes["bare"] ?? {}, number).header("x");
}

const run = promisify(execFile);
const dump = (name: string) => run("callgrind_control", ["-d", name, String(process.pid)]);

for (let round = 0; round < 2; round++)
  for (const [name, route] of Object.entries(routes)) await handle(name, route, 400);
await handleNothing(400);
await dump("warm");
await dump("dump");
await handleNothing(requests);
await dump("nothing");
for (const [name, route] of Object.entries(routes)) {
  await handle(name, route, requests);
  await dump(name.replaceAll(/\W+/g, "-"));
}
console.log(JSON.stringify(Object.keys(routes)));
