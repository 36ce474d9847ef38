import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { suite, test } from "node:test";
import { z } from "zod";
import {
  defineStack,
  everyone,
  none,
  owner,
  parseContract,
  signedIn,
  upstream,
} from "../../contract/index.ts";
import type { SecurityEvent } from "../../contract/index.ts";
import { callGateway, origin, partner } from "../fixtures/bakery.ts";
import { createKeySource, identity, makeKey, makeToken } from "../fixtures/issuer.ts";
import { createGateway } from "../gateway.ts";
import type { Gateway } from "../gateway.ts";
import { createLimitMemory, createLimitStore } from "../limits/rate-limit.ts";
import type { ForwardedRequest } from "../types.ts";
import { createRevocationMemory, openRevocations } from "./revocations.ts";
import { createSessionVerifier } from "./session-verifier.ts";
import type { Session, SessionStore } from "./session-verifier.ts";
import { createTokenVerifier } from "./token-verifier.ts";

const digest = (text: string): string => createHash("sha256").update(text).digest("base64url");
const id = "A".repeat(43);
const cookie = `__Host-session=${id}`;
const startMs = 1_800_000_000_000;
const key = await makeKey("EdDSA", "k1");

const shared = { limit: "6000/min per client", response: z.object({ ok: z.boolean() }), to: "shop" } as const;
const contract = parseContract(
  defineStack({
    origin,
    identity: { issuer: identity.issuer, audience: identity.audience },
    sessions: {},
    cors: { origins: [partner] },
    upstreams: { shop: upstream({ url: "https://shop.bakery.test" }) },
    routes: {
      "GET /api/me": { access: signedIn, ...shared },
      "GET /api/users/:user": { access: owner("user"), params: { user: z.string() }, ...shared },
      "POST /api/orders": { access: signedIn, body: none, ...shared },
      "GET /api/drafts": {
        access: everyone,
        visible: { field: "state", is: ["published"], unless: signedIn },
        ...shared,
        response: z.object({ ok: z.boolean(), state: z.string() }),
      },
      "GET /api/open": { access: everyone, ...shared },
      "GET /api/kept": { access: signedIn, ...shared, cache: { seconds: 60, browserSeconds: 30 } },
    },
  }),
);

interface Opened {
  readonly gateway: Gateway;
  readonly sessions: Map<string, Session>;
  readonly asked: string[];
  readonly clock: { now: number };
  readonly events: SecurityEvent[];
  readonly forwarded: ForwardedRequest[];
  readonly revocations: ReturnType<typeof openRevocations>;
  ask(method: string, target: string, headers?: Record<string, string>, token?: string): Promise<number>;
  codes(): unknown[];
}

/** A gateway with a store of sessions; `find` replaces what it answers. */
function open({ find, timeoutMs }: { find?: SessionStore["find"]; timeoutMs?: number } = {}): Opened {
  const clock = { now: startMs };
  const events: SecurityEvent[] = [];
  const forwarded: ForwardedRequest[] = [];
  const asked: string[] = [];
  const begun = startMs / 1000 - 60;
  const sessions = new Map<string, Session>([
    [
      digest(id),
      { caller: { subject: "alice", roles: [] }, issuedAt: begun, expiresMs: startMs + 3_600_000 },
    ],
  ]);
  const revocations = openRevocations(createRevocationMemory({ slots: 1024 }));
  const gateway = createGateway({
    contract,
    limits: createLimitStore(createLimitMemory({ now: clock.now })),
    tokens: createTokenVerifier({ identity, keys: createKeySource([key.jwk]), digest, now: () => clock.now }),
    sessions: createSessionVerifier({
      store: {
        find: (name) => {
          asked.push(name);
          return find === undefined ? sessions.get(name) : find(name);
        },
      },
      digest,
      revocations,
      events: (event) => events.push(event),
      now: () => clock.now,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    }),
    events: (event) => events.push(event),
    now: () => clock.now,
    destinations: new Map([
      [
        "shop",
        (request, done) => {
          forwarded.push(request);
          done({ kind: "answer", status: 200, value: { ok: true, state: "draft" } });
        },
      ],
    ]),
  });
  return {
    gateway,
    sessions,
    asked,
    clock,
    events,
    forwarded,
    revocations,
    codes: () => events.flatMap((event) => ("code" in event ? [event.code] : [])),
    async ask(method, target, headers = {}, token) {
      const call = { method, target, headers, ...(token === undefined ? {} : { token }) };
      return (await callGateway(gateway, call)).status;
    },
  };
}

const ownPage = { "sec-fetch-site": "same-origin" };

suite("A session", () => {
  test("says who calls, is looked up by its digest, and goes no further", async () => {
    const { ask, asked, forwarded, events } = open();
    assert.equal(await ask("GET", "/api/users/alice", { cookie, ...ownPage }), 200);
    assert.equal(await ask("GET", "/api/users/bob", { cookie, ...ownPage }), 403);
    assert.equal(await ask("GET", "/api/me", ownPage), 401);
    assert.deepEqual(asked, [digest(id)], "looked up once in two seconds");
    assert.equal(forwarded[0]?.caller?.subject, "alice");
    assert.ok(!JSON.stringify([events, forwarded]).includes(id));
  });

  test("is asked for again after two seconds, and refused from the moment that it ends", async () => {
    const { ask, asked, sessions, clock } = open();
    assert.equal(await ask("GET", "/api/me", { cookie }), 200);
    sessions.clear();
    clock.now += 1999;
    assert.equal(await ask("GET", "/api/me", { cookie }), 200);
    clock.now += 1;
    assert.equal(await ask("GET", "/api/me", { cookie }), 401);
    assert.equal(asked.length, 2);
    const ending = open();
    const [name = "", session] = [...ending.sessions][0] ?? [];
    ending.sessions.set(name, { ...(session as Session), expiresMs: startMs + 500 });
    assert.equal(await ending.ask("GET", "/api/me", { cookie }), 200);
    ending.clock.now += 500;
    assert.equal(await ending.ask("GET", "/api/me", { cookie }), 401);
  });

  test("that was revoked is refused at once, whatever is remembered; one that began later is not", async () => {
    const { ask, sessions, revocations } = open();
    assert.equal(await ask("GET", "/api/me", { cookie }), 200);
    revocations.revoke("alice", startMs / 1000);
    assert.equal(await ask("GET", "/api/me", { cookie }), 401);
    const [name = "", session] = [...sessions][0] ?? [];
    sessions.set(name, { ...(session as Session), issuedAt: startMs / 1000 + 1 });
    assert.equal(await ask("GET", "/api/me", { cookie }), 200);
  });

  test("that any other than the one value names is none: no blank, no quote, nothing short, nothing long, no second one", async () => {
    const { ask, asked, codes } = open();
    for (const value of [
      "",
      "short",
      `${id}=`,
      `"${id} "`,
      `${id}%41`,
      `${id}\u00e9`,
      "A".repeat(129),
      "A".repeat(100_000),
    ])
      assert.equal(
        await ask("GET", "/api/me", { cookie: `__Host-session=${value}` }),
        401,
        value.slice(0, 60),
      );
    // Shadowing: what a neighbour slipped in stands beside what is ours, and which comes first is the browser's to say.
    for (const both of [`${cookie}; __Host-session=${"B".repeat(43)}`, `${cookie}; ${cookie}`])
      assert.equal(await ask("GET", "/api/me", { cookie: both }), 401, both);
    assert.deepEqual(new Set(codes()), new Set(["GATEWAY_SESSION_INVALID"]));
    assert.deepEqual(asked, [], "nothing that is no session's name is looked up");
    for (const others of [`a=b; ${cookie}`, `${cookie}; __Secure-session=x; session=y`])
      assert.equal(await ask("GET", "/api/me", { cookie: others }), 200, others);
  });

  test("is what was looked at: what its store makes of it later, or tells when it is asked twice, is nobody's role", async () => {
    const roles: string[] = [];
    const base = { issuedAt: 1, expiresMs: startMs + 9000 };
    const kept = open({ find: () => ({ ...base, caller: { subject: "alice", roles } }) });
    assert.equal(await kept.ask("GET", "/api/me", { cookie }), 200);
    roles.push("staff");
    assert.equal(await kept.ask("GET", "/api/me", { cookie }), 200);
    assert.deepEqual(kept.forwarded[1]?.caller?.roles, []);
    const answers = [{ subject: "alice", roles: [] }, { subject: 7 }, { subject: "bob", roles: ["staff"] }];
    const twoFaced = { ...base, caller: { subject: "", roles: [] } };
    Object.defineProperty(twoFaced, "caller", { get: () => answers.shift() });
    const asked = open({ find: () => twoFaced });
    assert.equal(await asked.ask("GET", "/api/users/alice", { cookie }), 200);
    assert.equal(answers.length, 2, "it was read once");
  });

  test("chosen by somebody else is none: an id that the store did not make opens nothing, and is not remembered", async () => {
    const { ask, asked } = open();
    const fixed = { cookie: `__Host-session=${"F".repeat(43)}` };
    assert.equal(await ask("GET", "/api/me", fixed), 401);
    assert.equal(await ask("GET", "/api/me", fixed), 401);
    assert.equal(asked.length, 2);
  });

  test("that has ended makes its browser nobody where nobody is welcome, and is refused elsewhere", async () => {
    const { ask, sessions, forwarded } = open();
    sessions.clear();
    assert.equal(await ask("GET", "/api/drafts", { cookie }), 404, "a draft is not there for nobody");
    assert.equal(forwarded[0]?.caller, undefined);
    assert.equal(await ask("GET", "/api/me", { cookie }), 401);
    assert.equal(await open().ask("GET", "/api/drafts", { cookie }), 200, "it is for who is signed in");
  });

  test("is what a browser finds a kept answer by: whoever signs in next is not shown it", async () => {
    const { gateway } = open();
    const reply = await callGateway(gateway, { target: "/api/kept", headers: { cookie } });
    assert.equal(reply.header("cache-control"), "private, max-age=30");
    assert.equal(reply.header("vary"), "Origin, Authorization, cookie");
  });

  test("is not looked for where nobody asks who calls", async () => {
    const { ask, asked } = open();
    assert.equal(await ask("GET", "/api/open", { cookie, "sec-fetch-site": "cross-site" }), 200);
    assert.deepEqual(asked, []);
  });
});

suite("A session whose store can't tell", () => {
  const session = { caller: { subject: "alice", roles: [] }, issuedAt: 1, expiresMs: startMs + 1000 };
  const faults: Record<string, SessionStore["find"]> = {
    throws: () => {
      throw new Error(`the canary ${id}`);
    },
    rejects: () => Promise.reject(new Error("down")),
    "tells nonsense": () => ({ ...session, caller: { subject: 7 } }) as never,
    "tells of no roles": () => ({ ...session, caller: { subject: "alice" } }) as never,
    "tells of no end": () => ({ ...session, expiresMs: Number.NaN }),
    "tells what can't be read": () => ({
      ...session,
      get caller(): never {
        throw new Error(`the canary ${id}`);
      },
    }),
    "takes too long": () => new Promise(() => undefined),
  };
  for (const [name, find] of Object.entries(faults))
    test(`because it ${name} is answered 503, on routes for everyone too, with one event`, async () => {
      const { ask, events, forwarded } = open({ find, timeoutMs: 5 });
      assert.equal(await ask("GET", "/api/me", { cookie }), 503);
      assert.equal(await ask("GET", "/api/drafts", { cookie }), 503);
      assert.equal(await ask("GET", "/api/drafts", {}), 404, "who brings none is nobody still");
      assert.equal(events.filter(({ type }) => type === "gateway.sessions.unavailable").length, 1);
      assert.ok(!JSON.stringify(events).includes(id));
      assert.deepEqual(forwarded.length, 1);
    });

  test("and one look-up is made for all requests that wait for it", async () => {
    let answer: (session: Session) => void = () => undefined;
    const { ask, asked } = open({ find: () => new Promise((resolve) => (answer = resolve)) });
    const answers = Promise.all([1, 2, 3].map(() => ask("GET", "/api/me", { cookie })));
    answer(session);
    assert.deepEqual(await answers, [200, 200, 200]);
    assert.equal(asked.length, 1);
  });
});

suite("A session is used by pages of the site alone", () => {
  const others: Record<string, Record<string, string>> = {
    "a stranger's page": { "sec-fetch-site": "cross-site" },
    "a neighbour's page": { "sec-fetch-site": "same-site" },
    "a page of a declared origin": { origin: partner, "sec-fetch-site": "same-site" },
    "a page of a declared origin, in an old browser": { origin: partner },
    "a page that claims what no browser sends": { origin: partner, "sec-fetch-site": "same-origin" },
  };
  for (const [who, headers] of Object.entries(others))
    test(`${who} neither reads nor changes anything`, async () => {
      const { ask, codes, asked, forwarded } = open();
      for (const method of ["GET", "HEAD"])
        assert.equal(await ask(method, "/api/me", { cookie, ...headers }), 403, method);
      assert.equal(await ask("POST", "/api/orders", { cookie, ...headers }), 403);
      assert.deepEqual(new Set(codes()), new Set(["GATEWAY_CROSS_SITE_REFUSED"]));
      assert.deepEqual([asked, forwarded], [[], []]);
    });

  test("a page of the site does, also one that hides its address; a typed address reads", async () => {
    const { ask } = open();
    assert.equal(await ask("POST", "/api/orders", { cookie, origin, ...ownPage }), 200);
    assert.equal(await ask("POST", "/api/orders", { cookie, origin: "null", ...ownPage }), 200);
    assert.equal(await ask("POST", "/api/orders", { cookie, origin }), 200);
    assert.equal(await ask("GET", "/api/me", { cookie, "sec-fetch-site": "none" }), 200);
    assert.equal(await ask("GET", "/api/me", { cookie }), 200);
  });

  test("what changes something and says nothing of where it comes from is refused", async () => {
    const { ask } = open();
    assert.equal(await ask("POST", "/api/orders", { cookie }), 403);
    assert.equal(await ask("POST", "/api/orders", { cookie, "sec-fetch-site": "none" }), 403);
  });

  test("an access token needs no such evidence, and together with a session neither counts", async () => {
    const { ask, codes, forwarded } = open();
    const token = await makeToken(key, { now: startMs / 1000 });
    assert.equal(await ask("POST", "/api/orders", { "sec-fetch-site": "cross-site" }, token), 200);
    assert.equal(await ask("POST", "/api/orders", { origin: partner }, token), 200);
    assert.equal(await ask("POST", "/api/orders", { cookie, ...ownPage }, token), 401);
    assert.equal(await ask("GET", "/api/me", { cookie: `${cookie}; ${cookie}`, ...ownPage }, token), 401);
    assert.deepEqual(codes(), ["GATEWAY_TOKEN_INVALID", "GATEWAY_TOKEN_INVALID"]);
    assert.equal(forwarded.length, 2);
  });
});

test("a contract that declares sessions does not start without a store of them", () => {
  const options = { contract, destinations: new Map([["shop", () => undefined]]), events: () => undefined };
  const tokens = createTokenVerifier({ identity, keys: createKeySource([key.jwk]), digest });
  assert.throws(
    () => createGateway({ ...options, tokens, limits: createLimitStore(createLimitMemory()) }),
    /declares sessions/,
  );
});
