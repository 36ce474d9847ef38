import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { suite, test } from "node:test";
import { promisify } from "node:util";
import sharp from "sharp";
import { command } from "./support/command.ts";
import { readServedRelease } from "./support/read-release.ts";
import { requires } from "./requires.ts";
import { makeProject } from "./support/project.ts";

const run = promisify(execFile);
const token = "nobodys-token-in-a-test";

const config = (port: number): string => `import { defineStack, source } from "curtainwall";
import { z } from "zod";
const item = z.object({ slug: z.string(), title: z.string(), text: z.string() });
export default defineStack({
  origin: "https://localhost",
  privateEnv: z.object({ CW_PIM_TOKEN: z.string() }),
  site: {
    content: "content",
    templates: "templates",
    collections: {
      pages: z.object({ title: z.string() }),
      products: source("http://127.0.0.1:${port}/products", item, {
        body: { field: "text", format: "html" }, token: "CW_PIM_TOKEN", timeoutMs: 5000,
      }),
    },
    lists: { products: {} },
    locales: { default: "en", others: ["de"] },
  },
});`;

const graphqlConfig = (port: number, images: string): string =>
  config(port)
    .replace("text: z.string() }", "text: z.string(), photo: z.url() }")
    .replace(
      'token: "CW_PIM_TOKEN"',
      `
        headers: { "x-key": { variable: "CW_PIM_TOKEN" } },
        graphql: { query: "{ breads { slug } }" }, at: ["data", "breads"],
        pictures: { from: ["${images}"], fields: [["photo"]] }`,
    );

/** It also tries what a template must not reach: the source's token and the answers that were kept. */
const template = `import { existsSync } from "node:fs";
import { Content } from "curtainwall/template";
const kept = existsSync(new URL("../.curtainwall/cache/sources", "file://" + process.cwd() + "/templates/x")) || existsSync(".curtainwall/cache/sources");
export function page({ entry }) {
  return <html><head><title>{entry.data.title}</title></head><body><Content of={entry} /><pre>{String(process.env.CW_PIM_TOKEN)} {String(kept)}</pre></body></html>;
}
export function list({ page }) {
  return <html><head><title>All</title></head><body>{page.items.map((item) => <a href={item.path}>{item.data.title}</a>)}</body></html>;
}`;

async function startApi(
  answer: (authorization: string | undefined) => unknown,
): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer(request.headers.authorization)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

suite("curtainwall build with a source", requires("bwrap"), () => {
  test("asks it outside the jail; when it is gone the build fails, and --offline builds what was there", async (context) => {
    const asked: (string | undefined)[] = [];
    const { server, port } = await startApi((authorization) => {
      asked.push(authorization);
      return [{ slug: "rye", title: "Rye", text: '<p onclick="x()">Dark<script>x()</script></p>' }];
    });
    context.after(() => server.close());
    const { root, remove } = await makeProject({
      config: config(port),
      files: {
        "content/pages/index.md": "---\ntitle: Home\n---\n[all](/products/)\n",
        "templates/pages.tsx": template,
        "templates/products.tsx": template,
      },
    });
    context.after(remove);
    const build = async (
      ...flags: string[]
    ): Promise<{ pages: { path: string }[]; isJailed: boolean; untranslated: unknown }> => {
      const { stdout } = await run(process.execPath, [...command, "build", root, "--json", ...flags], {
        env: { ...process.env, CW_PIM_TOKEN: token },
      });
      return JSON.parse(stdout);
    };
    const first = await build();
    assert.deepEqual(first.pages.map(({ path }) => path).sort(), ["/", "/products/", "/products/rye/"]);
    assert.ok(first.isJailed);
    assert.deepEqual(first.untranslated, [{ locale: "de", files: ["content/pages/index.md"] }]);
    const html = await readServedRelease(root, "/products/rye/");
    assert.match(html, /<p>Dark<\/p>.*<pre>undefined false<\/pre>/s);
    assert.deepEqual(asked, [`Bearer ${token}`]);
    assert.ok(existsSync(join(root, ".curtainwall/cache/sources")));
    const left = readdirSync(join(root, ".curtainwall/cache/site")).filter((name) =>
      name.startsWith("answers"),
    );
    assert.deepEqual(left, []);

    // Asked in each build: what the API answers may have changed.
    await build();
    assert.equal(asked.length, 2);

    server.close();
    server.closeAllConnections();
    await once(server, "close");
    await assert.rejects(build(), (error: Error & { stderr: string }) => {
      assert.match(error.stderr, /SITE_SOURCE_FAILED/);
      assert.match(error.stderr, /build --offline/);
      assert.ok(!error.stderr.includes(token));
      return true;
    });
    assert.equal((await build("--offline")).pages.length, 3);
  });

  test("a GraphQL answer and its pictures reach the pages through the jail; the secret reaches the API alone", async (context) => {
    const photo = await sharp({ create: { width: 400, height: 300, channels: 3, background: "#963" } })
      .jpeg()
      .toBuffer();
    const told: (string | undefined)[] = [];
    const archive = createServer((request, response) => {
      told.push(String(request.headers["x-key"]));
      response.writeHead(200, { "content-type": "image/jpeg" }).end(photo);
    });
    archive.listen(0, "127.0.0.1");
    await once(archive, "listening");
    const images = `http://127.0.0.1:${(archive.address() as AddressInfo).port}`;
    const api = createServer((request, response) => {
      told.push(String(request.headers["x-key"]));
      response.writeHead(200, { "content-type": "application/json" });
      const nodes = [{ slug: "rye", title: "Rye", text: "<p>Dark</p>", photo: `${images}/rye.jpg` }];
      response.end(JSON.stringify({ data: { breads: nodes } }));
    });
    api.listen(0, "127.0.0.1");
    await once(api, "listening");
    context.after(() => [api, archive].map((server) => server.close()));
    const { root, remove } = await makeProject({
      config: graphqlConfig((api.address() as AddressInfo).port, images),
      files: {
        "content/pages/index.md": "---\ntitle: Home\n---\n",
        "templates/pages.tsx": template,
        "templates/products.tsx": template
          .replace("Content }", "Content, Image }")
          .replace("<Content", '<Image src={entry.data.photo} alt="" width={200} /><Content'),
      },
    });
    context.after(remove);
    const { stdout, stderr } = await run(process.execPath, [...command, "build", root, "--json"], {
      env: { ...process.env, CW_PIM_TOKEN: token },
    });
    assert.deepEqual(told, [token, "undefined"]);
    const html = await readServedRelease(root, "/products/rye/");
    assert.match(html, /<img [^>]*src="\/assets\/pictures\/products\/rye-[0-9a-f]{8}\.[0-9a-f]{16}\.jpg"/);
    assert.match(html, /<pre>undefined false<\/pre>/);
    assert.ok(!`${stdout}${stderr}${html}`.includes(token));
  });
});
