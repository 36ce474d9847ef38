import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { allOf, anyOf, none, owner, ownerField, ownerLookup, role, scope } from "../../contract/index.ts";
import { openKnownCallers } from "../fixtures/known-callers.ts";
import type { KnownCallers, KnownCallersOptions } from "../fixtures/known-callers.ts";
import type { ForwardedAnswer } from "../types.ts";

const text = z.string().max(60);
const order = ownerLookup({ get: "/orders/:id", field: "customerId" });
const route = { access: order, params: { id: text }, body: z.object({ note: text }), response: none };
const found = (value: unknown, more: object = {}): ForwardedAnswer => ({
  kind: "answer",
  status: 200,
  value,
  ...more,
});
const put = { method: "PUT", target: "/api/orders/o1", body: '{"note":"x"}' };
const alice = { sub: "alice" };

/** A gateway with one route; the shop answers look-ups as told, and anything else with 204. */
function open(
  options: object,
  lookup: ForwardedAnswer,
  { key = "PUT /api/orders/:id", ...others }: KnownCallersOptions & { key?: string } = {},
): KnownCallers {
  const callers = openKnownCallers({ [key]: { ...route, ...options } }, others);
  callers.answer = ({ route: { method }, target }) =>
    method === "GET" && target.startsWith("/orders")
      ? lookup
      : { kind: "answer", status: 204, value: undefined };
  return callers;
}

const asked = ({ forwarded }: KnownCallers): string[] =>
  forwarded.map(({ route: { method }, target }) => `${method} ${target}`);

suite("An owner that is looked up", () => {
  test("may write what is its own: the object is asked for first, in the caller's name, then the write is sent", async () => {
    const callers = open({}, found({ customerId: "alice" }));
    assert.equal((await callers.call(put, alice)).status, 204);
    assert.deepEqual(asked(callers), ["GET /orders/o1", "PUT /api/orders/o1"]);
    assert.equal(callers.forwarded[0]?.caller?.subject, "alice");
    assert.equal(callers.forwarded[0]?.body, undefined);
    assert.deepEqual(callers.events, []);
  });

  const refusals: [what: string, lookup: ForwardedAnswer, status: number, fault?: RegExp][] = [
    ["somebody else's", found({ customerId: "bob" }), 403],
    ["there is none", { kind: "answer", status: 404, value: undefined }, 403],
    ["it is gone", { kind: "answer", status: 410, value: undefined }, 403],
    ["the field is missing", found({}), 403, /no text/],
    ["the field is null", found({ customerId: null }), 403, /no text/],
    ["the owner is a number", found({ customerId: 7 }), 403, /no text/],
    ["the owner is empty", found({ customerId: "" }), 403, /no text/],
    ["several owners", found({ customerId: ["alice", "bob"] }), 403, /no text/],
    ["an object as the owner", found({ customerId: { id: "alice" } }), 403, /no text/],
    ["a list of objects", found([{ customerId: "alice" }]), 403, /no object/],
    ["a list of one owner", found(["alice"]), 403, /no object/],
    ["a text", found("alice"), 403, /no object/],
    ["nothing", found(undefined), 403, /no object/],
    [
      "a name that stands twice",
      found({ customerId: "alice" }, { text: '{"customerId":"bob","customerId":"alice"}' }),
      403,
      /twice/,
    ],
    [
      "the name in another spelling, twice",
      found({ customerId: "alice" }, { text: '{"customerId":"bob","customer\\u0049d":"alice"}' }),
      403,
      /twice/,
    ],
    ["a name of Object's own", found(Object.create({ customerId: "alice" })), 403, /no text/],
    ["part of it", { kind: "answer", status: 206, value: { customerId: "alice" } }, 403, /206/],
    ["a redirect", { kind: "answer", status: 302, value: { customerId: "alice" } }, 403, /302/],
    ["a refusal", { kind: "answer", status: 403, value: { customerId: "alice" } }, 403, /403/],
    [
      "an error with an owner in it",
      { kind: "answer", status: 500, value: { customerId: "alice" } },
      503,
      /500/,
    ],
    [
      "what is no JSON",
      { kind: "failed", code: "GATEWAY_ANSWER_INVALID", reason: "the answer is not JSON" },
      403,
      /not JSON/,
    ],
    ["nobody", { kind: "failed", code: "GATEWAY_UPSTREAM_UNAVAILABLE", reason: "down" }, 503, /down/],
    [
      "nobody, since the client has gone",
      { kind: "failed", code: "GATEWAY_UPSTREAM_UNAVAILABLE", reason: "called off", isCancelled: true },
      503,
    ],
    ["too late", { kind: "failed", code: "GATEWAY_UPSTREAM_TIMEOUT", reason: "late" }, 504, /late/],
  ];
  for (const [what, lookup, status, fault] of refusals)
    test(`may not when the answer is: ${what}`, async () => {
      const callers = open({}, lookup);
      const reply = await callers.call(put, alice);
      assert.equal(reply.status, status);
      assert.deepEqual(asked(callers), ["GET /orders/o1"]);
      assert.ok(!/alice|bob|customerId|orders/.test(reply.body ?? ""));
      const failed = callers.events.filter(({ type }) => type === "gateway.upstream.failed");
      assert.equal(failed.length, fault === undefined ? 0 : 1);
      if (fault !== undefined) assert.match(JSON.stringify(failed[0]), fault);
      assert.match(JSON.stringify(callers.events.at(-1)), /gateway\.request\.refused/);
    });

  test("with hide, what is somebody else's is answered as what is missing, to the letter", async () => {
    const replies: unknown[] = [];
    for (const lookup of [
      found({ customerId: "bob" }),
      { kind: "answer", status: 404, value: undefined } as const,
      found({}),
    ]) {
      const { status, body, headers, ownHeaders } = await open({ hide: true }, lookup).call(put, alice);
      replies.push({ status, body, headers, ownHeaders });
      assert.equal(status, 404);
    }
    assert.deepEqual(replies[0], replies[1]);
    assert.deepEqual(replies[0], replies[2]);
  });

  test("nobody is asked for a request that is refused anyway", async () => {
    const callers = open({}, found({ customerId: "alice" }));
    assert.equal((await callers.call(put)).status, 401);
    assert.equal((await callers.call({ ...put, body: '{"note":1}' }, alice)).status, 400);
    assert.equal((await callers.call({ ...put, target: "/api/orders/o1?x=1" }, alice)).status, 400);
    assert.deepEqual(asked(callers), []);
  });

  test("it counts as under way, and its route's time is what is left", async () => {
    let time = 1_800_000_000_000;
    const callers = open({ timeoutMs: 900, concurrency: 1 }, found({}), { now: () => time });
    callers.answer = ({ route: { method } }) => {
      time += 300;
      return method === "GET"
        ? found({ customerId: "alice" })
        : { kind: "answer", status: 204, value: undefined };
    };
    await callers.call(put, alice);
    assert.deepEqual(
      callers.forwarded.map(({ timeoutMs }) => timeoutMs),
      [900, 600],
    );
    // The door was left: the next one enters.
    assert.equal((await callers.call(put, alice)).status, 204);
  });

  test("its upstream is told who the client is, where it is told of writes", async () => {
    const access = ownerLookup({ get: "/orders/:id", field: "customerId", from: "desk" });
    const desk = { forwardClient: "x-forwarded-for" };
    const callers = open({ access }, found({ customerId: "alice" }), { others: { desk } });
    await callers.call({ ...put, client: "192.0.2.77" }, alice);
    assert.deepEqual(callers.forwarded[0]?.about?.slice(0, 2), ["x-forwarded-for", "192.0.2.77"]);
    assert.equal(callers.forwarded[1]?.about, undefined);
  });

  test("another upstream can be asked, whose own bound counts", async () => {
    const access = ownerLookup({ get: "/orders/:id", field: "customerId", from: "desk" });
    const callers = open({ access }, found({ customerId: "alice" }), {
      others: { desk: { concurrency: 1 } },
    });
    assert.equal((await callers.call(put, alice)).status, 204);
    assert.equal((await callers.call(put, alice)).status, 204);
    assert.equal(callers.forwarded[0]?.route.to, "desk");
  });
});

suite("A look-up among other conditions", () => {
  const cases: [what: string, access: object, claims: object, expected: string][] = [
    ["is not needed by who has the role", anyOf(role("staff"), order), { roles: ["staff"] }, "204 PUT"],
    ["is asked for who has not", anyOf(order, role("staff")), {}, "204 GET PUT"],
    ["is not asked for who lacks the scope", allOf(order, scope("w")), {}, "403 "],
    ["is asked for who has it", allOf(order, scope("w")), { scope: "w" }, "204 GET PUT"],
    [
      "is asked once where it stands twice",
      anyOf(allOf(scope("w"), order), allOf(role("x"), order)),
      { scope: "w", roles: ["x"] },
      "204 GET PUT",
    ],
    [
      "comes after the other in a choice inside",
      allOf(anyOf(order, role("x")), anyOf(role("x"), order)),
      { roles: ["x"] },
      "204 PUT",
    ],
  ];
  for (const [what, access, claims, expected] of cases)
    test(what, async () => {
      const callers = open({ access }, found({ customerId: "alice" }));
      const { status } = await callers.call(put, { ...alice, ...claims });
      assert.equal(
        `${status} ${callers.forwarded.map(({ route: { method } }) => method).join(" ")}`,
        expected,
      );
    });

  test("one that can't be asked does not refuse whom another lets pass", async () => {
    const both = anyOf(order, ownerLookup({ get: "/orders/:id", field: "sellerId", from: "desk" }));
    const callers = open({ access: both }, found({}), { others: { desk: {} } });
    const down: ForwardedAnswer = { kind: "failed", code: "GATEWAY_UPSTREAM_UNAVAILABLE", reason: "down" };
    callers.answer = ({ route: { method, to } }) =>
      method === "PUT"
        ? { kind: "answer", status: 204, value: undefined }
        : to === "desk"
          ? found({ sellerId: "alice" })
          : down;
    assert.equal((await callers.call(put, alice)).status, 204);
    assert.equal((await callers.call(put, { sub: "bob" })).status, 503);
  });

  test("the answer's owner is asked for where only that is left", async () => {
    const access = anyOf(ownerLookup({ get: "/orders/:id", field: "buyer" }), ownerField("seller"));
    const key = "GET /api/orders/:id/bill";
    const callers = open({ access, body: undefined, response: z.object({ a: text }) }, found({}), { key });
    let names = { buyer: "bob", seller: "alice" };
    callers.answer = ({ target }) =>
      found({
        a: "x",
        ...(target.startsWith("/orders") ? { buyer: names.buyer } : { seller: names.seller }),
      });
    const get = async (): Promise<number> => (await callers.get("/api/orders/o1/bill", alice)).status;
    assert.equal(await get(), 200);
    names = { buyer: "alice", seller: "bob" };
    assert.equal(await get(), 200);
    names = { buyer: "bob", seller: "bob" };
    assert.equal(await get(), 404);
  });

  test("the log says which condition refused, and the caller nothing of it", async () => {
    const access = allOf(scope("orders:write"), anyOf(role("staff"), order), owner("id"));
    const callers = open({ access }, found({ customerId: "bob" }));
    const { body } = await callers.call(
      { ...put, target: "/api/orders/alice" },
      { ...alice, scope: "orders:write" },
    );
    assert.ok(!/scope|staff|orders/.test(body ?? ""));
    const [event] = callers.events as { reason?: string }[];
    assert.equal(
      event?.reason,
      "allOf(scope orders:write ✓, anyOf(role staff ✗, ownerLookup /orders/:id customerId ✗), owner id ✓)",
    );
    await callers.call(put, { ...alice, scope: "orders:write" });
    const last = callers.events.at(-1) as { reason?: string };
    assert.match(last.reason ?? "", /ownerLookup \/orders\/:id customerId \?\), owner id ✗/);
  });
});

suite("Whose object it is, to the letter", () => {
  const ask = async (subject: string, named: unknown): Promise<number> =>
    (await open({}, found({ customerId: named })).call(put, { sub: subject })).status;

  test("other forms of the same letters, other cases, spaces, and what looks alike are others", async () => {
    const pairs = [
      ["zoë", "zoe\u0308"],
      ["alice", "Alice"],
      ["alice", "alice "],
      ["alice", "alice\u0000"],
      ["alice", "аlice"],
      ["7", 7],
      ["true", true],
    ] as const;
    for (const [subject, named] of pairs) assert.equal(await ask(subject, named), 403, JSON.stringify(named));
    assert.equal(await ask("zoë", "zoë"), 204);
  });

  test("whatever the subject and whatever the answer: who is let pass is named, exactly", async () => {
    let passed = 0;
    const subjects = fc.string({ minLength: 1, maxLength: 8 });
    const pairs = subjects.chain((subject) =>
      fc.tuple(fc.constant(subject), fc.oneof(fc.constant<unknown>(subject), fc.jsonValue(), subjects)),
    );
    await fc.assert(
      fc.asyncProperty(pairs, async ([subject, value]) => {
        const isPassed = (await ask(subject, value)) === 204;
        assert.equal(isPassed, value === subject);
        if (isPassed) passed += 1;
      }),
      { numRuns: 60 },
    );
    assert.ok(passed > 5, String(passed));
  });

  test("a parameter is encoded once, as its schema made it: no value of it reaches another object", async () => {
    const targets: [sent: string, asked: string | number][] = [
      ["o%201", "/orders/o%201"],
      ["%25", 400],
      ["a%3Fb=1", "/orders/a%3Fb%3D1"],
      ["o1%2F..%2Fo2", 400],
      ["..", 400],
      ["%2e%2e", 400],
      ["O1", "/orders/o1"],
    ];
    for (const [sent, expected] of targets) {
      const callers = open({ params: { id: text.toLowerCase() } }, found({ customerId: "alice" }));
      const { status } = await callers.call({ ...put, target: `/api/orders/${sent}` }, alice);
      const got = callers.forwarded[0]?.target ?? status;
      assert.equal(got, expected, sent);
      if (typeof expected === "string") assert.equal(callers.forwarded[1]?.target, `/api${expected}`);
    }
  });
});

suite("If-Match with a look-up", () => {
  const access = ownerLookup({ get: "/orders/:id", field: "customerId", ifMatch: true });
  const send = async (etag: unknown): Promise<[number, unknown]> => {
    const headers = { etag } as never;
    const callers = open(
      { access, headers: { "x-note": text.optional() } },
      found({ customerId: "alice" }, { headers }),
    );
    const { status } = await callers.call({ ...put, headers: { "x-note": "n" } }, alice);
    return [status, callers.forwarded[1]?.headers];
  };

  test("goes along with the write, beside the client's own headers", async () => {
    assert.deepEqual(await send('"v7"'), [204, ["x-note", "n", "if-match", '"v7"']]);
  });

  test("is required: a weak tag, several, none, or one that breaks the line is a refusal", async () => {
    for (const tag of ['W/"v7"', ['"a"', '"b"'], undefined, '"a", "b"', '"a\r\nx: y"', "v7", "*"])
      assert.deepEqual(await send(tag), [403, undefined], JSON.stringify(tag));
  });
});
