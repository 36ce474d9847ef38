import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { needsRoot, requires } from "../../../test/requires.ts";
import { makeProject, packFileOf } from "../../../test/support/project.ts";
import type { TestProject } from "../../../test/support/project.ts";
import { httpsGet } from "../../../test/support/https-get.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import {
  assertStateUsable,
  findIsolation,
  findRunningStacks,
  loadContract,
  openContractLock,
  stackFolders,
  startStack,
} from "../index.ts";
import type { RunningStack, StackLogEntry } from "../index.ts";

const plain = `import { defineStack } from "curtainwall";
export default defineStack({ origin: "https://localhost", edge: { port: 0, redirectPort: 0, threads: 2 } });`;

/** Collects a stack's log, and waits for entries that match. */
function collectLog(): {
  log: (entry: StackLogEntry) => void;
  entries: StackLogEntry[];
  seen: (pattern: RegExp) => Promise<StackLogEntry>;
} {
  const entries: StackLogEntry[] = [];
  const waiting: { pattern: RegExp; resolve: (entry: StackLogEntry) => void }[] = [];
  return {
    entries,
    log(entry) {
      entries.push(entry);
      for (const { pattern, resolve } of waiting) if (pattern.test(entry.message)) resolve(entry);
    },
    seen(pattern) {
      const found = entries.find((entry) => pattern.test(entry.message));
      return found === undefined
        ? new Promise((resolve) => waiting.push({ pattern, resolve }))
        : Promise.resolve(found);
    },
  };
}

test("A running stack of a site without secrets and functions is found, and is gone when it has stopped", async () => {
  const project = await makeProject({ config: plain });
  const stack = await startStack({ path: project.root, log: () => undefined });
  try {
    assert.deepEqual(
      findRunningStacks(project.root).map(({ pid }) => pid),
      [process.pid],
    );
  } finally {
    await stack.close();
    project.remove();
  }
  assert.deepEqual(findRunningStacks(project.root), []);
});

test("Whoever starts a site is told that its lock still permits what its contract no longer asks for", async (t) => {
  const projectWith = async (routes: string): Promise<TestProject> => {
    const project = await makeProject({
      config: `import { defineStack, everyone, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({ origin: "https://localhost", upstreams: { office: upstream({ url: "https://office.example" }) },
  routes: { ${routes} } });`,
    });
    t.after(project.remove);
    // What is said of the lock comes before what stops it here.
    rmSync(stackFolders(project.root).releases, { recursive: true });
    return project;
  };
  const said: string[] = [];
  const start = ({ root }: TestProject): Promise<RunningStack> =>
    startStack({ path: root, log: ({ message }) => void said.push(message) });
  const wide = await projectWith(
    `"GET /api/x": { access: everyone, limit: "5/min per client", response: z.object({}), to: "office" }`,
  );
  const lock = openContractLock(await loadContract(wide.root));
  lock.approve({ reason: "a test", today: "2026-11-23" });
  await assert.rejects(start(wide), /no release/);
  assert.deepEqual(said, []);
  const narrow = await projectWith("");
  copyFileSync(lock.file, join(narrow.root, "curtainwall.lock.json"));
  await assert.rejects(start(narrow), /no release/);
  assert.match(said.join(), /^curtainwall\.lock\.json still permits .* and \d+ more\), .* --prune$/);
});

const eventsOf = (stack: RunningStack): { event: string; [field: string]: unknown }[] =>
  readFileSync(stack.folders.logFile, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { event: string });

test("A stack serves its release on every address and thread, redirects plain HTTP, and leaves no process behind", async () => {
  const project = await makeProject({ config: plain });
  const stack = await startStack({ path: project.root, log: () => undefined });
  const pids = Object.values(stack.pids());
  try {
    for (let count = 0; count < 8; count++) {
      const { status, body } = await httpsGet({
        host: stack.addresses[count % stack.addresses.length] as string,
        port: stack.port,
        name: "localhost",
      });
      assert.equal(status, 200);
      assert.match(body, /Home/);
    }
    const redirect = await fetch(`http://127.0.0.1:${stack.redirectPort}/about`, {
      redirect: "manual",
      headers: { host: "localhost" },
    });
    assert.equal(redirect.headers.get("location"), "https://localhost/about");
  } finally {
    await stack.close();
    project.remove();
  }
  for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
});

test("A port that is taken is noticed, whoever took it, and the error says which", async () => {
  const server = createServer();
  await new Promise<void>(
    (resolve) => void server.listen({ port: 0, host: "127.0.0.1", reusePort: true }, resolve),
  );
  const { port } = server.address() as AddressInfo;
  const project = await makeProject({ config: plain.replace("port: 0", `port: ${port}`) });
  await assert.rejects(
    startStack({ path: project.root, log: () => undefined }),
    (error: { code: string; message: string }) => {
      assert.equal(error.code, "STACK_PORT_IN_USE");
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}`));
      return true;
    },
  );
  server.close();
  project.remove();
});

test("A second stack on one folder is refused, and leaves the first one as it was", async () => {
  const project = await makeProject({ config: plain });
  const stack = await startStack({ path: project.root, log: () => undefined });
  try {
    await assert.rejects(startStack({ path: project.root, log: () => undefined }), {
      code: "STACK_RUNS_ALREADY",
      message: new RegExp(`process ${process.pid}\\b`),
    });
    assert.equal((await httpsGet({ host: "127.0.0.1", port: stack.port, name: "localhost" })).status, 200);
  } finally {
    await stack.close();
  }
  await (await startStack({ path: project.root, log: () => undefined })).close();
  project.remove();
});

/** A pack with one byte of its first page changed. */
function changeOneByte(pack: Uint8Array): Buffer {
  const changed = Buffer.from(pack);
  changed[changed.indexOf("<title>") + 1] = 33;
  return changed;
}

test("A release whose bytes are not those of its manifest is not served, and one cut short is not either", async () => {
  const project = await makeProject({ config: plain });
  const file = packFileOf(project.root);
  const good = readFileSync(file);
  const changed = changeOneByte(good);
  for (const [bytes, code] of [
    [changed, "RELEASE_DIGEST_MISMATCH"],
    [good.subarray(0, -1), "RELEASE_FORMAT_INVALID"],
    [Buffer.from("no release"), "RELEASE_FORMAT_INVALID"],
  ] as const) {
    writeFileSync(file, bytes);
    await assert.rejects(startStack({ path: project.root, log: () => undefined }), { code });
  }
  rmSync(file);
  await assert.rejects(startStack({ path: project.root, log: () => undefined }), {
    code: "STACK_RELEASE_MISSING",
  });
  project.remove();
});

test("A contract that is missing, throws or is incomplete stops the start with its own code", async () => {
  const project = await makeProject({ config: "throw new Error('the dough did not rise')" });
  const start = (): Promise<unknown> => startStack({ path: project.root, log: () => undefined });
  await assert.rejects(
    start(),
    (error: Error & { code: string }) =>
      error.code === "STACK_CONFIG_FAILED" && error.message.includes("the dough did not rise"),
  );
  await assert.rejects(startStack({ path: `${project.root}/nowhere` }), { code: "STACK_CONFIG_MISSING" });
  project.remove();
  const incomplete = await makeProject({
    config: `import { defineStack } from "curtainwall"; export default defineStack({ origin: "https://localhost", orgin: 1 } as never);`,
  });
  await assert.rejects(startStack({ path: incomplete.root }), { code: "CONTRACT_OPTION_UNKNOWN" });
  incomplete.remove();
});

test("A domain that is killed is started again and serves; both are alarms in the log", async () => {
  const project = await makeProject({ config: plain });
  const { log, seen } = collectLog();
  const stack = await startStack({ path: project.root, log });
  try {
    const before = stack.pids();
    process.kill(before.edge, "SIGKILL");
    await seen(/the edge runs again/);
    assert.notEqual(stack.pids().edge, before.edge);
    assert.equal((await httpsGet({ host: "127.0.0.1", port: stack.port, name: "localhost" })).status, 200);
    // What a killed ledger had read and not written is gone, so what came before is to be there first.
    const isWritten = (): boolean => eventsOf(stack).some(({ event }) => event === "stack.domain.restarted");
    while (!isWritten()) await pause(20);
    process.kill(before.ledger, "SIGKILL");
    await seen(/the ledger runs again/);
  } finally {
    await stack.close();
  }
  const names = eventsOf(stack).map(({ event }) => event);
  assert.equal(
    names.filter((name) => name === "stack.domain.exited").length,
    2,
    "the ledger's own end was sent while it was away, and kept",
  );
  assert.equal(names.filter((name) => name === "stack.domain.restarted").length, 2);
  project.remove();
});

test("A certificate that was replaced is shown to the next visitor, without a restart; a broken one is not", async () => {
  const make = (name: string, root: string): void =>
    void execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
        "-subj",
        `/CN=${name}`,
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        `${root}/key.pem`,
        "-out",
        `${root}/cert.pem`,
      ],
      { stdio: "ignore" },
    );
  const project = await makeProject({
    config: plain.replace(
      "threads: 2",
      'threads: 2, certificate: { certFile: "cert.pem", keyFile: "key.pem" }',
    ),
  });
  make("first", project.root);
  const { log, seen } = collectLog();
  const stack = await startStack({ path: project.root, log });
  try {
    const shown = async (): Promise<string> =>
      (await httpsGet({ host: "127.0.0.1", port: stack.port, name: "localhost" })).certificateName;
    assert.equal(await shown(), "first");
    make("second", project.root);
    await stack.reloadCertificate();
    await seen(/certificate was replaced/);
    let name = await shown();
    // The new certificate travels to two threads; a visitor in between may still see the old one.
    for (let count = 0; name !== "second" && count < 200; count++) name = await shown();
    assert.equal(name, "second");
    writeFileSync(`${project.root}/key.pem`, "no key");
    await stack.reloadCertificate();
    await seen(/certificate was not replaced/);
    assert.equal(await shown(), "second");
  } finally {
    await stack.close();
    project.remove();
  }
});

test("The log's folder belongs to the ledger alone, the gateway's key to nobody else, and a torn last line is closed off", async () => {
  const project = await makeProject({ config: plain });
  const first = await startStack({ path: project.root, log: () => undefined });
  await first.close();
  assert.equal(statSync(first.folders.ledger).mode & 0o777, 0o700);
  assert.equal(statSync(first.folders.logFile).mode & 0o777, 0o600);
  assert.equal(statSync(first.folders.assertionKeyFile).mode & 0o777, 0o600);
  assert.ok(!readFileSync(first.folders.assertionJwksFile, "utf8").includes('"d"'));
  appendFileSync(first.folders.logFile, '{"time":"cut sho');
  const second = await startStack({ path: project.root, log: () => undefined });
  await second.close();
  const lines = readFileSync(second.folders.logFile, "utf8").trim().split("\n");
  assert.equal(lines.filter((line) => line.endsWith("cut sho")).length, 1);
  assert.equal(lines.filter((line) => line.startsWith("{") && line.endsWith("}")).length, lines.length - 1);
  project.remove();
});

test("Every weakening that the contract declares is said at start and stands in the log", async () => {
  const config = `import { defineStack, everyone, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost", edge: { port: 0, redirectPort: false, threads: 1 },
  upstreams: { shop: upstream({ url: "http://127.0.0.1:9", insecureAllowHttp: "listens on loopback only" }) },
  routes: { "GET /api/x": { access: everyone, limit: "5/min per client", response: z.object({}), to: "shop" } },
});`;
  const project = await makeProject({ config });
  const { log, entries } = collectLog();
  const stack = await startStack({ path: project.root, log });
  const answer = await httpsGet({ host: "127.0.0.1", port: stack.port, name: "localhost", path: "/api/x" });
  await stack.close();
  assert.equal(answer.status, 503);
  const problem = JSON.parse(answer.body) as { code: string; id: string };
  assert.equal(problem.code, "GATEWAY_UPSTREAM_UNAVAILABLE");
  assert.ok(
    entries.some(({ level, message }) => level === "warning" && message.includes("listens on loopback only")),
  );
  const events = eventsOf(stack);
  assert.ok(
    events.some(
      ({ event, option }) => event === "stack.weakened" && option === "upstreams.shop.insecureAllowHttp",
    ),
  );
  assert.ok(
    events.some(({ event, id }) => event === "gateway.upstream.failed" && id === problem.id),
    "the id that the visitor was told stands in the log",
  );
  project.remove();
});

test(
  "The ledger's folder stays where it is when the same site starts again as another isolation",
  requires("bwrap"),
  async () => {
    const project = await makeProject({ config: plain });
    for (const isolation of ["bwrap", "reduced"] as const) {
      const { log, entries } = collectLog();
      const stack = await startStack({ path: project.root, log, isolation });
      assert.equal((await httpsGet({ host: "127.0.0.1", port: stack.port, name: "localhost" })).status, 200);
      await stack.close();
      assert.equal(
        entries.some(({ message }) => message.startsWith("REDUCED ISOLATION")),
        isolation === "reduced",
        "reduced isolation is said aloud",
      );
    }
    project.remove();
  },
);

test("An issuer that can't be reached closes the routes that need it with 503, and nothing else", async () => {
  const config = `import { defineStack, everyone, signedIn, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost", edge: { port: 0, redirectPort: false, threads: 1 },
  identity: { issuer: "https://127.0.0.1:9/", audience: "api" },
  upstreams: { shop: upstream({ url: "https://127.0.0.1:9" }) },
  routes: {
    "GET /api/mine": { access: signedIn, limit: "5/min per client", response: z.object({}), to: "shop" },
    "GET /api/open": { access: everyone, limit: "5/min per client", response: z.object({}), to: "shop" },
  },
});`;
  const project = await makeProject({ config });
  const stack = await startStack({ path: project.root, log: () => undefined });
  const ask = (path: string): ReturnType<typeof httpsGet> =>
    httpsGet({
      host: "127.0.0.1",
      port: stack.port,
      name: "localhost",
      path,
      headers: { authorization: "Bearer a.b.c" },
    });
  const codes = await Promise.all(
    ["/api/mine", "/api/open", "/"].map(async (path) => [(await ask(path)).status, path]),
  );
  const refusal = await ask("/api/mine");
  await stack.close();
  assert.deepEqual(codes, [
    [503, "/api/mine"],
    [503, "/api/open"],
    [200, "/"],
  ]);
  assert.equal((JSON.parse(refusal.body) as { code: string }).code, "GATEWAY_KEYS_UNAVAILABLE");
  assert.equal(refusal.headers["retry-after"], "5");
  assert.ok(eventsOf(stack).some(({ event }) => event === "gateway.keys.unavailable"));
  project.remove();
});

test("The edge is given what the contract read from the environment, also when it was loaded before", async () => {
  process.env.TEST_SITE_ADDRESS = "https://127.0.0.1:9";
  const config = `import { defineStack, everyone, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost", edge: { port: 0, redirectPort: false, threads: 1 },
  upstreams: { shop: upstream({ url: process.env.TEST_SITE_ADDRESS }) },
  routes: { "GET /api/x": { access: everyone, limit: "5/min per client", response: z.object({}), to: "shop" } },
});`;
  const project = await makeProject({ config });
  assert.deepEqual((await loadContract(project.root)).environment, ["TEST_SITE_ADDRESS"]);
  const stack = await startStack({ path: project.root, log: () => undefined });
  await stack.close();
  delete process.env.TEST_SITE_ADDRESS;
  project.remove();
});

test("A stack does not start in an environment that its contract does not allow; no value is told", async () => {
  const config = `import { defineStack } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost", edge: { port: 0, redirectPort: false, threads: 1 },
  privateEnv: z.object({ CW_TEST_START: z.string().startsWith("t-") }),
});`;
  const project = await makeProject({ config });
  try {
    for (const value of [undefined, "unfit"]) {
      if (value !== undefined) process.env.CW_TEST_START = value;
      await assert.rejects(startStack({ path: project.root, log: () => undefined }), (error) => {
        assert.ok(isCurtainwallError(error, "CONTRACT_ENVIRONMENT_INVALID"), String(error));
        assert.match(error.message, /CW_TEST_START/);
        assert.doesNotMatch(error.message, /unfit/);
        return true;
      });
    }
    process.env.CW_TEST_START = "t-fits";
    await (await startStack({ path: project.root, log: () => undefined })).close();
  } finally {
    delete process.env.CW_TEST_START;
    project.remove();
  }
});

test("An edge that can't start again is ended, not left behind with its sockets; once its cause is mended the site is back", async () => {
  const project = await makeProject({ config: plain });
  const { log, seen } = collectLog();
  const stack = await startStack({ path: project.root, log });
  const packFile = packFileOf(project.root);
  const good = readFileSync(packFile);
  try {
    writeFileSync(packFile, changeOneByte(good));
    process.kill(stack.pids().edge, "SIGKILL");
    await seen(/could not be started again: The release's bytes/);
    const failed = stack.pids().edge;
    assert.throws(() => process.kill(failed, 0), { code: "ESRCH" });
    writeFileSync(packFile, good);
    await seen(/the edge runs again/);
    assert.equal((await httpsGet({ host: "127.0.0.1", port: stack.port, name: "localhost" })).status, 200);
  } finally {
    await stack.close();
    project.remove();
  }
});

test(
  "A ledger whose log was replaced by a link is refused, and the file behind the link keeps its owner",
  needsRoot,
  async () => {
    const project = await makeProject({ config: plain });
    const first = await startStack({ path: project.root, log: () => undefined });
    await first.close();
    const precious = `${project.root}/precious`;
    writeFileSync(precious, "root's own");
    for (const plant of [symlinkSync, linkSync]) {
      rmSync(first.folders.logFile, { force: true });
      plant(precious, first.folders.logFile);
      await assert.rejects(startStack({ path: project.root, log: () => undefined }), {
        code: "LEDGER_FILE_UNUSABLE",
      });
      assert.equal(statSync(precious).uid, 0);
      assert.equal(readFileSync(precious, "utf8"), "root's own");
    }
    project.remove();
  },
);

test("A ledger that can't start again is ended, not left behind as root; once its cause is mended it goes on, and nothing that was sent meanwhile is missing", async () => {
  const project = await makeProject({ config: plain });
  const { log, seen } = collectLog();
  const stack = await startStack({ path: project.root, log });
  const { logFile } = stack.folders;
  try {
    renameSync(logFile, `${logFile}.aside`);
    mkdirSync(logFile);
    process.kill(stack.pids().ledger, "SIGKILL");
    await seen(/the ledger could not be started again: The log can't be opened/);
    const failed = stack.pids().ledger;
    assert.throws(() => process.kill(failed, 0), { code: "ESRCH" });
    assert.equal(
      (await httpsGet({ host: "127.0.0.1", port: stack.port, name: "other.example" })).status,
      421,
    );
    rmdirSync(logFile);
    renameSync(`${logFile}.aside`, logFile);
    await seen(/the ledger runs again/);
  } finally {
    await stack.close();
  }
  const events = eventsOf(stack).map(({ event }) => event);
  for (const name of [
    "stack.domain.exited",
    "edge.request.refused",
    "stack.domain.restarted",
    "stack.stopped",
  ])
    assert.ok(events.includes(name), name);
  project.remove();
});

test("A public site without a certificate does not start with one for development; on loopback alone it may", async () => {
  const config = (edge: string): string =>
    plain.replace("https://localhost", "https://www.bakery.example").replace("port: 0,", `port: 0, ${edge}`);
  const open = await makeProject({ config: config("") });
  await assert.rejects(
    startStack({ path: open.root, log: () => undefined }),
    (error: { code: string; hint: string }) =>
      error.code === "STACK_CERTIFICATE_MISSING" && error.hint.includes("certificate: { certFile:"),
  );
  open.remove();
  const local = await makeProject({ config: config('addresses: ["127.0.0.1"],') });
  const stack = await startStack({ path: local.root, log: () => undefined });
  try {
    assert.equal(
      (await httpsGet({ host: "127.0.0.1", port: stack.port, name: "www.bakery.example" })).status,
      200,
    );
  } finally {
    await stack.close();
    local.remove();
  }
});

test("Git is told to leave the state folder alone, and its own file there is not written over", async () => {
  const project = await makeProject({ config: plain });
  const file = `${project.root}/.curtainwall/.gitignore`;
  await (await startStack({ path: project.root, log: () => undefined })).close();
  assert.equal(readFileSync(file, "utf8"), "*\n");
  assert.equal(statSync(file).mode & 0o444, 0o444, "upstreams may read below the folder");
  writeFileSync(file, "*\n!edge\n");
  await (await startStack({ path: project.root, log: () => undefined })).close();
  assert.equal(readFileSync(file, "utf8"), "*\n!edge\n");
  project.remove();
});

test(
  "What a start as root left behind stops an ordinary user's start and build with the command that helps",
  needsRoot,
  async () => {
    const parent = mkdtempSync(join(tmpdir(), "curtainwall-foreign-"));
    chmodSync(parent, 0o755);
    const folders = stackFolders(parent);
    mkdirSync(folders.ledger, { recursive: true });
    writeFileSync(folders.logFile, "");
    assertStateUsable(folders, "start");
    // Loaded first and dropped then: an ordinary user may not be able to read this repository.
    const script = `
    const { assertStateUsable, stackFolders } = await import(process.env.MODULE);
    process.setgroups([]); process.setgid(65534); process.setuid(65534);
    for (const use of ["start", "build"]) {
      try { assertStateUsable(stackFolders(process.env.ROOT), use); console.log("usable"); }
      catch (error) { console.log(error.code, error.message, error.hint); }
    }`;
    const run = (): string[] =>
      execFileSync(
        process.execPath,
        ["--conditions=curtainwall-source", "--input-type=module", "-e", script],
        {
          encoding: "utf8",
          env: { ROOT: parent, MODULE: new URL("../folders.ts", import.meta.url).href },
        },
      )
        .trim()
        .split("\n");
    for (const line of run())
      assert.match(line, /^STACK_STATE_FOREIGN \.curtainwall belongs to another user.*sudo chown -R/);
    chmodSync(folders.state, 0o777);
    const [start, build] = run();
    assert.match(start ?? "", /^STACK_STATE_FOREIGN \.curtainwall\/ledger belongs to another user/);
    assert.equal(build, "usable", "a build has no use for the log");
    chownSync(folders.state, 65534, 65534);
    chmodSync(folders.state, 0o500);
    for (const line of run())
      assert.match(line, /^STACK_STATE_READ_ONLY \.curtainwall can't be written to by this user.*ls -ld/);
    rmSync(parent, { recursive: true });
  },
);

test(
  "A flood of refusals moves full log files away, in every isolation, and none of them is missing",
  requires("bwrap"),
  async () => {
    const project = await makeProject({
      config: plain.replace("edge:", "ledger: { maxFileBytes: 65_536, keepFiles: 9 }, edge:"),
    });
    const refusals = 700;
    for (const isolation of new Set([findIsolation(), "bwrap" as const])) {
      const { log, entries } = collectLog();
      const stack = await startStack({ path: project.root, isolation, log });
      for (let sent = 0; sent < refusals; sent += 20)
        await Promise.all(
          Array.from({ length: 20 }, () =>
            httpsGet({ host: "127.0.0.1", port: stack.port, name: "other.example" }),
          ),
        );
      await stack.close();
      assert.deepEqual(
        entries.filter(({ level }) => level === "error"),
        [],
        "nothing went wrong",
      );
      const files = readdirSync(stack.folders.ledger);
      assert.ok(files.includes("events.jsonl.1"), files.join(" "));
      const lines = files.flatMap((name) =>
        readFileSync(join(stack.folders.ledger, name), "utf8").trim().split("\n"),
      );
      const events = lines.map((line) => (JSON.parse(line) as { event: string }).event);
      assert.equal(events.filter((event) => event === "edge.request.refused").length, refusals);
      rmSync(stack.folders.ledger, { recursive: true });
    }
    project.remove();
  },
);
