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
import { runCheck } from "../check.ts";
import { makeCertificate } from "../fixtures/certificate.ts";
import { openContext } from "../node/open-context.ts";
import type { ReceivedRequest } from "../probes/upstream-witness.ts";
import type { AuditCheck } from "../report.ts";
import { rules } from "./index.ts";

/** What the gateway or its upstream does wrong. */
type Fault =
  | "says it for a day"
  | "says it of somebody else"
  | "passes on what is refused"
  | "passes it on later"
  | "passes it on under another id"
  | "passes it on later, under another id"
  | "has a visitor"
  | "is sent another's word meanwhile"
  | "keeps answers, and is sent another's word"
  | "keeps answers, tells no id of them, and is sent another's word"
  | "has visitors all the time"
  | "tells another id"
  | "takes any word"
  | "reads what is too long"
  | "takes nothing twice"
  | "says it too late"
  | "says it too late at first";

/** What an upstream does before it asks for the gateway's word, and does nothing by. */
type Habit =
  | "looks for a route first"
  | "answers OPTIONS itself"
  | "reads a body first"
  | "takes any word beside OPTIONS"
  | "is out of order";

const own = await makeCertificate();
const root = mkdtempSync(join(tmpdir(), "curtainwall-arrivals-"));
writeFileSync(join(root, "ca.pem"), own.ca);
let fault: Fault | Habit | undefined;
let received: ReceivedRequest[] = [];
const taken = new Set<string>();
const saidBefore = new Set<string>();

const shop = await open(async (request, response) => {
  const { method = "", url: target = "" } = request;
  const body = await buffer(request);
  received.push({ method, target, headers: request.headers, body: { base64: body.toString("base64") } });
  const word = String(request.headers["curtainwall-assertion"]);
  const {
    htm,
    htp,
    exp,
    body: digest,
  } = JSON.parse(Buffer.from(word.split(".")[1] ?? "", "base64url").toString()) as Said;
  const isRight = htm === method && htp === target && digest === digestOf(body);
  const isOver = exp * 1000 <= Date.now();
  const isStale = (fault === "takes nothing twice" || isOver) && taken.has(word);
  taken.add(word);
  if (target.endsWith("/broken")) return void response.writeHead(500).end();
  const habitual = statusByHabit(method, target, body);
  if (habitual !== undefined && !isRight) return void response.writeHead(habitual).end();
  const isTaken = (isRight || fault?.startsWith("takes any word") === true) && !isStale;
  response.writeHead(isTaken ? 200 : 401, { "content-type": "application/json" }).end('{"ok":true}');
});
const gateway = await open(async (request, response) => {
  const { method = "", url: target = "" } = request;
  const body = await buffer(request);
  const id = randomUUID();
  const asked = { method, target, body };
  if (!isDeclared(request, body.toString()) && fault !== "passes on what is refused") {
    await besides(asked, id);
    return refuse(response, id);
  }
  if (target.endsWith("/endless") && fault !== "reads what is too long") return refuse(response, id, 502);
  const isKept = fault?.startsWith("keeps answers") === true && target === "/api/breads/rye";
  const tellsNone = fault === "keeps answers, tells no id of them, and is sent another's word";
  const status = isKept ? 200 : await forward(asked, id);
  // Another check asks beside one that looks, and not when that one looks once more, alone.
  if (isKept && (!tellsNone || (isLooking && ++visits % 2 === 1)))
    await forward({ ...asked, saidOf: "/api/other" }, randomUUID());
  if (fault === "is sent another's word meanwhile")
    await forward({ ...asked, saidOf: "/api/other" }, randomUUID());
  if (status !== 200) return refuse(response, fault === "tells another id" ? randomUUID() : id, status);
  response
    .writeHead(200, { "content-type": "application/json", ...(tellsNone ? {} : { "request-id": id }) })
    .end('{"ok":true,"id":"rye"}');
});

/** What an upstream answers before it asks for the gateway's word. */
function statusByHabit(method: string, target: string, body: Buffer): number | undefined {
  const isOfNote = target.startsWith("/api/notes");
  if (fault === "looks for a route first" && (method === "GET") === isOfNote) return 405;
  if (fault === "looks for a route first" && method === "OPTIONS") return 405;
  if (fault === "answers OPTIONS itself" || fault === "takes any word beside OPTIONS")
    return method === "OPTIONS" ? 204 : undefined;
  if (fault === "reads a body first" && method === "POST" && body.length === 0) return 400;
  return fault === "is out of order" ? 503 : undefined;
}

interface Asked {
  method: string;
  target: string;
  body: Buffer;
  /** What the gateway's word is of, where that is something else. */
  saidOf?: string;
}

let visits = 0;
/** Whether who asks what came is to ask once more what came since. */
let isLooking = false;
let visiting: NodeJS.Timeout | undefined;

/** What goes on while a request is refused. */
async function besides(asked: Asked, id: string): Promise<void> {
  const visit = { method: "GET", target: "/api/breads/rye", body: Buffer.alloc(0) };
  if (fault === "passes it on later") setTimeout(() => void forward(asked, id), 50);
  if (fault === "passes it on under another id") await forward(asked, randomUUID());
  if (fault === "passes it on later, under another id")
    setTimeout(() => void forward(asked, randomUUID()), 50);
  if (fault === "has a visitor" && ++visits === 1) await forward(visit, randomUUID());
  if (fault === "has visitors all the time")
    visiting ??= setInterval(() => void forward(visit, randomUUID()), 20);
}

/** Asks the shop, and says what it answers. */
function forward({ method, target, body, saidOf = target }: Asked, id: string): Promise<number> {
  const now = Math.floor(Date.now() / 1000);
  const said = {
    iss: gateway.origin,
    aud: `${shop.origin}/`,
    ...(fault === "says it of somebody else" ? { sub: "somebody" } : {}),
    htm: method,
    htp: saidOf,
    iat: now,
    exp: now + lifetimeOf(`${method} ${target}`),
    body: digestOf(body),
  };
  const word = ["", JSON.stringify(said), id]
    .map((part) => Buffer.from(part).toString("base64url"))
    .join(".");
  const headers = { "curtainwall-assertion": word, "request-id": id };
  const { promise, resolve } = Promise.withResolvers<number>();
  const { hostname: host, port } = new URL(shop.origin);
  const sent = ask({ host, port, path: target, method, headers, ca: own.ca, agent: false });
  sent.on("response", (answer) => {
    answer.resume();
    resolve(answer.statusCode ?? 0);
  });
  sent.on("error", () => resolve(502));
  sent.end(body);
  return promise;
}

/** Seconds for which the gateway's word is good: none, if it comes after it has ended. */
function lifetimeOf(asked: string): number {
  const isFirst = !saidBefore.has(asked);
  saidBefore.add(asked);
  if (fault === "says it too late" || (fault === "says it too late at first" && isFirst)) return 0;
  return fault === "says it for a day" ? 86_400 : 30;
}

interface Said {
  htm: string;
  exp: number;
  htp: string;
  body?: string;
}

const digestOf = (body: Buffer): string | undefined =>
  body.length === 0 ? undefined : hash("sha256", body, "base64url");

const isDeclared = ({ method, url = "", headers }: IncomingMessage, body: string): boolean =>
  (method === "GET" && /^\/api\/breads\/[a-z]{1,20}$/.test(url)) ||
  ((method === "POST" || method === "PUT") &&
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
  clearInterval(visiting);
  for (const { server } of [gateway, shop]) {
    server.close();
    server.closeAllConnections();
  }
  rmSync(root, { recursive: true });
});

const word = z.string().regex(/^[a-z]{1,20}$/);
const base = {
  access: everyone,
  limit: "600/min per client",
  response: z.object({ ok: z.boolean(), id: z.string() }),
  to: "shop",
} as const;
const reads = { "GET /api/breads/:id": { ...base, params: { id: word } } } as const;
const writes = { ...base, body: z.object({ note: word }) } as const;

const stack = {
  origin: gateway.origin,
  upstreams: { shop: upstream({ url: shop.origin, caFile: "ca.pem" }) },
  edge: { redirectPort: false },
} as const;
const whole = parseContract(defineStack({ ...stack, routes: { ...reads, "POST /api/notes": writes } }));
const writesOnce = parseContract(defineStack({ ...stack, routes: { "POST /api/notes": writes } }));
const writesOften = parseContract(
  defineStack({ ...stack, routes: { "PUT /api/notes": { ...writes, idempotent: true } } }),
);
const keepsAnswers = parseContract(
  defineStack({
    ...stack,
    routes: {
      "GET /api/breads/:id": { ...reads["GET /api/breads/:id"], cache: { seconds: 60 } },
      "POST /api/notes": writes,
    },
  }),
);

const checks = {
  said: ["API-1", "what an upstream is told is true, of one request, and soon over"],
  again: ["API-1", "the gateway's word for one request is refused with any other"],
  lies: ["API-7", "what a lying upstream says stays inside"],
  broken: ["API-3", "what a schema refuses does not come to its upstream"],
} as const;

async function tellAll(): Promise<readonly ReceivedRequest[]> {
  isLooking = !isLooking;
  return received.slice(-300);
}

/** Makes one check of its row: the others of it say nothing about what is looked for here. */
async function audit(
  name: keyof typeof checks,
  planted?: Fault | Habit,
  { tells = true, contract = whole } = {},
): Promise<AuditCheck> {
  const [row, wanted] = checks[name];
  const check = rules.find(({ id }) => id === row)?.checks.find((candidate) => candidate.name === wanted);
  assert.ok(check !== undefined, `there is no check "${wanted}"`);
  fault = planted;
  received = [];
  saidBefore.clear();
  visits = 0;
  isLooking = false;
  const ofReads = <Value>(value: Value): Record<string, Value> =>
    contract.routes.some(({ method }) => method === "GET") ? { "GET /api/breads/:id": value } : {};
  const { context, close } = await openContext({
    contract,
    target: new URL(gateway.origin),
    ca: own.ca,
    root,
    plan: {
      samples: Object.fromEntries(
        contract.routes.map(({ key, method }) => [
          key,
          method === "GET" ? { params: { id: "rye" } } : { body: { note: "sliced" } },
        ]),
      ),
      failures: ofReads({ params: { id: "broken" } }),
      lies: ofReads([{ what: "too much", isTooLong: true, params: { id: "endless" } }]),
      ...(tells ? { upstreams: { shop: { received: tellAll } } } : {}),
    },
  });
  try {
    return await runCheck(check, row, context);
  } finally {
    await close();
    clearInterval(visiting);
    visiting = undefined;
  }
}

for (const name of ["said", "again", "broken", "lies"] as const)
  test(`an honest gateway and an upstream that asks for its word: ${checks[name][1]}`, async () => {
    const check = await audit(name);
    assert.equal(check.state, "passed", JSON.stringify(check));
    if (name !== "lies")
      assert.equal((await audit(name, undefined, { tells: false })).state, "not applicable");
  });

for (const [planted, name, state, words] of [
  ["says it for a day", "said", "failed", /good for 86400 seconds/],
  ["says it of somebody else", "said", "failed", /of somebody else/],
  ["passes on what is refused", "broken", "failed", /comes to shop|is served/],
  ["passes it on later", "broken", "failed", /comes to shop/],
  ["passes it on under another id", "broken", "failed", /under other ids/],
  ["passes it on later, under another id", "broken", "failed", /under other ids/],
  ["tells another id", "broken", "missing", /cannot be matched with answers/],
  ["has visitors all the time", "broken", "missing", /somebody else goes on asking shop/],
  ["takes any word", "again", "failed", /answered 200/],
  ["reads what is too long", "lies", "failed", /longer than the contract lets/],
  ["takes any word beside OPTIONS", "again", "failed", /longer query.*answered 200/],
  ["is out of order", "again", "missing", /neither refuses .* nor takes it .*503/],
  ["takes nothing twice", "again", "missing", /refuses the gateway's own request/],
  ["says it too late", "again", "missing", /ended each time before it could be sent with another request/],
] as const)
  test(`who ${planted} is found`, async () => {
    const check = await audit(name, planted);
    assert.equal(check.state, state, JSON.stringify(check));
    assert.match(JSON.stringify([check.evidence, check.reason]), words);
  });

for (const habit of ["looks for a route first", "answers OPTIONS itself", "reads a body first"] as const)
  test(`an upstream that ${habit} takes the gateway's word for one request alone`, async () => {
    const check = await audit("again", habit);
    assert.equal(check.state, "passed", JSON.stringify(check));
    assert.doesNotMatch(JSON.stringify(check.evidence), /answered (?!401)/);
  });

test("what another visitor asks for meanwhile is not taken for what was refused", async () => {
  const check = await audit("broken", "has a visitor");
  assert.equal(visits > 0, true);
  assert.equal(check.state, "passed", JSON.stringify(check));
});

test("of two requests at one address the one is followed that has the answer's id: another attack may ask there at the same time", async () => {
  const check = await audit("again", "is sent another's word meanwhile");
  assert.equal(check.state, "passed", JSON.stringify(check));
});

for (const planted of [
  "keeps answers, and is sent another's word",
  "keeps answers, tells no id of them, and is sent another's word",
] as const)
  test(`an answer that was kept is followed to nobody: who ${planted}`, async () => {
    const check = await audit("again", planted, { contract: keepsAnswers });
    assert.equal(check.state, "missing");
    assert.match(
      check.reason ?? "",
      /^POST \/api\/notes: what writes is not sent twice, and nothing is read at shop/,
    );
    assert.doesNotMatch(JSON.stringify(check), /refuses the gateway's own/);
  });

test("what is refused because the gateway's word has ended shows nothing: it is asked for anew", async () => {
  const check = await audit("again", "says it too late at first");
  assert.equal(check.state, "passed", JSON.stringify(check));
});

test("where everything writes, whether an upstream takes anything twice is asked where twice is as good as once", async () => {
  const unknown = await audit("again", "takes nothing twice", { contract: writesOnce });
  const refused = await audit("again", "takes nothing twice", { contract: writesOften });
  const taken = await audit("again", undefined, { contract: writesOften });
  assert.equal(unknown.state, "missing");
  assert.match(unknown.reason ?? "", /what writes is not sent twice/);
  assert.equal(refused.state, "missing");
  assert.match(refused.reason ?? "", /refuses the gateway's own request/);
  assert.equal(taken.state, "passed", JSON.stringify(taken));
});
