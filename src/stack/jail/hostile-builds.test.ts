// What a hostile generator leaves behind, brings along, or does while somebody else is still at work with what it made.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { requires } from "../../../test/requires.ts";
import type { JailOptions } from "./jail-options.ts";
import { runJailed } from "./run-jailed.ts";

const bwrap = requires("bwrap");

const me = process.getuid?.() ?? 0;
/** Started as root, tests also act as somebody whom no system has. */
const ordinary = me === 0 ? 60_499 : me;

function project(context: TestContext, files: Readonly<Record<string, string>>, owner = me): string {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-hostile-"));
  context.after(() => {
    spawnSync("chmod", ["-R", "u+rwx", root]);
    rmSync(root, { recursive: true, force: true });
  });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
    if (name.includes("bin/")) chmodSync(join(root, name), 0o755);
  }
  chmodSync(root, 0o755);
  if (owner !== me)
    for (const path of [".", ...readdirSync(root, { recursive: true, encoding: "utf8" })])
      chownSync(join(root, path), owner, owner);
  return root;
}

const runner = `import { runJailed } from ${JSON.stringify(new URL("./run-jailed.ts", import.meta.url).href)};
const [root, command] = process.argv.slice(1);
try {
  await runJailed({ root, command, output: "dist", timeoutMs: 60_000, onLine: (line) => console.log("line " + line) });
  console.log("built");
} catch (error) { console.log(error.code + " " + error.message); }`;

/** The command line of a process that runs a jailed build. */
const runnerOf = (root: string, command: string): string[] => [
  "--conditions=curtainwall-source",
  "--input-type=module",
  "-e",
  runner,
  root,
  command,
];

/** Runs a build as an ordinary user. */
function buildAs(owner: number, root: string, command: string): string {
  const settings = owner === me ? {} : { uid: owner, gid: owner };
  const { stdout, stderr } = spawnSync(process.execPath, runnerOf(root, command), {
    encoding: "utf8",
    ...settings,
  });
  return stdout.trim() || stderr;
}

const build = (
  root: string,
  command: string,
  more: Partial<JailOptions> = {},
): ReturnType<typeof runJailed> => runJailed({ root, command, output: "dist", timeoutMs: 60_000, ...more });

/** Command lines of all processes that can be seen, those of other users too. */
const commandLines = (): string[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, "utf8");
      } catch {
        return "";
      }
    });

suite("a hostile build", { skip: bwrap.skip }, () => {
  test("can't bring along the programs that make its jail: neither inside it, nor where npm puts packages before the system", async (context) => {
    const planted = '#!/bin/sh\necho planted >&2; touch "$(dirname "$0")/ran"; exit 1\n';
    const root = project(context, {
      "node_modules/.bin/prlimit": planted,
      "node_modules/.bin/setpriv": planted,
      "node_modules/.bin/bwrap": planted,
    });
    const path = process.env.PATH;
    process.env.PATH = `${join(root, "node_modules/.bin")}${delimiter}${path ?? ""}`;
    context.after(() => (process.env.PATH = path));
    const lines: string[] = [];
    const { jailed } = await build(root, "mkdir dist; echo by hand; prlimit; true", {
      onLine: (line) => lines.push(line),
    });
    assert.equal(jailed, true);
    // Its own call of what it brought along is its own business.
    assert.deepEqual(lines.filter((line) => line === "planted" || line === "by hand").sort(), [
      "by hand",
      "planted",
    ]);
    assert.ok(!existsSync(join(root, "node_modules/.bin/ran")));
  });

  test("is handed no descriptor that whoever started us had open", async (context) => {
    const canary = join(mkdtempSync(join(tmpdir(), "curtainwall-open-")), "canary");
    context.after(() => rmSync(dirname(canary), { recursive: true }));
    writeFileSync(canary, "canary");
    const root = project(context, {});
    const look = `for (let fd = 3; fd < 64; fd++) if (isFile(fd)) for (const act of [() => fs.readSync(fd, bytes, 0, 6, 0), () => fs.readFileSync("/proc/self/fd/" + fd).copy(bytes), () => fs.writeSync(fd, "over", 0)])
      try { bytes.fill(0); act(); if (bytes.includes("canary")) console.log("canary in", fd); } catch {}`;
    writeFileSync(
      join(root, "build.mjs"),
      `import fs from "node:fs"; fs.mkdirSync("dist"); const bytes = Buffer.alloc(64); const isFile = (fd) => { try { return fs.fstatSync(fd).isFile(); } catch {} };\n${look}`,
    );
    const fd = openSync(canary, "r+");
    // Node closes low ones by itself, and stops looking at the first number that is free.
    const handed = Array.from({ length: 50 }, (_, index) => (index % 6 === 0 ? fd : ("ignore" as const)));
    const { stdout } = spawnSync(process.execPath, runnerOf(root, "node build.mjs"), {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit", ...handed],
    });
    assert.match(stdout, /built/);
    assert.doesNotMatch(stdout, /canary/);
    assert.equal(readFileSync(canary, "utf8"), "canary");
  });

  test("is given variables in a way that others on the machine can't read", async (context) => {
    const root = project(context, {});
    const stop = new AbortController();
    let seen: string[] = [];
    const running = build(root, 'echo "got $VALUE"; exec sleep 60', {
      environment: { VALUE: "a-value-of-the-build" },
      signal: stop.signal,
      onLine: (line) => {
        assert.equal(line, "got a-value-of-the-build");
        seen = commandLines();
        stop.abort();
      },
    });
    await assert.rejects(running, { code: "STACK_BUILD_FAILED", message: /was stopped/ });
    assert.ok(seen.some((line) => line.includes("sleep")));
    assert.ok(!seen.some((line) => line.includes("a-value-of-the-build")));
  });

  test("that closes its output and goes on is gone before the output is read", async (context) => {
    const mark = `curtainwall-straggler-${process.pid}`;
    const root = project(context, {
      "build.mjs": `import { spawn } from "node:child_process"; import fs from "node:fs";
        fs.mkdirSync("dist");
        for (let i = 0; i < 60; i++) spawn("/bin/sh", ["-c", "while :; do :; done", "${mark}"], { detached: true, stdio: "ignore" });
        setTimeout(() => process.exit(0), 300);`,
    });
    await build(root, "exec node build.mjs >/dev/null 2>&1");
    assert.ok(!commandLines().some((line) => line.includes(mark)));
    const signal = AbortSignal.timeout(1500);
    await assert.rejects(build(root, "node build.mjs; exec sleep 60 >/dev/null 2>&1", { signal }));
    assert.ok(!commandLines().some((line) => line.includes(mark)));
  });

  test("ends with us, however we end, and the next build tidies up", async (context) => {
    const mark = `curtainwall-orphan-${process.pid}`;
    const root = project(context, {
      "dist/old.html": "old",
      "wait.mjs": "console.log('ready'); setInterval(() => {}, 1000);",
    });
    const child = spawn(process.execPath, runnerOf(root, `node wait.mjs ${mark}`), {
      stdio: ["ignore", "pipe", "inherit"],
    });
    for await (const line of createInterface({ input: child.stdout })) if (line === "line ready") break;
    assert.ok(commandLines().some((line) => line.includes(mark)));
    child.kill("SIGKILL");
    await once(child, "exit");
    // The kernel needs a moment; the test's own limit ends the wait.
    while (commandLines().some((line) => line.includes(mark))) await new Promise(setImmediate);
    assert.equal(readFileSync(join(root, "dist/old.html"), "utf8"), "old");
    await build(root, "mkdir dist; touch dist/new.html");
    assert.deepEqual(readdirSync(join(root, "dist")), ["new.html"]);
    assert.deepEqual(readdirSync(join(root, ".curtainwall")), []);
  });

  for (const [what, command] of [
    ["a pipe, which a reader would wait for", "mkfifo dist/feed"],
    ["a socket", `perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => "dist/s", Listen => 1) or die'`],
    ["a name that is no text", "touch dist/\"$(printf 'a\\377')\""],
  ] as const) {
    test(`whose output holds ${what}, is refused, and what was there stays`, async (context) => {
      const root = project(context, { "dist/old.html": "old" });
      await assert.rejects(build(root, `mkdir dist; ${command}`), {
        code: "STACK_BUILD_FAILED",
        message: /is neither a file, a folder nor a link|can't be read/,
      });
      assert.equal(readFileSync(join(root, "dist/old.html"), "utf8"), "old");
      assert.deepEqual(readdirSync(join(root, ".curtainwall")), []);
    });
  }

  for (const owner of new Set([me, ordinary])) {
    const who = owner === 0 ? "root" : "an ordinary user";

    test(`for ${who}: leaves no program that runs as its owner, and no folder that nobody may enter`, (context) => {
      const root = project(context, {}, owner);
      const command =
        "mkdir -p dist/closed/in dist/shared; cp /bin/true dist/program; chmod 6755 dist/program; touch dist/closed/in/a dist/plain; chmod 2777 dist/shared; chmod 4666 dist/plain; mkdir -p left/closed/in; chmod 0 left/closed dist/closed";
      assert.equal(buildAs(owner, root, command), "built");
      const mode = (name: string): string => (lstatSync(join(root, "dist", name)).mode & 0o7777).toString(8);
      assert.deepEqual(["program", "plain", "shared", "closed", "closed/in"].map(mode), [
        "755",
        "644",
        "755",
        "755",
        "755",
      ]);
      assert.deepEqual(readdirSync(join(root, ".curtainwall")), []);
      // Nor is the next build in its way.
      assert.equal(buildAs(owner, root, "mkdir dist; touch dist/again"), "built");
      assert.deepEqual(readdirSync(join(root, "dist")), ["again"]);
    });

    test(`for ${who}: folders too deep to have a path are removed, or refused`, (context) => {
      const root = project(context, { "dist/old.html": "old" }, owner);
      const deep = (where: string): string =>
        `mkdir -p dist; perl -e 'chdir "${where}"; for (1 .. 2500) { mkdir "d"; chdir "d" or die }'`;
      assert.equal(buildAs(owner, root, deep(".")), "built");
      assert.deepEqual(readdirSync(join(root, ".curtainwall")), []);
      assert.match(buildAs(owner, root, deep("dist")), /^STACK_BUILD_FAILED /);
      assert.deepEqual(readdirSync(join(root, ".curtainwall")), []);
      assert.deepEqual(readdirSync(join(root, "dist")), []);
    });
  }

  test("can't drive a terminal or turn text around, by what it prints or asks for", async (context) => {
    const root = project(context, {
      "build.mjs": `import fs from "node:fs"; import net from "node:net";
        fs.mkdirSync("dist"); console.log("\\u001b[2Jgone \\u202Etxt.exe\\u2066 \\u009b31m tab\\there");
        const proxy = new URL(process.env.HTTPS_PROXY);
        const ask = (text) => new Promise((done) => net.connect(Number(proxy.port), proxy.hostname, function () { this.write("CONNECT " + text + " HTTP/1.1\\r\\n\\r\\n"); }).on("close", done).on("error", done).resume());
        await ask("a\\u001b[2J.example:443"); await ask("b.example:443"); await ask("c".repeat(400));`,
    });
    const lines: string[] = [];
    const result = await build(root, "node build.mjs", {
      reaches: ["https://declared.example"],
      onLine: (line) => lines.push(line),
    });
    assert.deepEqual(lines, ["�[2Jgone �txt.exe� �31m tab  here"]);
    assert.deepEqual(result.refused, ["b.example:443"]);
  });

  test("can't use up the gate: connections are bounded, and an honest one after them is served", async (context) => {
    const server = createServer((_, response) => response.end("reached")).listen(0, "127.0.0.1");
    await once(server, "listening");
    context.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const root = project(context, {
      "build.mjs": `import fs from "node:fs"; import net from "node:net";
        fs.mkdirSync("dist");
        const idle = await Promise.all(Array.from({ length: 1000 }, () => new Promise((done) => { const s = net.connect("/run/gate/gate"); s.on("error", () => {}); s.once("connect", () => setTimeout(() => done(s), 300)); s.once("error", () => done(s)); })));
        const open = idle.filter((s) => !s.destroyed && s.readyState === "open").length;
        for (const s of idle) s.destroy();
        const honest = () => new Promise((done) => { let text = ""; const s = net.connect("/run/gate/gate", () => s.write("CONNECT localhost:${port} HTTP/1.1\\r\\n\\r\\n")); s.on("data", (bytes) => { text += bytes; if (text.includes("reached")) s.destroy(); else if (/ 200 /.test(text)) s.write("GET / HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n"); }); s.on("close", () => done(text)); s.on("error", () => {}); });
        let answer = ""; for (let i = 0; i < 100 && !answer.includes("reached"); i++) answer = await honest();
        let planted = "refused"; try { fs.writeFileSync("/run/gate/planted", ""); planted = "planted"; } catch {}
        fs.writeFileSync("dist/found", JSON.stringify({ open, reached: answer.includes("reached"), planted }));`,
    });
    await build(root, "node build.mjs", {
      reaches: [`https://localhost:${port}`],
      insecurePrivateAddresses: "the test's own server",
    });
    const found = JSON.parse(readFileSync(join(root, "dist/found"), "utf8")) as Record<string, unknown>;
    assert.ok(Number(found.open) <= 256, String(found.open));
    assert.deepEqual([found.reached, found.planted], [true, "refused"]);
  });
});
