// docs/your-own-site.md, done to the letter: its files, in a folder outside this repository, with the compiled package.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import { repository } from "./support/bakery.ts";
import { httpsGet } from "./support/https-get.ts";

const guide = readFileSync(join(repository, "docs/your-own-site.md"), "utf8");

/** The guide's files, in the order of the text: a paragraph that begins with the name in bold, then a code block. */
const files = [...guide.matchAll(/^\*\*`([^`\n]+)`\*\*(?:(?!^```)[^])*?^```\w+\n([^]*?)^```$/gm)].map(
  ([, name = "", text = ""]) => ({ name, text }),
);

const site = mkdtempSync(join(tmpdir(), "curtainwall-own-site-"));
after(() => rmSync(site, { recursive: true, force: true }));

const cli = join(site, "node_modules/curtainwall/dist/cli/main.js");
const port = await freePort();

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port: free } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return free;
}

function write({ name, text }: { name: string; text: string }): void {
  mkdirSync(dirname(join(site, name)), { recursive: true });
  writeFileSync(join(site, name), text.replaceAll("localhost:8443", `localhost:${port}`));
}

/** Runs a command of the site, as `npx` would. */
function run(...args: string[]): { code: number | null; out: string; words: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: site,
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  return { code: status, out: stdout, words: stderr };
}

const tsc = join(repository, "node_modules/typescript/bin/tsc");

suite("a site of one's own, as the guide has it", () => {
  before(() => {
    assert.ok(
      existsSync(join(repository, "dist/cli/main.js")),
      "dist/ is missing: run  npm ci  (or  npm run prepare)",
    );
    mkdirSync(join(site, "node_modules/@types"), { recursive: true });
    // Copied and not linked, so that it is found where an installed package is.
    for (const part of ["dist", "package.json"])
      cpSync(join(repository, part), join(site, "node_modules/curtainwall", part), { recursive: true });
    const { dependencies } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    for (const name of [...Object.keys(dependencies), "@types/node"]) {
      mkdirSync(dirname(join(site, "node_modules", name)), { recursive: true });
      symlinkSync(join(repository, "node_modules", name), join(site, "node_modules", name));
    }
  });

  test("its files type-check and build; the page is served with a policy that allows its stylesheet and no script", async () => {
    const names = files.map(({ name }) => name);
    assert.deepEqual(names, [
      "package.json",
      "tsconfig.json",
      ".gitignore",
      "collections.ts",
      "curtainwall.config.ts",
      "templates/pages.tsx",
      "public/site.css",
      "content/pages/index.md",
      "curtainwall.config.ts",
    ]);
    for (const file of files.slice(0, -1)) write(file);
    assert.deepEqual(run(tsc), { code: 0, out: "", words: "" });
    const built = run(cli, "build");
    assert.equal(built.code, 0, built.words);
    assert.equal(built.out, "/\n");
    assert.equal(readFileSync(join(site, ".curtainwall/.gitignore"), "utf8"), "*\n");

    const stack = spawn(process.execPath, [cli, "start"], {
      cwd: site,
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, NODE_OPTIONS: "", npm_execpath: undefined },
    });
    let words = "";
    await new Promise<void>((resolve, reject) => {
      stack.stderr.on("data", (chunk: Buffer) => {
        words += String(chunk);
        if (words.includes("serving https://localhost")) resolve();
      });
      stack.once("exit", () => reject(new Error(words)));
    });
    try {
      const page = await httpsGet({
        host: "127.0.0.1",
        port,
        name: "localhost",
        headers: { host: `localhost:${port}` },
      });
      assert.equal(page.status, 200);
      assert.match(page.body, /This is <strong>my own site<\/strong>/);
      const policy = String(page.headers["content-security-policy"]);
      assert.match(policy, /style-src /);
      assert.match(policy, /default-src 'none'/);
      const audit = run(cli, "audit", "--only", "FE-4");
      assert.match(audit.out, /✓ FE-4 +proved/);
      assert.equal(audit.code, 0, audit.words);
    } finally {
      stack.kill("SIGTERM");
      await once(stack, "exit");
    }
  });

  test("with the API the contract type-checks, and explain says what a request passes", () => {
    for (const file of files) write(file);
    assert.deepEqual(run(tsc), { code: 0, out: "", words: "" });
    const { out, words } = run(cli, "explain", "GET /api/products/rye");
    assert.match(out, /^GET \/api\/products\/:id {3}curtainwall\.config\.ts:\d+\n/, words);
    assert.match(out, /120\/min per client/);
    const refused = run(cli, "build");
    assert.match(refused.words, /^STACK_PERMISSION_UNAPPROVED/m);
    const approved = run(cli, "plan", "--approve", "products for everyone");
    assert.equal(approved.code, 0, approved.words);
    const built = run(cli, "build");
    assert.equal(built.code, 0, built.words);
  });

  test("a contract that forgets something is told by the type checker first", () => {
    const config = files.at(-1) ?? assert.fail("the guide has no contract");
    write({ ...config, text: config.text.replace('      limit: "120/min per client",\n', "") });
    const { code, out } = run(tsc);
    assert.notEqual(code, 0);
    assert.match(out, /curtainwall\.config\.ts.*limit/s);
  });
});
