import assert from "node:assert/strict";
import { readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { z } from "zod";
import { contractFor, item, json, skip, startSource } from "./fixtures/source-site.ts";
import type { SourceServer } from "./fixtures/source-site.ts";
import { readSources } from "./read-sources.ts";

const one = { slug: "rye", title: "Rye" };
const token = "not-a-real-token-of-anybody";

const cacheFiles = ({ root }: SourceServer): string[] => {
  const folder = join(root, ".curtainwall", "cache", "sources");
  return readdirSync(folder).map((name) => join(folder, name));
};

test("what a source answers is asked for with its token, and kept without it", { skip }, async (context) => {
  const server = await startSource(context);
  server.answer = json([one]);
  const contract = server.contract({ token: "PIM_TOKEN" });
  const answers = await readSources({ root: server.root, contract, variables: { PIM_TOKEN: token } });
  assert.deepEqual(answers, [{ collection: "products", text: JSON.stringify([one]) }]);
  assert.ok(server.headers[0]?.includes(`Bearer ${token}`));
  const files = cacheFiles(server);
  assert.equal(files.length, 1);
  for (const file of files) {
    assert.ok(!(file + readFileSync(file, "utf8")).includes(token));
    assert.equal(statSync(file).mode & 0o077, 0);
  }
});

test("an answer that has not changed is not sent again", { skip }, async (context) => {
  const server = await startSource(context);
  server.answer = (request, response) => {
    if (request.headers["if-none-match"] === '"1"') response.writeHead(304).end();
    else json([one], { etag: '"1"' })(request, response);
  };
  const options = { root: server.root, contract: server.contract() };
  const first = await readSources(options);
  assert.deepEqual(await readSources(options), first);
  assert.deepEqual(
    server.headers.map((headers) => headers.includes('"1"')),
    [false, true],
  );
});

test("an answer in parts is read to its last, which must all be there", { skip }, async (context) => {
  const server = await startSource(context);
  server.answer = (request, response) => {
    const page = Number(new URL(request.url ?? "", server.origin).searchParams.get("page") ?? 1);
    const link: Record<string, string> =
      page === 3
        ? {}
        : { link: `<https://other.example/>; rel="last", </products?page=${page + 1}>; rel="next"` };
    json([{ ...one, slug: `p${page}` }], link)(request, response);
  };
  const options = { root: server.root, contract: server.contract() };
  const answers = await readSources(options);
  assert.equal(answers.length, 3);
  assert.deepEqual(server.asked, ["GET /products", "GET /products?page=2", "GET /products?page=3"]);
  assert.deepEqual(await readSources({ ...options, offline: true }), answers);
});

test("offline nobody is asked; what was never answered can't be built from", { skip }, async (context) => {
  const server = await startSource(context);
  server.answer = json([one]);
  const options = { root: server.root, contract: server.contract(), offline: true };
  await assert.rejects(readSources(options), { code: "SITE_SOURCE_OFFLINE" });
  assert.deepEqual(server.asked, []);
  const answers = await readSources({ ...options, offline: false });
  assert.deepEqual(await readSources(options), answers);
  assert.equal(server.asked.length, 1);
});

test("a kept answer that was damaged, or is a link, is as good as none", { skip }, async (context) => {
  const server = await startSource(context);
  server.answer = json([one], { etag: '"1"' });
  const options = { root: server.root, contract: server.contract() };
  await readSources(options);
  const [file = ""] = cacheFiles(server);
  const whole = readFileSync(file, "utf8");
  writeFileSync(file, whole.replace("Rye", "Bun"));
  await assert.rejects(readSources({ ...options, offline: true }), { code: "SITE_SOURCE_OFFLINE" });
  await readSources(options);
  assert.ok(!server.headers[1]?.includes('"1"'));
  writeFileSync(join(server.root, "elsewhere"), whole);
  rmSync(file);
  symlinkSync(join(server.root, "elsewhere"), file);
  await assert.rejects(readSources({ ...options, offline: true }), { code: "SITE_SOURCE_OFFLINE" });
});

const secret = "SECRET-VALUE-4711";
const send =
  (status: number, headers: Record<string, string>, body = "") =>
  (_request: IncomingMessage, response: ServerResponse): void =>
    void response.writeHead(status, headers).end(body);

for (const [what, answer, code, message] of [
  ["no JSON", json(`{"${secret}"`), "SITE_SOURCE_INVALID", /\/products: .*not JSON/],
  ["no list", json({ data: [secret] }), "SITE_SOURCE_INVALID", /\/products: .*list/],
  [
    "an entry of another shape",
    json([one, { ...one, title: [secret] }]),
    "SITE_SOURCE_INVALID",
    /products\[1\]: title: invalid_type, string expected/,
  ],
  [
    "an entry without its name",
    json([{ title: secret }]),
    "SITE_SOURCE_INVALID",
    /products\[0\]: slug: invalid_type/,
  ],
  [
    "a name that leads out",
    json([{ ...one, slug: `../${secret}` }]),
    "SITE_SOURCE_INVALID",
    /products\[0\]: slug/,
  ],
  [
    "bytes that are no UTF-8",
    (_: IncomingMessage, response: ServerResponse) =>
      void response
        .writeHead(200, { "content-type": "application/json" })
        .end(Buffer.from([0x5b, 0xff, 0x5d])),
    "SITE_SOURCE_INVALID",
    /UTF-8/,
  ],
  ["HTML", send(200, { "content-type": "text/html" }, secret), "SITE_SOURCE_REFUSED", /application\/json/],
  ["no type", send(200, {}, "[]"), "SITE_SOURCE_REFUSED", /application\/json/],
  [
    "something compressed",
    send(200, { "content-type": "application/json", "content-encoding": "gzip" }, "[]"),
    "SITE_SOURCE_REFUSED",
    /compressed/,
  ],
  ["more than the bound", json(`[${" ".repeat(70_000)}]`), "SITE_SOURCE_REFUSED", /larger than 65536 bytes/],
  ["an error", send(500, {}, secret), "SITE_SOURCE_FAILED", /status 500/],
  ["a missing page", send(404, {}, secret), "SITE_SOURCE_FAILED", /status 404/],
  ["no change, unasked", send(304, {}), "SITE_SOURCE_REFUSED", /nothing changed/],
  [
    "the way to cloud credentials",
    send(302, { location: "http://169.254.169.254/latest/meta-data/" }),
    "SITE_SOURCE_REFUSED",
    /another origin/,
  ],
  [
    "the way to a private address",
    send(307, { location: "https://10.0.0.1/" }),
    "SITE_SOURCE_REFUSED",
    /another origin/,
  ],
  [
    "the way to a file",
    send(301, { location: "file:///etc/passwd" }),
    "SITE_SOURCE_REFUSED",
    /another origin/,
  ],
  ["a circle of redirects", send(302, { location: "/products" }), "SITE_SOURCE_REFUSED", /more than 5 times/],
  [
    "a next part elsewhere",
    json([one], { link: '<https://evil.example/>; rel="next"' }),
    "SITE_SOURCE_REFUSED",
    /another origin/,
  ],
  [
    "itself as its next part",
    json([one], { link: '</products>; rel="next"' }),
    "SITE_SOURCE_REFUSED",
    /circle/,
  ],
  [
    "half an answer",
    (_: IncomingMessage, response: ServerResponse) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
      response.write("[", () => response.destroy());
    },
    "SITE_SOURCE_FAILED",
    /can't be read/,
  ],
  ["nothing, for too long", () => {}, "SITE_SOURCE_FAILED", /in time/],
  [
    "a byte at a time",
    (_: IncomingMessage, response: ServerResponse) => {
      response.writeHead(200, { "content-type": "application/json" });
      const timer = setInterval(() => response.write(" "), 20);
      response.once("close", () => clearInterval(timer));
    },
    "SITE_SOURCE_FAILED",
    /in time/,
  ],
] as const) {
  test(
    `a source is refused that answers with ${what}; what it answered before stays`,
    { skip },
    async (context) => {
      const server = await startSource(context);
      // A busy machine takes its time, for an answer that comes too.
      const timeoutMs = message.source === "in time" ? 2000 : 20_000;
      const contract = server.contract({ maxBytes: 65_536, timeoutMs });
      const options = { root: server.root, contract };
      // Once without anything kept, so that nothing is asked for conditionally; once with.
      for (const isKept of [false, true]) {
        if (isKept) {
          server.answer = json([one]);
          await readSources(options);
        }
        server.answer = answer;
        await assert.rejects(readSources(options), (error: Error & { code: string; hint?: string }) => {
          assert.equal(error.code, code);
          assert.match(error.message, message);
          assert.ok(!`${error.message} ${error.hint}`.includes(secret), "the message repeats a value");
          assert.equal(/--offline/.test(error.hint ?? ""), isKept && code === "SITE_SOURCE_FAILED");
          return true;
        });
      }
      assert.equal((await readSources({ ...options, offline: true })).length, 1);
    },
  );
}

test(
  "an answer nested a hundred thousand deep is refused, and ends nothing else",
  { skip },
  async (context) => {
    const server = await startSource(context);
    type Tree = { slug: string; more?: Tree | undefined };
    const tree: z.ZodType<Tree> = z.lazy(() => z.object({ slug: z.string(), more: tree.optional() }));
    server.answer = json(`[${'{"slug":"a","more":'.repeat(100_000)}{"slug":"a"}${"}".repeat(100_000)}]`);
    const contract = server.contract({}, tree);
    await assert.rejects(readSources({ root: server.root, contract }), { code: "SITE_SOURCE_INVALID" });
  },
);

test("a schema's own words are not repeated, nor what it refused", { skip }, async (context) => {
  const server = await startSource(context);
  const schema = item.extend({
    title: z.string().refine(() => false, { error: ({ input }) => `bad: ${String(input)}` }),
  });
  server.answer = json([{ ...one, title: secret }]);
  await assert.rejects(readSources({ root: server.root, contract: server.contract({}, schema) }), {
    message: /products\[0\]: title: custom$/,
  });
});

test(
  "a certificate of an authority that the contract does not name is refused",
  { skip },
  async (context) => {
    const server = await startSource(context);
    const { NODE_TLS_REJECT_UNAUTHORIZED: before } = process.env;
    context.after(() => {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    });
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    const contract = contractFor(`${server.origin}/products`);
    const site = contract.site as Exclude<typeof contract.site, undefined> & { sources: Map<string, object> };
    const declared = site.sources.get("products") ?? assert.fail();
    const sources = new Map([["products", { ...declared, caFile: undefined }]]);
    await assert.rejects(
      readSources({ root: server.root, contract: { ...contract, site: { ...site, sources } } as never }),
      {
        code: "SITE_SOURCE_FAILED",
        message: /can't be read: \w*(?:SIGNED|VERIFY|CERT)\w*/,
        hint: /authority of your own, name that: {2}caFile/,
      },
    );
    assert.deepEqual(server.asked, []);
  },
);

test("a private address is refused before anything is sent there", async (context) => {
  const { root } = await startSource(context);
  for (const url of ["https://10.0.0.1/", "https://[fd00:ec2::254]/", "https://169.254.169.254/"]) {
    await assert.rejects(readSources({ root, contract: contractFor(url, { timeoutMs: 2000 }) }), {
      code: "SITE_SOURCE_REFUSED",
    });
  }
});

test("a source on this machine may be plain", async (context) => {
  const { root } = await startSource(context);
  const server = createServer(json([one]));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const answers = await readSources({ root, contract: contractFor(`http://127.0.0.1:${port}/products`) });
  assert.equal(answers.length, 1);
});

test("a token that is missing is told by its name, before anybody is asked", { skip }, async (context) => {
  const server = await startSource(context);
  const contract = server.contract({ token: "PIM_TOKEN" });
  for (const value of [undefined, "short", `line\r\nbreak-${secret}`]) {
    const read = readSources({ root: server.root, contract, variables: { PIM_TOKEN: value } });
    await assert.rejects(read, (error: Error & { code: string }) => {
      assert.equal(error.code, "SITE_SOURCE_FAILED");
      assert.match(error.message, /PIM_TOKEN/);
      assert.ok(!error.message.includes(secret));
      return true;
    });
  }
  assert.deepEqual(server.asked, []);
});
