import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { z } from "zod";
import type { SourceOptions } from "../../../contract/index.ts";
import { listen } from "../../../../test/support/https-server.ts";
import type { TestServer } from "../../../../test/support/https-server.ts";
import { isKnownPicture, pictureWithPlace } from "./fixtures/pictures.ts";
import { json, skip, startSource } from "./fixtures/source-site.ts";
import type { SourceServer } from "./fixtures/source-site.ts";
import { readSources } from "./read-sources.ts";

const schema = z.object({
  slug: z.string(),
  title: z.string(),
  text: z.string().optional(),
  photo: z.string().optional(),
  gallery: z.array(z.object({ url: z.string() })).optional(),
});
const entry = { slug: "rye", title: "Rye" };
const { jpeg, secretPlace } = pictureWithPlace;
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const picture =
  (bytes: Uint8Array = jpeg, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    void response.writeHead(200, { "content-type": "image/jpeg", ...headers }).end(bytes);

interface Both {
  readonly server: SourceServer;
  readonly images: TestServer;
  answer: Answer;
  read(
    entries: readonly object[],
    options?: SourceOptions & { offline?: boolean },
  ): ReturnType<typeof readSources>;
}

/** A source, and another origin that has its pictures. */
async function start(context: TestContext): Promise<Both> {
  const server = await startSource(context);
  const both: Both = {
    server,
    images: await listen(context, (request, response) => both.answer(request, response)),
    answer: picture(),
    read(entries, { offline = false, ...options } = {}) {
      server.answer = json(entries);
      const pictures = {
        from: [both.images.origin],
        fields: [["photo"], ["gallery", "*", "url"]],
        ...options.pictures,
      };
      const contract = server.contract({ token: "PIM_TOKEN", ...options, pictures }, schema);
      const variables = { PIM_TOKEN: "nobodys-token-in-a-test" };
      return readSources({ root: server.root, contract, offline, variables });
    },
  };
  return both;
}

test(
  "pictures in fields and in texts are fetched once each, without the source's token, and without where they were taken",
  { skip },
  async (context) => {
    const both = await start(context);
    const { origin } = both.images;
    const [answer] = await both.read(
      [
        {
          ...entry,
          photo: `${origin}/Rye%20bread.JPG?w=2`,
          gallery: [{ url: `${origin}/two.jpg` }, { url: `${origin}/two.jpg` }],
          text: `<p><img src="${origin}/three.jpg?a=1&amp;b=%22#x" onerror="x()"></p>`,
        },
      ],
      { body: { field: "text", format: "html" } },
    );
    const pictures = answer?.pictures ?? assert.fail();
    assert.deepEqual(both.images.asked.toSorted(), [
      "GET /Rye%20bread.JPG?w=2",
      "GET /three.jpg?a=1&b=%22",
      "GET /two.jpg",
    ]);
    assert.match(pictures[0]?.path ?? "", /^pictures\/products\/rye-bread-[0-9a-f]{8}\.jpg$/);
    assert.deepEqual(pictures[2]?.written, [
      `${origin}/three.jpg?a=1&b=%22`,
      `${origin}/three.jpg?a=1&b=%22#x`,
    ]);
    for (const headers of both.images.headers) assert.ok(!headers.join().includes("nobodys-token"));
    for (const { base64 } of pictures) {
      const bytes = Buffer.from(base64, "base64");
      assert.ok(isKnownPicture(bytes));
      assert.ok(jpeg.includes(secretPlace) && !bytes.includes(secretPlace));
    }
    const folder = join(both.server.root, ".curtainwall", "cache", "sources");
    for (const name of readdirSync(folder))
      assert.ok(!readFileSync(join(folder, name)).includes(secretPlace));
  },
);

test(
  "the source's own pictures are asked for with its token, at addresses that count from it",
  { skip },
  async (context) => {
    const both = await start(context);
    const source = both.server;
    const contract = source.contract(
      { token: "PIM_TOKEN", pictures: { from: [source.origin], fields: [["photo"]] } },
      schema,
    );
    source.answer = (request, response) =>
      (request.url === "/uploads/a.jpg" ? picture() : json([{ ...entry, photo: "/uploads/a.jpg" }]))(
        request,
        response,
      );
    const variables = { PIM_TOKEN: "nobodys-token-in-a-test" };
    const [answer] = await readSources({ root: source.root, contract, variables });
    assert.deepEqual(answer?.pictures?.[0]?.written, [`${source.origin}/uploads/a.jpg`, "/uploads/a.jpg"]);
    assert.ok(source.headers[1]?.join().includes("Bearer nobodys-token"));
  },
);

test(
  "a picture is not asked for while it is fresh, then by its tag, and offline not at all",
  { skip },
  async (context) => {
    const both = await start(context);
    const entries = [{ ...entry, photo: `${both.images.origin}/a.jpg` }];
    const options = { timeoutMs: 5000 };
    both.answer = picture(jpeg, { etag: '"1"' });
    const first = await both.read(entries, options);
    both.answer = (request, response) => {
      assert.ok(request.headers["if-none-match"] === '"1"');
      response.writeHead(304, { "cache-control": "max-age=600" }).end();
    };
    assert.deepEqual(await both.read(entries, options), first);
    assert.equal(both.images.asked.length, 2);
    assert.deepEqual(await both.read(entries, options), first);
    assert.deepEqual(await both.read(entries, { ...options, offline: true }), first);
    assert.equal(both.images.asked.length, 2);
  },
);

test(
  "what comes from an origin that the contract does not name is not fetched",
  { skip },
  async (context) => {
    const both = await start(context);
    const [answer] = await both.read([
      { ...entry, photo: "https://other.example/a.jpg" },
      { ...entry, slug: "b" },
    ]);
    assert.equal(answer?.pictures, undefined);
    assert.deepEqual(both.images.asked, []);
  },
);

const svg = Buffer.from(
  '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>x()</script></svg>',
);

for (const [what, answer, options, message] of [
  ["HTML by its type", picture(jpeg, { "content-type": "text/html" }), {}, /no picture/],
  ["HTML by its bytes", picture(Buffer.from("<!doctype html><script>x()</script>")), {}, /no whole picture/],
  ["an SVG", picture(svg, { "content-type": "image/svg+xml" }), {}, /no whole picture/],
  ["half a picture", picture(jpeg.subarray(0, jpeg.length / 2)), {}, /no whole picture/],
  ["nothing", picture(new Uint8Array()), {}, /no whole picture/],
  ["more than the bound", picture(), { maxBytes: 100 }, /larger than 100 bytes/],
  ["gzip that would unfold", picture(jpeg, { "content-encoding": "gzip" }), {}, /compressed/],
  [
    "the way to the cloud's credentials",
    (_: unknown, response: ServerResponse) =>
      void response.writeHead(302, { location: "https://169.254.169.254/" }).end(),
    {},
    /another origin/,
  ],
  [
    "an error",
    (_: unknown, response: ServerResponse) => void response.writeHead(404).end(),
    {},
    /status 404/,
  ],
  ["nothing, for too long", () => {}, { timeoutMs: 200 }, /in time/],
] as const) {
  test(`a picture is refused that is ${what}, and named with its address`, { skip }, async (context) => {
    const both = await start(context);
    both.answer = answer;
    await assert.rejects(
      both.read([{ ...entry, photo: `${both.images.origin}/a.jpg?key=value` }], {
        pictures: { from: [both.images.origin], ...options },
      }),
      (error: Error & { code: string }) => {
        assert.match(error.code, /^SITE_SOURCE_(?:REFUSED|FAILED)$/);
        assert.match(error.message, message);
        assert.match(error.message, /\/a\.jpg/);
        assert.ok(!error.message.includes("key=value"));
        return true;
      },
    );
  });
}

test("a picture at a private address is refused before anything is sent there", { skip }, async (context) => {
  const both = await start(context);
  await assert.rejects(
    both.read([{ ...entry, photo: "https://10.0.0.1/a.jpg" }], { pictures: { from: ["https://10.0.0.1"] } }),
    { code: "SITE_SOURCE_REFUSED", message: /private/ },
  );
});
