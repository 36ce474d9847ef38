import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { everyone, form } from "../../contract/index.ts";
import { openSmall } from "../fixtures/small-gateway.ts";

/** What it makes of its own result is something else: whoever checks twice gets another value. */
const length = z
  .string()
  .regex(/^[a-z]+$/)
  .transform((text) => text.length);

const route = {
  access: everyone,
  limit: "99/min per client",
  headers: { "x-word": length },
  cookies: { seen: z.string() },
  body: form({ word: length, again: z.array(z.string()).optional() }),
  response: z.object({ ok: z.boolean() }),
};

const call = {
  method: "POST",
  target: "/api/words",
  headers: { "content-type": "application/x-www-form-urlencoded", "x-word": "rye", cookie: "seen=yes" },
  body: "word=brioche&again=a&again=b",
};

suite("What a schema makes of headers and a form", () => {
  test("a function is given as it is: checked once, so that no value is made of a value", async () => {
    const { forwarded, call: send } = openSmall(
      { "POST /api/words": { ...route, to: "fn:count" } },
      { functions: { count: {} } },
    );
    assert.equal((await send(call)).status, 200);
    const [request] = forwarded;
    assert.deepEqual({ ...request?.headerValues }, { "x-word": 3 });
    assert.deepEqual({ ...(request?.body as object) }, { word: 7, again: ["a", "b"] });
    assert.deepEqual(request?.headers, ["x-word", "3", "cookie", "seen=yes"]);
  });

  test("an upstream is given as texts", async () => {
    const { forwarded, call: send } = openSmall({ "POST /api/words": { ...route, to: "shop" } });
    assert.equal((await send(call)).status, 200);
    assert.equal(forwarded[0]?.headerValues, undefined);
    assert.equal(forwarded[0]?.body, "word=7&again=a&again=b");
    assert.deepEqual(forwarded[0]?.headers, ["x-word", "3", "cookie", "seen=yes"]);
  });

  test("what is refused reaches nobody", async () => {
    const { forwarded, call: send } = openSmall(
      { "POST /api/words": { ...route, to: "fn:count" } },
      { functions: { count: {} } },
    );
    assert.equal((await send({ ...call, body: "word=7" })).status, 400);
    assert.equal((await send({ ...call, headers: { ...call.headers, "x-word": "3" } })).status, 400);
    assert.equal(forwarded.length, 0);
  });
});
