import assert from "node:assert/strict";
import { createSecureServer } from "node:http2";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { z } from "zod";
import { defineStack, everyone, form, parseContract, role, upstream } from "../../../contract/index.ts";
import { testCertificate } from "../../fixtures/certificate.ts";
import { runCheck } from "../../check.ts";
import { openContext } from "../../node/open-context.ts";
import { defineAudit } from "../../plan/plan.ts";
import type { AuditCheck } from "../../report.ts";
import { noPollution } from "./pollution.ts";

// A site that merges what it is sent into what it has, and refuses it then. What its objects inherit from is its own, so that this process stays
// as it is.

type Way = "the body" | "the query" | "a form" | "cookies" | "a member of the body";
type Effect =
  | "says all that it has"
  | "reads how JSON is laid out"
  | "reads the status of errors"
  | "reads which headers pages may read"
  | "reads who is who"
  | "breaks";

interface Habits {
  /** What it merges. Undefined: nothing. */
  merges?: Way;
  /** It knows of `__proto__`, and of no other name. */
  isHalfCareful?: boolean;
  /** What then shows. */
  effect?: Effect;
  /** No two answers in a row look alike. */
  isFickle?: boolean;
  isBroken?: boolean;
}

type Inherited = Record<string, unknown>;

/** What every object of the site inherits from, as if the site were a process of its own. */
function createPrototype(): Inherited {
  const shared: Inherited = Object.create(Object.prototype);
  Object.defineProperty(shared, "constructor", { value: { prototype: shared } });
  return shared;
}

const own = await testCertificate();
let habits: Habits = {};
let inherited = createPrototype();
let answers = 0;

const server = createSecureServer(
  { key: own.key, cert: own.cert, minVersion: "TLSv1.3", allowHTTP1: true },
  (request, response) => void answer(request, response),
);
await new Promise<void>((ready) => server.listen({ host: "localhost", port: 0 }, ready));
const site = `localhost:${(server.address() as AddressInfo).port}`;
after(() => {
  server.close();
});

/** As it is written everywhere: `target` inherits, and nobody asks what a key is called. */
function merge(target: Inherited, source: object): void {
  for (const [key, value] of Object.entries(source)) {
    if (key === "__proto__" && habits.isHalfCareful === true) continue;
    const known = target[key];
    const isWithin = (one: unknown): one is Inherited => typeof one === "object" && one !== null;
    if (isWithin(value) && isWithin(known)) merge(known, value);
    else target[key] = value;
  }
}

/** `a[b][c]=d` and `a.b=c` as an object. */
function readPairs(text: string): object {
  const lines = [...new URLSearchParams(text)].map(([name, value]) => {
    const keys = name.split(/[[\].]+/).filter((key) => key !== "");
    return keys.reduceRight<string>(
      (inner, key, index) =>
        `{${JSON.stringify(key)}:${index === keys.length - 1 ? JSON.stringify(inner) : inner}}`,
      value,
    );
  });
  const all = Object.create(null) as Inherited;
  for (const line of lines)
    for (const [key, value] of Object.entries(JSON.parse(line) as object))
      Object.defineProperty(all, key, { value, enumerable: true, configurable: true });
  return all;
}

/** Takes over what it was sent, and says what of it is not declared. */
function takeOver(request: Http2ServerRequest, body: string): boolean {
  const settings = Object.create(inherited) as Inherited;
  const [, query = ""] = request.url.split("?");
  const cookies = (request.headers.cookie ?? "").split("; ").flatMap((cookie) => {
    const [, name = "", value = ""] = /^([^=]+)=j:(.*)$/.exec(cookie) ?? [];
    return name === "" ? [] : [`{${JSON.stringify(name)}:${value}}`];
  });
  const isForm = request.headers["content-type"] === "application/x-www-form-urlencoded";
  const json = body === "" || isForm ? {} : (JSON.parse(body) as Record<string, object>);
  const parts: Record<Way, object[]> = {
    "the body": [json],
    "the query": [readPairs(query)],
    "a form": isForm ? [readPairs(body)] : [],
    cookies: cookies.map((text) => JSON.parse(text) as object),
    "a member of the body": "options" in json ? [json["options"]] : [],
  };
  for (const part of habits.merges === undefined ? [] : parts[habits.merges]) merge(settings, part);
  return /__proto__|constructor|prototype/.test(`${decodeURIComponent(query)} ${decodeURIComponent(body)}`);
}

async function answer(request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk as string;
  let isRefused = true;
  try {
    isRefused = takeOver(request, body);
  } catch {
    // What nobody can read is refused.
  }
  const [path] = request.url.split("?");
  const isKnown = ["/api/notes", "/api/letters", "/api/staff"].includes(path ?? "");
  const options = Object.create(inherited) as { roles?: string[]; status?: number };
  const isStaff = request.headers.authorization === "Bearer a.b.staff";
  const mayCome =
    path !== "/api/staff" ||
    isStaff ||
    (habits.effect === "reads who is who" && options.roles?.includes("staff") === true);
  const status = !isKnown ? 404 : !mayCome ? 403 : isRefused ? 400 : 200;
  send(request, response, status, options);
}

function send(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  status: number,
  options: Inherited,
): void {
  answers++;
  const sees = (effect: Effect): boolean => habits.effect === effect;
  const value: Inherited = { ok: status === 200 };
  if (sees("says all that it has")) for (const key in options) value[key] = options[key];
  const spaces = sees("reads how JSON is laid out") ? options["json spaces"] : undefined;
  const layout = habits.isFickle === true ? answers % 2 : (spaces as number | undefined);
  const exposed = sees("reads which headers pages may read") ? options["exposedHeaders"] : undefined;
  const isError = status >= 400 && sees("reads the status of errors");
  const isBroken =
    habits.isBroken === true ||
    (sees("breaks") && Object.keys(inherited).length > 0 && request.method === "POST");
  response.writeHead(isBroken ? 500 : isError ? Number(options["status"] ?? status) : status, {
    "content-type": "application/json",
    ...(exposed === undefined ? {} : { "access-control-expose-headers": JSON.stringify(exposed) }),
    ...(habits.isFickle === true && answers % 2 === 0 ? { "x-turn": "even" } : {}),
  });
  response.end(JSON.stringify(value, null, layout));
}

const response = z.object({ ok: z.boolean() });
const limit = "600/min per client";
const contract = parseContract(
  defineStack({
    origin: `https://${site}`,
    identity: { issuer: `https://${site}/`, audience: "https://api.test.example" },
    upstreams: { shop: upstream({ url: `https://${site}` }) },
    edge: { redirectPort: false },
    routes: {
      "POST /api/notes": {
        access: everyone,
        limit,
        body: z.object({ text: z.string(), options: z.object({ bold: z.boolean() }) }),
        response,
        to: "shop",
      },
      "POST /api/letters": {
        access: everyone,
        limit,
        body: form({ text: z.string() }),
        response,
        to: "shop",
      },
      "GET /api/staff": { access: role("staff"), limit, response, to: "shop" },
    },
  }),
);
const plan = defineAudit({
  identities: {
    visitor: { subject: "visitor", token: async () => "a.b.c" },
    staff: { subject: "staff", roles: ["staff"], token: async () => "a.b.staff" },
  },
  samples: {
    "POST /api/notes": { body: { text: "Hello", options: { bold: true } } },
    "POST /api/letters": { body: { text: "Hello" } },
  },
});

/** What the check says of a site that has these habits. */
async function attack(of: Habits, key: string): Promise<AuditCheck> {
  habits = of;
  inherited = createPrototype();
  const route = contract.routes.find((one) => one.key === key);
  assert.ok(route !== undefined);
  const { context, close } = await openContext({
    contract,
    plan,
    release: undefined,
    target: new URL(contract.origin),
    ca: own.ca,
    root: ".",
    timeoutMs: 20_000,
  });
  try {
    return await runCheck(noPollution, "API-3", { ...context, contract: { ...contract, routes: [route] } });
  } finally {
    await close();
  }
}

for (const key of ["POST /api/notes", "POST /api/letters"])
  test(`${key}: who merges nothing passes, and so does one of whose answers no two look alike`, async () => {
    assert.equal((await attack({}, key)).state, "passed");
    assert.equal((await attack({ isFickle: true }, key)).state, "passed");
  });

const found: readonly [Habits & { merges: Way; effect: Effect }, RegExp][] = [
  [{ merges: "the body", effect: "says all that it has" }, /what was sent is in the answer/],
  [{ merges: "the body", effect: "breaks" }, /the status was 200, and is 500/],
  [{ merges: "the body", effect: "reads how JSON is laid out" }, /laid out was with 0 spaces, and is with 3/],
  [{ merges: "the body", effect: "reads the status of errors" }, /the status was 40\d, and is 510/],
  [{ merges: "the body", effect: "reads which headers pages may read" }, /what was sent is in the answer/],
  [{ merges: "the body", effect: "reads who is who" }, /\/api\/staff .*: the status was 403, and is 200/],
  [{ merges: "the body", effect: "breaks", isHalfCareful: true }, /is 500/],
  [{ merges: "a member of the body", effect: "breaks" }, /is 500/],
  [{ merges: "the query", effect: "says all that it has" }, /what was sent is in the answer/],
  [{ merges: "the query", effect: "breaks", isHalfCareful: true }, /is 500/],
  [{ merges: "a form", effect: "says all that it has" }, /what was sent is in the answer/],
  [{ merges: "cookies", effect: "says all that it has" }, /what was sent is in the answer/],
];
for (const [of, about] of found) {
  const half = of.isHalfCareful === true ? ", but for __proto__" : "";
  test(`a site that merges ${of.merges}${half} and ${of.effect} is found`, async () => {
    const key = of.merges === "a form" ? "POST /api/letters" : "POST /api/notes";
    const { state, evidence } = await attack(of, key);
    assert.equal(state, "failed");
    assert.match(evidence.map((seen) => seen.about).join("\n"), about);
  });
}

test("that nothing changes shows nothing where nobody is served", async () => {
  const { state, reason } = await attack({ isBroken: true }, "POST /api/notes");
  assert.equal(state, "missing");
  assert.match(reason ?? "", /POST \/api\/notes of a visitor: the honest request was answered 500/);
});
