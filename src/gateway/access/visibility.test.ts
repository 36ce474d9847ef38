import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { everyone, role, signedIn } from "../../contract/index.ts";
import { ok } from "../fixtures/bakery.ts";
import { openKnownCallers } from "../fixtures/known-callers.ts";
import type { KnownCallers } from "../fixtures/known-callers.ts";

const Article = z.object({ title: z.string() });
const visible = { field: "meta.status", is: ["published"], unless: role("editor") };
const article = (title: string, status?: unknown): object => ({ title, meta: { status } });

function open(access = everyone): KnownCallers {
  return openKnownCallers({
    "GET /api/articles/:id": { access, visible, params: { id: z.string() }, response: Article },
    "GET /api/articles": { access, visible, response: z.array(Article) },
    "GET /api/pages": {
      access,
      visible: { ...visible, in: "found.items" },
      response: z.object({ found: z.object({ items: z.array(Article), next: z.string() }) }),
    },
  });
}

const hidden: [string, unknown][] = [
  ["a draft", article("x", "draft")],
  ["one without the field", { title: "x" }],
  ["one whose field is a list of the value", article("x", ["published"])],
  ["another case of the value", article("x", "Published")],
  ["a value with a blank", article("x", "published ")],
  ["a way that ends in a text", { title: "x", meta: "published" }],
  ["a field that is inherited", JSON.parse('{"title":"x","__proto__":{"meta":{"status":"published"}}}')],
  ["null", null],
];

suite("one object", () => {
  test("what is published is there for everybody, without the field that says so", async () => {
    const callers = open();
    callers.answer = ok(article("Rye", "published"));
    const reply = await callers.get("/api/articles/1");
    assert.equal(reply.status, 200);
    assert.deepEqual(reply.json(), { title: "Rye" });
  });

  for (const [name, value] of hidden)
    test(`${name} is not found, to the letter as what is missing`, async () => {
      const callers = open();
      callers.answer = ok(value);
      const reply = await callers.get("/api/articles/1");
      callers.answer = () => ({ kind: "answer", status: 404, value: undefined });
      const missing = await callers.get("/api/articles/1");
      assert.equal(reply.status, 404);
      const seen = ({ headers, ownHeaders, body }: typeof reply): object => ({ headers, ownHeaders, body });
      assert.deepEqual(seen(reply), seen(missing));
    });

  test("an editor sees a draft; somebody else who is signed in does not; a broken token is told so", async () => {
    const callers = open();
    callers.answer = ok(article("Rye", "draft"));
    assert.equal((await callers.get("/api/articles/1", { roles: ["editor"] })).status, 200);
    assert.equal((await callers.get("/api/articles/1", { roles: ["baker"] })).status, 404);
    assert.equal((await callers.get("/api/articles/1", { aud: "https://other.test" })).status, 401);
  });

  test("on a route for the signed-in a draft is for editors alone too", async () => {
    const callers = open(signedIn);
    callers.answer = ok(article("Rye", "draft"));
    assert.equal((await callers.get("/api/articles/1")).status, 401);
    assert.equal((await callers.get("/api/articles/1", {})).status, 404);
    assert.equal((await callers.get("/api/articles/1", { roles: ["editor"] })).status, 200);
  });
});

suite("lists", () => {
  const list = [
    article("Rye", "published"),
    ...hidden.map(([, value]) => value),
    article("Oat", "published"),
  ];

  test("have what is there for who asks, and nothing of the rest, whatever the upstream wrote", async () => {
    const callers = open();
    const text = JSON.stringify(list);
    callers.answer = () => ({ kind: "answer", status: 200, value: JSON.parse(text), text });
    const reply = await callers.get("/api/articles");
    assert.deepEqual(reply.json(), [{ title: "Rye" }, { title: "Oat" }]);
    assert.ok(!reply.body?.includes("x"));
  });

  test("an editor has all of it", async () => {
    const callers = open();
    callers.answer = ok([article("Rye", "published"), article("Draft", "draft")]);
    assert.equal((await callers.get("/api/articles", { roles: ["editor"] })).json()["length"], 2);
  });

  test("inside an object are cut where they stand; without the list nothing leaves", async () => {
    const callers = open();
    callers.answer = ok({
      found: { items: [article("Rye", "published"), article("x", "draft")], next: "p2" },
    });
    assert.deepEqual((await callers.get("/api/pages")).json(), {
      found: { items: [{ title: "Rye" }], next: "p2" },
    });
    for (const value of [{ found: { items: article("x", "published") } }, { found: [] }, {}, []]) {
      callers.answer = ok(value);
      assert.equal((await callers.get("/api/pages")).status, 404);
    }
  });
});
