import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import { requires } from "../../../test/requires.ts";
import type { JailOptions, JailResult } from "./jail-options.ts";
import { runJailed } from "./run-jailed.ts";

const bwrap = requires("bwrap");

interface Project {
  readonly root: string;
  /** Runs `build.mjs` with this text, and gives what it wrote as `dist/found.json`. */
  build(script: string, options?: Partial<JailOptions>): Promise<{ result: JailResult; found: unknown }>;
}

function project(context: TestContext, files: Readonly<Record<string, string>> = {}): Project {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-jailed-"));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  return {
    root,
    build: async (script, options = {}) => {
      write(
        "build.mjs",
        `import fs from "node:fs"; fs.mkdirSync("dist", { recursive: true });
const attempt = async (act) => { try { return await act(); } catch (error) { return "refused: " + (error.cause?.code ?? error.code ?? error.message); } };
const found = await (async () => { ${script} })();
fs.writeFileSync("dist/found.json", JSON.stringify(found ?? null));`,
      );
      const result = await runJailed({
        root,
        command: "node build.mjs",
        output: "dist",
        timeoutMs: 60_000,
        ...options,
      });
      return { result, found: JSON.parse(readFileSync(join(root, "dist/found.json"), "utf8")) as unknown };
    },
  };
}

/** Names that a build could read before. */
const attackers = [
  ".envrc",
  ".dev.vars",
  "prod.env",
  ".env-prod",
  ".env~",
  ".ENV",
  ".git-credentials",
  ".pypirc",
  "terraform.tfstate",
  "key.jks",
  ".config/gh/hosts.yml",
  ".npmrc.bak",
];

async function listening(context: TestContext, server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Waits until no process has this among its arguments; the test's own limit ends the wait. */
async function untilGone(mark: string): Promise<void> {
  const runs = (id: string): boolean => {
    try {
      return readFileSync(`/proc/${id}/cmdline`, "utf8").includes(mark);
    } catch {
      return false;
    }
  };
  while (readdirSync("/proc").some((id) => /^\d+$/.test(id) && runs(id))) await setImmediate();
}

const refused = (value: unknown): boolean => typeof value === "string" && value.startsWith("refused: ");

suite("a build in its jail", { skip: bwrap.skip }, () => {
  test("an honest build runs with its packages, and its output takes the place of the one before", async (context) => {
    const { root, build } = project(context, {
      "dist/old.html": "old",
      "content/a.md": "hello",
      "node_modules/greet/package.json": '{"name":"greet","type":"module","exports":"./index.js"}',
      "node_modules/greet/index.js": 'export const greet = (name) => "dear " + name;',
    });
    const { result, found } = await build(
      'const { greet } = await import("greet"); return greet(fs.readFileSync("content/a.md", "utf8"));',
    );
    assert.deepEqual(result, { jailed: true, withheld: [], refused: [] });
    assert.equal(found, "dear hello");
    assert.ok(!existsSync(join(root, "dist/old.html")));
  });

  test("keys, environment files, histories and our own state are not in it; what is made to be read is", async (context) => {
    const { build } = project(context, {
      ".env": "A=canary-1",
      ".env.production": "A=canary-2",
      ".env.example": "A=",
      ".npmrc": "//registry.example/:_authToken=canary-3",
      ".git/config": "canary-4",
      ".curtainwall/release/key": "canary-5",
      "certificates/site.pem": "canary-6",
      "sub/id_ed25519": "canary-7",
      ...Object.fromEntries(attackers.map((name) => [name, "canary-8"])),
      "src/env.ts": "export const env = {};",
    });
    const { result, found } = await build(
      'return fs.readdirSync(".", { recursive: true }).filter((name) => fs.statSync(name).isFile()).sort();',
    );
    assert.deepEqual(found, [".env.example", "build.mjs", "src/env.ts"]);
    assert.deepEqual(
      result.withheld,
      [
        ...attackers.map((name) => name.replace("/hosts.yml", "")),
        ".env",
        ".env.production",
        ".git",
        ".npmrc",
        "certificates/site.pem",
        "sub/id_ed25519",
      ].sort(),
    );
  });

  test("the environment is what was given and nothing else", async (context) => {
    process.env.CURTAINWALL_JAIL_CANARY = "canary";
    context.after(() => delete process.env.CURTAINWALL_JAIL_CANARY);
    const { build } = project(context);
    const { found } = await build("return process.env;", { environment: { PUBLIC_NAME: "shop" } });
    const environment = found as Record<string, string>;
    assert.deepEqual(
      Object.keys(environment)
        .filter((name) => !["PWD", "_", "SHLVL", "OLDPWD"].includes(name))
        .sort(),
      ["CI", "HOME", "LANG", "PATH", "PUBLIC_NAME"],
    );
  });

  test("no network: neither names, nor this machine's own services, nor abstract sockets", async (context) => {
    const server = createServer((_, response) => response.end("reached"));
    const port = await listening(context, server);
    const abstract = createTcpServer((socket) => socket.end("reached"));
    abstract.listen("\0curtainwall-jail-test");
    await once(abstract, "listening");
    context.after(() => abstract.close());
    const { build } = project(context);
    const { found } = await build(`
      const net = await import("node:net");
      const touch = (where) => new Promise((done, fail) => net.connect(where).once("data", () => done("reached")).once("error", fail));
      return {
        loopback: await attempt(() => fetch("http://127.0.0.1:${port}/").then((r) => r.text())),
        name: await attempt(() => fetch("https://registry.example/").then((r) => r.status)),
        address: await attempt(() => touch({ host: "192.0.2.1", port: 443 })),
        ipv6: await attempt(() => touch({ host: "2001:db8::1", port: 443 })),
        abstract: await attempt(() => touch({ path: "\\0curtainwall-jail-test" })),
      };`);
    for (const [what, outcome] of Object.entries(found as object))
      assert.ok(refused(outcome), `${what}: ${outcome}`);
  });

  test("other processes, other people's files and the project itself are out of reach", async (context) => {
    const { root, build } = project(context, { "content/a.md": "as it was" });
    const canary = mkdtempSync(join(tmpdir(), "curtainwall-canary-"));
    context.after(() => rmSync(canary, { recursive: true, force: true }));
    writeFileSync(join(canary, "secret"), "canary");
    const { found } = await build(`
      fs.writeFileSync("content/a.md", "changed");
      const ids = fs.readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name)).map(Number);
      return {
        many: ids.length > 8,
        canary: await attempt(() => fs.readFileSync(${JSON.stringify(join(canary, "secret"))}, "utf8")),
        passwords: await attempt(() => fs.readFileSync("/etc/shadow", "utf8")),
        kill: await attempt(() => process.kill(${process.pid}, 0)),
        usr: await attempt(() => fs.writeFileSync("/usr/bin/planted", "")),
        bridge: await attempt(() => fs.readFileSync("/proc/1/environ", "utf8").includes("canary")),
        outside: await attempt(() => fs.writeFileSync(${JSON.stringify(join(tmpdir(), "planted-by-a-build"))}, "x")),
      };`);
    const { many, bridge, outside, ...others } = found as Record<string, unknown>;
    assert.equal(many, false);
    assert.ok(bridge === false || refused(bridge), String(bridge));
    // Its own /tmp takes anything; nothing of it is left.
    assert.ok(outside === undefined || refused(outside));
    assert.ok(!existsSync(join(tmpdir(), "planted-by-a-build")));
    for (const [what, outcome] of Object.entries(others))
      assert.ok(refused(outcome), `${what}: ${String(outcome)}`);
    assert.equal(readFileSync(join(root, "content/a.md"), "utf8"), "as it was");
  });

  test("it has no rights to give away: not root, no capabilities, nothing to gain", async (context) => {
    const { build } = project(context);
    const { found } = await build(`
      const status = fs.readFileSync("/proc/self/status", "utf8");
      const field = (name) => new RegExp("^" + name + ":\\\\s*(\\\\S+)", "m").exec(status)[1];
      return { effective: field("CapEff"), bounding: field("CapBnd"), gain: field("NoNewPrivs") };`);
    assert.deepEqual(found, { effective: "0000000000000000", bounding: "0000000000000000", gain: "1" });
  });

  test("a build that takes too long is ended with everything that it started", async (context) => {
    const { root, build } = project(context, { "dist/old.html": "old" });
    const mark = `curtainwall-sleeper-${process.pid}`;
    await assert.rejects(
      build(
        `const { spawn } = await import("node:child_process");
        spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", "${mark}"], { detached: true, stdio: "ignore" });
        await new Promise(() => setInterval(() => {}, 1000));`,
        { timeoutMs: 3000 },
      ),
      { code: "STACK_BUILD_LIMITED", message: /took longer than 3 s/ },
    );
    assert.equal(readFileSync(join(root, "dist/old.html"), "utf8"), "old");
    await untilGone(mark);
  });

  test("a build whose processes together use too much memory is ended, and the output from before stays", async (context) => {
    const { root, build } = project(context, { "dist/old.html": "old" });
    const hog =
      "const held = []; setInterval(() => held.length < 8 && held.push(Buffer.alloc(2 ** 25, 1)), 5)";
    await assert.rejects(
      build(
        `const { spawn } = await import("node:child_process");
        for (let i = 0; i < 3; i++) spawn(process.execPath, ["-e", ${JSON.stringify(hog)}], { stdio: "ignore" });
        await new Promise(() => setInterval(() => {}, 1000));`,
        { memoryBytes: 400 * 2 ** 20, timeoutMs: 120_000 },
      ),
      { code: "STACK_BUILD_LIMITED", message: /uses \d+ MB of memory, and may use 400 MB/ },
    );
    assert.equal(readFileSync(join(root, "dist/old.html"), "utf8"), "old");
  });

  test("a build that fills the disk is ended, and what it wrote is gone", async (context) => {
    const { root, build } = project(context, { "dist/old.html": "old" });
    await assert.rejects(
      build(
        `const { randomFillSync } = await import("node:crypto");
        const bytes = randomFillSync(Buffer.alloc(2 ** 20));
        for (let i = 0; i < 20_000; i++) { fs.writeFileSync("content-" + i, bytes); await new Promise((done) => setTimeout(done, 2)); }`,
        { diskBytes: 64 * 2 ** 20, timeoutMs: 120_000 },
      ),
      { code: "STACK_BUILD_LIMITED", message: /filled \d+ MB, and may fill 64 MB/ },
    );
    assert.deepEqual(readdirSync(root).sort(), [".curtainwall", "build.mjs", "dist"]);
    assert.deepEqual(readdirSync(join(root, ".curtainwall")), []);
  });

  test("a file can't grow without end, and the error says what the most is", async (context) => {
    const { root } = project(context, { "dist/old.html": "old" });
    await assert.rejects(runJailed({ root, command: "truncate -s 5G dist", output: "dist" }), {
      code: "STACK_BUILD_FAILED",
    });
    await assert.rejects(
      runJailed({ root, command: "mkdir dist; truncate -s 5G dist/large", output: "dist" }),
      { code: "STACK_BUILD_FAILED", message: /a file of more than 4 GiB/ },
    );
    assert.equal(readFileSync(join(root, "dist/old.html"), "utf8"), "old");
  });

  test("folders in memory have a size, and nothing else in memory can be written to", async (context) => {
    const { build } = project(context, { "node_modules/a/package.json": "{}" });
    const { found } = await build(`
      const size = (path) => { const { blocks, bsize } = fs.statfsSync(path); return blocks * bsize / 2 ** 20; };
      return {
        sizes: [size("/tmp"), size("/dev/shm"), size("node_modules/.cache")],
        places: await Promise.all(["/planted", "/dev/planted", "/etc/planted", "/run/planted", "node_modules/planted", "/proc/planted"]
          .map((path) => attempt(() => fs.writeFileSync(path, "x")))),
      };`);
    const { sizes, places } = found as { sizes: number[]; places: unknown[] };
    assert.deepEqual(sizes, [1024, 256, 1024]);
    for (const place of places) assert.ok(refused(place), String(place));
  });

  test("a bomb of processes is bounded", async (context) => {
    const { build } = project(context);
    const { found } = await build(`
      const { spawn } = await import("node:child_process");
      let started = 0;
      const children = [];
      for (let i = 0; i < 1500; i++) {
        const child = spawn("/bin/sleep", ["30"], { stdio: "ignore" });
        child.on("error", () => {});
        if (child.pid !== undefined) started++;
        children.push(child);
        if (child.pid === undefined) break;
      }
      for (const child of children) child.kill("SIGKILL");
      return started;`);
    assert.ok((found as number) < 1100, String(found));
  });

  test("a build that fails says how, with what it wrote, and the output from before stays", async (context) => {
    const { root, build } = project(context, { "dist/old.html": "old" });
    await assert.rejects(
      build('console.error("no \\u001b[2Jtemplate"); process.exit(3);'),
      (error: Error & { code: string; hint: string }) => {
        assert.equal(error.code, "STACK_BUILD_FAILED");
        assert.match(error.message, /exit code 3/);
        assert.match(error.hint, /no �\[2Jtemplate/);
        return true;
      },
    );
    assert.equal(readFileSync(join(root, "dist/old.html"), "utf8"), "old");
  });

  test("an output folder that is a link is refused", async (context) => {
    const { root } = project(context, { "build.sh": "rm -rf dist; ln -s /etc dist" });
    await assert.rejects(runJailed({ root, command: "sh build.sh", output: "dist" }), {
      code: "STACK_BUILD_FAILED",
    });
    assert.ok(!existsSync(join(root, "dist")));
  });

  test("an output folder behind a link is refused, and what the link leads to stays where it is", async (context) => {
    const victim = mkdtempSync(join(tmpdir(), "curtainwall-victim-"));
    context.after(() => rmSync(victim, { recursive: true, force: true }));
    mkdirSync(join(victim, "dist"));
    writeFileSync(join(victim, "dist/a"), "somebody else's");
    const { root } = project(context, { "build.sh": `rm -rf site; ln -s ${victim} site` });
    await assert.rejects(runJailed({ root, command: "sh build.sh", output: "site/dist" }), {
      code: "STACK_BUILD_FAILED",
    });
    assert.equal(readFileSync(join(victim, "dist/a"), "utf8"), "somebody else's");
  });

  test("what a killed build left behind goes with the next one; a running one's stays", async (context) => {
    const ended = spawnSync("true").pid;
    const { root, build } = project(context, {
      [`.curtainwall/jail-${ended}-abc/project/a`]: "left",
      [`.curtainwall/jail-${process.ppid}-abc/project/a`]: "in use",
    });
    await build("");
    assert.deepEqual(readdirSync(join(root, ".curtainwall")), [`jail-${process.ppid}-abc`]);
  });

  test("a project that is not there is told", async () => {
    await assert.rejects(runJailed({ root: "/nowhere/at/all", command: "true", output: "d" }), {
      code: "STACK_JAIL_OPTION_INVALID",
    });
  });

  test("what is declared can be reached, by name, and nothing else", async (context) => {
    const port = await listening(
      context,
      createTcpServer((socket) => socket.end("reached")),
    );
    const { build } = project(context);
    const script = `
      const net = await import("node:net");
      const proxy = new URL(process.env.HTTPS_PROXY);
      const through = (authority) => new Promise((done, fail) => {
        const socket = net.connect(Number(proxy.port), proxy.hostname, () => socket.write("CONNECT " + authority + " HTTP/1.1\\r\\n\\r\\n"));
        let text = "";
        socket.on("data", (bytes) => (text += bytes)).on("close", () => done(text)).on("error", fail);
      });
      return { declared: await through("localhost:${port}"), other: await through("localhost:1"), elsewhere: await through("192.0.2.1:443"), cloud: await through("169.254.169.254:443") };`;
    const reaches = [`https://localhost:${port}`, "https://169.254.169.254"];
    const open = await build(script, { reaches, insecurePrivateAddresses: "the test's own server" });
    const { declared, other, elsewhere, cloud } = open.found as Record<string, string>;
    assert.match(declared ?? "", /^HTTP\/1\.1 200 [^]*reached$/);
    assert.match(other ?? "", /^HTTP\/1\.1 403/);
    assert.match(elsewhere ?? "", /^HTTP\/1\.1 403/);
    assert.match(cloud ?? "", /^HTTP\/1\.1 502/, "there clouds keep their machines' credentials");
    const refused = ["169.254.169.254:443 (no public address)", "192.0.2.1:443", "localhost:1"];
    assert.deepEqual(open.result.refused, refused);

    const closed = await build(script, { reaches });
    assert.match((closed.found as Record<string, string>).declared ?? "", /^HTTP\/1\.1 502/);
  });

  for (const reach of [
    "http://api.example",
    "https://api.example/path",
    "api.example",
    "https://*.example",
  ]) {
    test(`${reach} is no origin that a build could reach`, async (context) => {
      const { build } = project(context);
      await assert.rejects(build("", { reaches: [reach] }), { code: "STACK_JAIL_OPTION_INVALID" });
    });
  }

  for (const output of ["..", "../other", "/etc", "."]) {
    test(`${JSON.stringify(output)} is no output folder`, async (context) => {
      const { root } = project(context);
      await assert.rejects(runJailed({ root, command: "true", output }), {
        code: "STACK_JAIL_OPTION_INVALID",
      });
    });
  }
});
