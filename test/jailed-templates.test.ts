import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { decodeRelease } from "../src/contract/index.ts";
import { buildOwnSite, loadContract } from "../src/stack/index.ts";
import type { BuildLimits } from "../src/stack/jail/watch-limits.ts";
import type { OwnBuild } from "../src/stack/index.ts";
import { requires } from "./requires.ts";
import { makeProject } from "./support/project.ts";

const config = `import { defineStack } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost",
  publicEnv: z.object({ CW_JAIL_SHOP: z.string() }),
  privateEnv: z.object({ CW_JAIL_TOKEN: z.string() }),
  site: { content: "content", templates: "templates", collections: { pages: z.object({ title: z.string() }) } },
});`;

/** A page that shows what \`script\` found; it runs when the template is loaded. */
const template = (script: string): string => `import { Content } from "curtainwall/template";
const attempt = async (act) => { try { return String(await act()); } catch (error) { return "refused: " + (error.cause?.code ?? error.code ?? error.message); } };
const found = JSON.stringify(await (async () => { ${script} })());
export function page({ entry }) {
  return <html lang="en"><head><title>{entry.data.title}</title></head><body><pre>{found}</pre><Content of={entry} /></body></html>;
}`;

interface Site {
  readonly root: string;
  build(script: string, limits?: BuildLimits): Promise<{ built: OwnBuild; found: unknown }>;
}

async function makeSite(context: TestContext, files: Record<string, string> = {}): Promise<Site> {
  const { root, remove } = await makeProject({
    config,
    files: {
      "content/pages/index.md": "---\ntitle: Home\n---\nHello.\n",
      "templates/pages.tsx": "",
      ...files,
    },
  });
  context.after(remove);
  const variables = { CW_JAIL_SHOP: "Rye", CW_JAIL_TOKEN: "nobody-sees-this", CW_JAIL_OTHER: "nor-this" };
  Object.assign(process.env, variables);
  context.after(() => {
    for (const name of Object.keys(variables)) delete process.env[name];
  });
  return {
    root,
    build: async (script, limits) => {
      writeFileSync(join(root, "templates/pages.tsx"), template(script));
      const built = await buildOwnSite(await loadContract(root), limits);
      const { manifest, body } = await decodeRelease(built.release);
      const page = manifest.files
        .find(({ path }) => path === "/")
        ?.variants.find(({ encoding }) => encoding === "identity");
      const html = new TextDecoder().decode(
        body.subarray(page?.offset, (page?.offset ?? 0) + (page?.length ?? 0)),
      );
      const text = /<pre>(.*?)<\/pre>/s.exec(html)?.[1] ?? "";
      return {
        built,
        found: JSON.parse(text.replaceAll("&quot;", '"').replaceAll("&amp;", "&").replaceAll("&lt;", "<")),
      };
    },
  };
}

suite("Templates in their jail", requires("bwrap"), () => {
  test("get public variables, and none that is private or undeclared; what they missed is told", async (context) => {
    const site = await makeSite(context);
    const { built, found } = await site.build(
      `const all = ["CW_JAIL_SHOP", "CW_JAIL_TOKEN", "CW_JAIL_OTHER"].map((name) => process.env[name] ?? null);
       const fs = await import("node:fs");
       return [...all, await attempt(() => fs.readFileSync("/proc/1/environ", "utf8").includes("nobody-sees-this")),
         await attempt(() => fs.readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name)).length < 12)];`,
    );
    assert.equal(built.isJailed, true);
    const [shop, token, other, environ, few] = found as unknown[];
    assert.deepEqual([shop, token, other, few], ["Rye", null, null, "true"]);
    assert.notEqual(environ, "true");
    assert.deepEqual(built.withheld, ["CW_JAIL_OTHER", "CW_JAIL_TOKEN"]);
  });

  test("that fill the disk are ended, and nothing of it stays in the builder's cache", async (context) => {
    const site = await makeSite(context);
    const cache = join(site.root, ".curtainwall/cache/site");
    await assert.rejects(
      site.build(
        `const fs = await import("node:fs");
         const piece = Buffer.alloc(2 ** 20, 1);
         for (let n = 0; ; n++) fs.writeFileSync(${JSON.stringify(cache)} + "/fill-" + n, piece);`,
        { diskBytes: 64 * 2 ** 20, timeoutMs: 120_000 },
      ),
      { code: "STACK_BUILD_LIMITED", message: /may fill 64 MB/ },
    );
    assert.equal(existsSync(cache), false);
    await site.build("return 1;");
  });

  test("see no keys, environment files, histories or homes, and can write to nothing that stays but the builder's cache", async (context) => {
    const site = await makeSite(context, {
      ".env": "A=1",
      "keys/server.key": "k",
      ".git/config": "[core]",
      "notes.txt": "open",
    });
    const { found } = await site.build(
      `const fs = await import("node:fs");
       const read = (path) => attempt(() => fs.readFileSync(path, "utf8"));
       const write = (path) => attempt(() => fs.writeFileSync(path, "planted"));
       const root = process.cwd();
       return {
         open: await read(root + "/notes.txt"),
         closed: await Promise.all([".env", "keys/server.key", ".git/config", ".curtainwall/release/release.key"].map((path) => read(root + "/" + path))),
         shadow: await read("/etc/shadow"),
         home: await attempt(() => fs.readdirSync("/root").length + fs.readdirSync("/home").length),
         written: await Promise.all([root + "/content/pages/planted.md", root + "/planted", "/usr/planted", root + "/node_modules/planted"].map(write)),
       };`,
    );
    const { open, closed, shadow, home, written } = found as Record<string, unknown>;
    assert.equal(open, "open");
    for (const answer of [...(closed as string[]), shadow, home])
      assert.match(String(answer), /^refused: E(?:NOENT|ACCES)/);
    assert.ok(!existsSync(join(site.root, "content/pages/planted.md")));
    assert.ok(!existsSync(join(site.root, "planted")));
    assert.ok((written as string[]).slice(2).every((answer) => answer.startsWith("refused")));
  });

  test("reach nobody: neither this machine nor what resolves names", async (context) => {
    const server = createServer((_, response) => response.end("reached")).listen(0, "127.0.0.1");
    await once(server, "listening");
    context.after(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const site = await makeSite(context);
    const { found } = await site.build(
      `return [await attempt(async () => (await fetch("http://127.0.0.1:${port}/")).text()),
         await attempt(() => fetch("https://example.com/"))];`,
    );
    for (const answer of found as string[]) assert.match(answer, /^refused: E/);
  });

  test("that end, hang on to timers, print, or lie on the builder's descriptor make a plain error or none", async (context) => {
    const site = await makeSite(context);
    const { built } = await site.build(
      `setInterval(() => {}, 1000); console.log("one\\u001b[2J"); return 1;`,
    );
    assert.equal(built.isJailed, true);
    await assert.rejects(
      site.build(`console.log("last words"); process.exit(3);`),
      (error: Error & { code: string; hint: string }) => {
        assert.equal(error.code, "STACK_BUILD_FAILED");
        assert.match(error.message, /exit code 3/);
        assert.match(error.hint, /last words/);
        return true;
      },
    );
    const turned = String.raw`{"type":"progress","step":"\u001b[2J","done":0,"total":1}\n`;
    for (const lie of [
      turned,
      '{"type":"built"}\\n',
      "noise\\n",
      '{"type":"failed","code":"x","message":""}\\n',
    ])
      await assert.rejects(
        site.build(
          `const fs = await import("node:fs"); fs.writeSync(3, ${JSON.stringify(lie).replaceAll("\\\\n", "\\n")}); return 1;`,
        ),
        { code: "STACK_BUILD_FAILED" },
      );
    await assert.rejects(
      site.build(`throw new Error("on purpose \\u001b[31m");`),
      (error: Error & { code: string }) => {
        assert.equal(error.code, "SITE_TEMPLATE_FAILED");
        assert.match(error.message, /templates\/pages\.tsx:\d+.*on purpose/s);
        assert.ok(!error.message.includes("\u001b"));
        return true;
      },
    );
  });

  test("that never end, or want a package that nobody installed, are told as that; nothing of the site changes", async (context) => {
    const site = await makeSite(context);
    await site.build("return 1;");
    await assert.rejects(site.build("while (true);", { timeoutMs: 2500 }), {
      code: "STACK_BUILD_LIMITED",
      message: /took longer than 2.5 s/,
      hint: /--time-limit 5 /,
    });
    await assert.rejects(site.build(`return (await import("@nobody/has-this")).default;`), {
      code: "SITE_TEMPLATE_INVALID",
      message: /@nobody\/has-this/,
    });
    // As Node ends when a package of ours is not there: before any of it runs.
    await assert.rejects(
      site.build(
        `console.error("Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'esbuild' imported from /somewhere/entry.js"); console.error("    at finalizeResolution (node:internal)"); process.exit(1);`,
      ),
      {
        message: /needs the package esbuild, which is not installed/,
        hint: /^Install .*npm install\n.*npm install esbuild$/,
      },
    );
    assert.equal((await site.build("return 2;")).found, 2);
  });

  test("may come from a folder that only its owner can enter, and from a link to it", async (context) => {
    const site = await makeSite(context);
    const first = await site.build(`return "a";`);
    const link = `${site.root}-link`;
    symlinkSync(site.root, link);
    context.after(() => rmSync(link));
    mkdirSync(join(site.root, "content", "pages", "deep"), { mode: 0o700 });
    writeFileSync(join(site.root, "content/pages/deep/one.md"), "---\ntitle: One\n---\nDeep.\n", {
      mode: 0o600,
    });
    const built = await buildOwnSite(await loadContract(link));
    assert.equal(built.isJailed, true);
    assert.equal(built.pages.length, first.built.pages.length + 1);
    assert.match(readFileSync(join(site.root, "content/pages/deep/one.md"), "utf8"), /Deep/);
  });

  test("are not begun where nothing can be written, and the error says so", async (context) => {
    const site = await makeSite(context);
    mkdirSync(join(site.root, ".curtainwall/cache"), { recursive: true });
    writeFileSync(join(site.root, ".curtainwall/cache/site"), "in the way");
    await assert.rejects(site.build("return 1;"), {
      code: "STACK_BUILD_FAILED",
      message: /^The build's files can't be written: E/,
    });
  });
});
