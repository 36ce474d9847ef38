import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { allOf, anyOf, check, none, ownerLookup, role, scope } from "../../contract/index.ts";
import type { CheckFacts, CheckOptions, CheckTest } from "../../contract/index.ts";
import { openKnownCallers } from "../fixtures/known-callers.ts";
import type { KnownCallers, KnownCallersOptions } from "../fixtures/known-callers.ts";

const text = z.string().max(60);
const alice = { sub: "alice" };
const body = z.object({ total: z.number(), list: z.array(z.object({ a: text })).optional() });
const post = { method: "POST", target: "/api/shops/7/orders?page=2", body: '{"total":5,"list":[{"a":"x"}]}' };

function open(access: object, options: KnownCallersOptions = {}): KnownCallers {
  const route = {
    params: { shop: z.coerce.number() },
    query: { page: z.coerce.number().optional() },
    body,
    response: none,
  };
  const callers = openKnownCallers({ "POST /api/shops/:shop/orders": { access, ...route } }, options);
  callers.answer = ({ route: { method } }) => ({
    kind: "answer",
    status: method === "GET" ? 200 : 204,
    value: method === "GET" ? { owner: "alice" } : undefined,
  });
  return callers;
}

/** What `await` takes for a promise. */
// oxlint-disable-next-line unicorn/no-thenable
const thenable = (then: unknown): object => ({ then });

/** The status that a test leads to, and what the log says of it. */
async function ask(
  run: unknown,
  options: CheckOptions = {},
  open_: KnownCallersOptions = {},
): Promise<[number, string]> {
  const callers = open(check("mine", run as CheckTest, options), open_);
  const { status } = await callers.call(post, alice);
  const failed = callers.events.find(({ type }) => type === "gateway.check.failed") as
    | { reason?: string }
    | undefined;
  assert.equal(callers.forwarded.length, status === 204 ? 1 : 0);
  return [status, failed?.reason ?? ""];
}

suite("A check of the contract's own", () => {
  test("lets pass by true, at once or later, and refuses by false, without an alert", async () => {
    assert.deepEqual(await ask(() => true), [204, ""]);
    assert.deepEqual(await ask(async () => true), [204, ""]);
    assert.deepEqual(await ask(() => false), [403, ""]);
    assert.deepEqual(await ask(async () => false), [403, ""]);
  });

  test("is given what was checked: who calls, parameters and query as their schemas made them", async () => {
    let given: CheckFacts | undefined;
    const callers = open(check("mine", (facts) => (given = facts) !== undefined));
    await callers.call(post, { ...alice, roles: ["r"], scope: "a b", org: "acme" });
    assert.deepEqual(given, {
      caller: { subject: "alice", roles: ["r"], scopes: ["a", "b"], tenant: "acme", keyId: undefined },
      params: { shop: 7 },
      query: { page: 2 },
      body: undefined,
    });
  });

  test("is given the body only if it asks for it, and once it was held to its schema", async () => {
    let seen: unknown;
    const callers = open(check("mine", ({ body: given }) => ((seen = given), true), { body: true }));
    assert.equal((await callers.call({ ...post, body: '{"total":"5"}' }, alice)).status, 400);
    assert.equal(seen, undefined);
    assert.equal((await callers.call(post, alice)).status, 204);
    assert.deepEqual(seen, { total: 5, list: [{ a: "x" }] });
  });

  test("that does not ask for it refuses before the body is read", async () => {
    const callers = open(check("mine", () => false));
    assert.equal((await callers.call({ ...post, body: '{"total":"5"}' }, alice)).status, 403);
    assert.equal((await callers.call({ ...post, body: "too-large" }, alice)).status, 403);
  });

  test("is shown an address that a schema made of a text, and a date, as copies", async () => {
    const made = z.object({
      at: z.string().transform((given) => new Date(given)),
      link: z.string().transform((given) => new URL(given)),
    });
    const seen: unknown[] = [];
    const callers = openKnownCallers({
      "POST /api/links": {
        access: check("mine", ({ body: given }) => seen.push(given) > 0, { body: true }),
        body: made,
        response: none,
      },
    });
    callers.answer = () => ({ kind: "answer", status: 204, value: undefined });
    const link = { at: "2026-01-01T00:00:00.000Z", link: "https://a.test/" };
    const call = { method: "POST", target: "/api/links", body: JSON.stringify(link) };
    assert.equal((await callers.call(call, alice)).status, 204);
    assert.deepEqual(seen, [{ at: new Date(link.at), link: link.link }]);
  });

  test("refuses where its facts can't be shown to it, whoever was waited for before", async () => {
    const hidden = z.object({
      a: z.string().transform(
        () =>
          new (class {
            toJSON = (): undefined => undefined;
            f = (): void => {};
          })(),
      ),
    });
    const lookUp = (field: string) => ownerLookup({ get: "/links/:id", field });
    const callers = openKnownCallers({
      "POST /api/links/:id": {
        params: { id: text },
        access: allOf(
          anyOf(lookUp("owner"), lookUp("other")),
          anyOf(
            check("mine", () => true, { body: true }),
            allOf(lookUp("third"), role("x")),
          ),
        ),
        body: hidden,
        response: none,
      },
    });
    callers.answer = () => ({ kind: "answer", status: 200, value: { owner: "alice" } });
    const call = { method: "POST", target: "/api/links/1", body: '{"a":"b"}' };
    assert.equal((await callers.call(call, alice)).status, 403);
    const [event] = callers.events;
    assert.deepEqual(
      [event?.type, (event as { reason?: string }).reason],
      ["gateway.check.failed", "it threw TypeError"],
    );
  });

  test("is not asked where something cheaper has decided, and nobody is looked up where it has", async () => {
    let asked = 0;
    const mine = check("mine", () => ((asked += 1), true));
    await open(allOf(scope("w"), mine)).call(post, alice);
    await open(anyOf(mine, role("x"))).call(post, { ...alice, roles: ["x"] });
    assert.equal(asked, 0);
    const callers = open(anyOf(ownerLookup({ get: "/shops/:shop", field: "owner" }), mine));
    assert.equal((await callers.call(post, { sub: "bob" })).status, 204);
    assert.deepEqual([asked, callers.forwarded.length], [1, 1]);
  });

  test("is named in the log, and not to who was refused", async () => {
    const callers = open(
      allOf(
        scope("w"),
        check("small-order", () => false),
      ),
    );
    const reply = await callers.call(post, { ...alice, scope: "w" });
    assert.ok(!/small-order|scope/.test(reply.body ?? ""));
    assert.equal((callers.events[0] as { reason?: string }).reason, "allOf(scope w ✓, check small-order ✗)");
  });
});

suite("A check that gives no answer refuses", () => {
  const cases: [what: string, run: unknown, reason: RegExp][] = [
    [
      "it throws",
      () => {
        throw new TypeError("alice's secret");
      },
      /^it threw TypeError$/,
    ],
    [
      "it rejects",
      async () => {
        throw new RangeError("alice's secret");
      },
      /^it threw RangeError$/,
    ],
    [
      "it throws nothing",
      () => {
        throw undefined;
      },
      /type undefined/,
    ],
    [
      "it throws what can't be looked at",
      () => {
        throw new Proxy(
          {},
          {
            getPrototypeOf() {
              throw new Error("no");
            },
          },
        );
      },
      /can't be read/,
    ],
    ["the text false", () => "false", /type string/],
    ["the text true", () => "true", /type string/],
    ["one", () => 1, /type number/],
    ["nothing", () => undefined, /type undefined/],
    ["null", () => null, /null/],
    ["an object", () => ({}), /type object/],
    ["true in a box", () => new Boolean(true), /type object/],
    ["a promise of a text", async () => "true", /type string/],
    [
      "a promise of a promise's like of a text",
      async () => thenable((done: (value: string) => void) => done("true")),
      /type string/,
    ],
    ["a proxy of true in a box", () => new Proxy(new Boolean(true), {}), /type object|threw/],
    [
      "a proxy that throws whenever it is touched",
      () =>
        new Proxy(
          {},
          {
            get() {
              throw new SyntaxError("x");
            },
          },
        ),
      /threw SyntaxError/,
    ],
    [
      "a promise whose constructor throws",
      () =>
        Object.defineProperty(Promise.resolve(1), "constructor", {
          get() {
            throw new Error("x");
          },
        }),
      /type number|threw/,
    ],
    ["a function", () => () => true, /type function/],
  ];
  for (const [what, run, reason] of cases)
    test(what, async () => {
      const [status, told] = await ask(run);
      assert.equal(status, 403);
      assert.match(told, reason);
      assert.ok(!told.includes("secret"));
    });

  test("what never settles is refused when its time is over, and what it says later changes nothing", async () => {
    const never = thenable(() => undefined);
    for (const run of [() => never, () => new Promise(() => undefined)]) {
      const waits: number[] = [];
      const schedule = (delayMs: number, end: () => void) => {
        waits.push(delayMs);
        queueMicrotask(end);
        return () => undefined;
      };
      const [status, told] = await ask(run, { timeoutMs: 40 }, { schedule });
      assert.deepEqual([status, told, waits], [403, "it took longer than 40 ms", [40]]);
    }
    let say: (value: boolean) => void = () => undefined;
    const late = new Promise<boolean>((resolve) => (say = resolve));
    const schedule = (_delayMs: number, end: () => void) => (queueMicrotask(end), () => undefined);
    const callers = open(
      check("mine", () => late),
      { schedule },
    );
    assert.equal((await callers.call(post, alice)).status, 403);
    say(true);
    await late;
    assert.equal(callers.forwarded.length, 0);
  });

  test("a promise that settles in time calls its deadline off", async () => {
    let calledOff = 0;
    const schedule = () => () => void (calledOff += 1);
    assert.deepEqual(await ask(async () => true, {}, { schedule }), [204, ""]);
    assert.equal(calledOff, 1);
  });

  test("what keeps the thread is told, since nothing can stop it", async () => {
    let time = 1_800_000_000_000;
    const slow = check("slow", () => ((time += 400), true), { timeoutMs: 300 });
    const callers = open(slow, { now: () => time });
    assert.equal((await callers.call(post, alice)).status, 204);
    const [event] = callers.events;
    assert.deepEqual(event, {
      type: "gateway.check.slow",
      time,
      route: "POST /api/shops/:shop/orders",
      check: "slow",
      tookMs: 400,
    });
  });
});

suite("What a check does with its facts", () => {
  test("reaches neither the request nor the next caller", async () => {
    const harms: ((facts: CheckFacts) => unknown)[] = [
      ({ body: given }) => ((given as { total: number }).total = 0),
      ({ body: given }) => (given as { list: unknown[] }).list.push({ a: "more" }),
      ({ body: given }) => ((given as { list: { a: string }[] }).list[0]!.a = "else"),
      ({ caller }) => (caller.roles as string[]).push("staff"),
      ({ caller }) => ((caller as { subject: string }).subject = "bob"),
      ({ params }) => ((params as { shop: number }).shop = 8),
      (facts) => ((facts as { body: unknown }).body = {}),
      ({ body: given }) => Object.setPrototypeOf(given, { admin: true }),
    ];
    for (const harm of harms) {
      const callers = open(
        check("mine", (facts) => (Reflect.apply(harm, undefined, [facts]), true), { body: true }),
      );
      assert.equal((await callers.call(post, alice)).status, 403, String(harm));
      const tries = open(
        check(
          "mine",
          (facts) => {
            try {
              harm(facts);
            } catch {
              /* It goes on. */
            }
            return true;
          },
          { body: true },
        ),
      );
      assert.equal((await tries.call(post, alice)).status, 204);
      assert.deepEqual(tries.forwarded[0]?.body, { total: 5, list: [{ a: "x" }] });
      assert.equal(tries.forwarded[0]?.target, "/api/shops/7/orders?page=2");
      assert.deepEqual(tries.forwarded[0]?.caller?.roles, []);
      assert.equal(tries.forwarded[0]?.caller?.subject, "alice");
    }
  });
});
