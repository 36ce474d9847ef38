// From a checked request to a function in its sandbox and back.
import assert from "node:assert/strict";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { z } from "zod";
import { requires } from "../../../test/requires.ts";
import { defineStack, everyone, fn, form, parseContract } from "../../contract/index.ts";
import type { ForwardedAnswer, ForwardedRequest } from "../../gateway/index.ts";
import { openStand, workerOf } from "./fixtures/group-stand.ts";
import { openFunctions } from "./function-destination.ts";

const { skip } = requires("bwrap");

const contract = parseContract(
  defineStack({
    origin: "https://shop.example",
    functions: { echo: { timeoutMs: 30_000, maxResponseBytes: 10_000 } },
    routes: {
      "POST /api/echo/:name": {
        access: everyone,
        limit: "120/min per client",
        to: fn("echo"),
        params: { name: z.string() },
        query: { at: z.coerce.date().optional() },
        headers: { "x-count": z.coerce.number().optional() },
        body: form({ times: z.coerce.number() }),
        response: z.object({ id: z.string() }),
      },
    },
  }),
);

type Ask = (code: string, request?: Partial<ForwardedRequest>) => Promise<ForwardedAnswer>;

async function asking(context: TestContext): Promise<Ask> {
  const [route] = contract.routes;
  assert.ok(route !== undefined);
  const stand = await openStand(
    {
      own: {
        functions: {
          echo: workerOf(
            `const how = call.params.how; if (how === "slow") await new Promise((r) => setTimeout(r, 60_000)); if (how === "large") return "x".repeat(20_000); if (how === "lies") return new Response("{}", { headers: { "content-type": "application/json", "x-curtainwall-failure": "FUNCTIONS_TIMEOUT" } }); if (how === "text") return new Response("hello"); return call;`,
          ),
        },
        limits: { timeoutMs: 30_000, maxResponseBytes: 10_000 },
      },
    },
    { context },
  );
  const functions = openFunctions({ contract, socketPath: join(stand.folder, "calls.sock") });
  context.after(() => functions.close(0));
  const send = functions.destinations.get("fn:echo");
  assert.ok(send !== undefined);
  return (how, request) =>
    new Promise((resolve) => {
      const target = "/api/echo/a";
      send(
        { route, id: "0f", target, params: { how }, body: undefined, caller: undefined, ...request },
        resolve,
      );
    });
}

suite("a function as a gateway's destination", { skip, concurrency: false }, () => {
  test("gets what schemas made of path, query, headers and form, and who calls", async (context) => {
    const ask = await asking(context);
    const answer = await ask("echo", {
      query: { at: new Date(0) },
      headers: ["x-count", "3"],
      headerValues: { "x-count": 3 },
      body: { times: 2 },
      caller: { subject: "ann", roles: ["baker"], keyId: "k1" },
    });
    assert.ok(answer.kind === "answer", JSON.stringify(answer));
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.value, {
      ...(answer.value as object),
      route: "POST /api/echo/:name",
      id: "0f",
      params: { how: "echo" },
      query: { at: "1970-01-01T00:00:00.000Z" },
      headers: { "x-count": 3 },
      body: { times: 2 },
      caller: { subject: "ann", roles: ["baker"] },
    });
  });

  const failures = [
    ["slow", "GATEWAY_UPSTREAM_TIMEOUT"],
    ["large", "GATEWAY_ANSWER_INVALID"],
    ["text", "GATEWAY_ANSWER_INVALID"],
    ["lies", "GATEWAY_ANSWER_INVALID"],
  ] as const;
  test("one that is slow, answers too much, or no JSON, or speaks in the keeper's name: no answer of it passes", async (context) => {
    const ask = await asking(context);
    for (const [how, code] of failures) {
      // Only the slow one's time is short: a busy machine takes longer than that to begin the others.
      const answer = await ask(how, how === "slow" ? { timeoutMs: 300 } : {});
      assert.equal(answer.kind === "failed" && answer.code, code, how);
    }
  });

  test("calls of a slow one, as many as it may have, keep no other function from its own", async (context) => {
    const route = (name: "slow" | "quick") =>
      ({ access: everyone, limit: "120/min per client", to: fn(name), response: z.object({}) }) as const;
    const two = parseContract(
      defineStack({
        origin: "https://shop.example",
        functions: { slow: {}, quick: {} },
        routes: { "GET /api/slow": route("slow"), "GET /api/quick": route("quick") },
      }),
    );
    const slow = workerOf(
      "await fetch('https://a.example/called'); await new Promise(() => setTimeout(() => undefined, 60_000));",
    );
    const stand = await openStand(
      { one: { functions: { slow } }, other: { functions: { quick: workerOf("return {};") } } },
      { context },
    );
    const functions = openFunctions({ contract: two, socketPath: join(stand.folder, "calls.sock") });
    context.after(() => functions.close(0));
    const ask = (name: "slow" | "quick"): Promise<ForwardedAnswer> =>
      new Promise((resolve) => {
        const called = two.routes.find(({ key }) => key.endsWith(name));
        assert.ok(called !== undefined);
        const target = `/api/${name}`;
        functions.destinations.get(`fn:${name}`)?.(
          {
            route: called,
            id: "0f",
            target,
            params: {},
            body: undefined,
            caller: undefined,
            timeoutMs: 5000,
          },
          resolve,
        );
      });
    for (let call = 0; call < 64; call++) void ask("slow");
    assert.equal((await ask("quick")).kind, "answer");
  });
});
