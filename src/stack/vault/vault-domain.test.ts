import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, readSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { needsRoot } from "../../../test/requires.ts";
import {
  bearer,
  defineStack,
  parseContract,
  secret,
  upstream,
  webhookSecret,
  stripe,
  everyone,
} from "../../contract/index.ts";
import { revealSecret } from "../../shared/index.ts";
import { z } from "zod";
import { openEventsPipes, closeEventsPipes } from "../log/events-pipe.ts";
import { stackFolders } from "../folders.ts";
import { openHeldListeners } from "../processes/held-listeners.ts";
import { domainUser, findIsolation } from "../isolation/isolation.ts";
import { domainReady, launchDomain } from "../processes/launch.ts";
import type { DomainProcess } from "../processes/launch.ts";
import type { ToVault } from "../processes/messages.ts";
import { inheritance } from "../supervisor/domain-sockets.ts";
import { openFrames } from "./frames.ts";
import { openVaultLink } from "./vault-link.ts";
import { planVault, prepareVault } from "./vault-plan.ts";
import { withVault } from "./with-vault.ts";

const contract = parseContract(
  defineStack({
    origin: "https://localhost",
    upstreams: { shop: upstream({ url: "https://api.example" }) },
    routes: {
      "GET /api/x": { access: everyone, limit: "5/min per client", response: z.object({}), to: "shop" },
      "POST /api/paid": {
        access: everyone,
        limit: "5/min per client",
        body: z.object({}),
        response: z.object({}),
        to: "shop",
        webhook: stripe("PAID_KEY"),
      },
    },
    secrets: {
      DELIVERY_KEY: secret({ use: "GET https://api.example/api/x", by: "GET /api/x", inject: bearer() }),
      PAID_KEY: webhookSecret(),
    },
  }),
);
const isolation = findIsolation();

interface TestVault {
  readonly loaded: { contract: typeof contract; root: string };
  readonly path: string;
  readonly pid: () => number;
  /** Resolves with the names of secrets that have no value. */
  start(): Promise<string[]>;
  /** Ends it by -9, and waits until it is gone. */
  kill(): Promise<void>;
  set(name: string, value: string): Promise<number>;
  events(): string;
}

/** A vault's process as the supervisor starts it, with egress' socket. */
async function makeVault(t: TestContext): Promise<TestVault> {
  const root = mkdtempSync(join(tmpdir(), "cw-vault-"));
  const folders = stackFolders(root);
  const user = isolation === "uid" ? domainUser("vault", root) : undefined;
  const run = mkdtempSync(join(tmpdir(), "cw-v-"));
  const held = await openHeldListeners([{ name: "vault", path: join(run, "vault") }]);
  const pipes = openEventsPipes(["vault"]);
  const [pipe] = pipes;
  let process_: DomainProcess<ToVault> | undefined;
  const vault: TestVault = {
    loaded: { contract, root },
    path: held.path("vault"),
    pid: () => process_?.pid ?? 0,
    async start() {
      const plan = planVault({ contract, root }, folders, { environment: "development" });
      prepareVault(plan, folders, user);
      const { fds, ...inherited } = inheritance(pipe?.writeFd ?? -1, { held, close: async () => undefined }, [
        "vault",
      ]);
      process_ = launchDomain<ToVault>({
        domain: "vault",
        isolation,
        fds,
        view: plan.view,
        environment: {},
        onLine: (line) => t.diagnostic(line),
      });
      process_.control.send({
        type: "configure",
        ...plan.places,
        ...inherited,
        user,
        mayCreate: true,
        secrets: [...contract.secrets.values()].map(({ name, purpose }) => ({ name, purpose })),
      });
      return (await domainReady("vault", process_)).unset ?? [];
    },
    async kill() {
      process_?.kill();
      await process_?.exited;
    },
    set: async (name, value) =>
      (
        await withVault(
          { contract, root },
          { environment: "development", create: true, isolation },
          (visit) => visit.set(name, Buffer.from(value)),
        )
      ).version,
    events() {
      // Never waits: nobody writes any more.
      const bytes = Buffer.alloc(65_536);
      return bytes.toString("utf8", 0, readSync(pipe?.readFd ?? -1, bytes));
    },
  };
  t.after(async () => {
    await vault.kill();
    await held.close();
    closeEventsPipes(pipes);
    rmSync(root, { recursive: true, force: true });
    rmSync(run, { recursive: true, force: true });
  });
  return vault;
}

test("A vault's process has none of its starter's environment, nor what Node hands down by itself", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "cw-vault-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const before = process.env["NODE_V8_COVERAGE"];
  process.env["NODE_V8_COVERAGE"] = join(root, "coverage");
  process.env["CANARY_OF_STARTER"] = "1";
  t.after(() => {
    delete process.env["CANARY_OF_STARTER"];
    if (before === undefined) delete process.env["NODE_V8_COVERAGE"];
    else process.env["NODE_V8_COVERAGE"] = before;
  });
  const environment = await withVault(
    { contract, root },
    { environment: "development", create: true },
    async ({ pid }) => readFileSync(`/proc/${pid}/environ`, "utf8"),
  );
  assert.doesNotMatch(environment, /COVERAGE|CANARY|PATH=/);
});

test("Who starts a vault hears which secrets of the contract have no value", async (t) => {
  const vault = await makeVault(t);
  assert.deepEqual(await vault.start(), ["DELIVERY_KEY", "PAID_KEY"]);
  await vault.kill();
  await vault.set("PAID_KEY", "a value for tests");
  assert.deepEqual(await vault.start(), ["DELIVERY_KEY"]);
});

test("Egress is given the current value, hears of a new one, and finds a vault that was killed and started again", async (t) => {
  const vault = await makeVault(t);
  assert.equal(await vault.set("DELIVERY_KEY", "canary-one"), 1);
  await vault.start();
  const link = openVaultLink(vault.path);
  t.after(() => link.close());
  const first = await link.get("DELIVERY_KEY");
  assert.equal(first?.version, 1);
  assert.equal(revealSecret(first.value), "canary-one");
  assert.equal(first.previous, undefined, "only a webhook's sender may go on with the one before");
  assert.equal(await link.get("PAID_KEY"), undefined, "declared, and no value yet");

  const changed = new Promise<readonly string[]>((resolve) => link.onChange(resolve));
  assert.equal(await vault.set("DELIVERY_KEY", "canary-two"), 2);
  assert.deepEqual(await changed, ["DELIVERY_KEY"]);
  const second = await link.get("DELIVERY_KEY");
  assert.equal(revealSecret(second?.value ?? assert.fail("no value")), "canary-two");

  const missed = new Promise<readonly string[]>((resolve) => link.onChange(resolve));
  await vault.kill();
  assert.ok((await missed).includes("DELIVERY_KEY"), "what changed meanwhile would not be heard of");
  // The question waits in the socket that outlives its process.
  const asked = link.get("DELIVERY_KEY");
  await vault.start();
  assert.equal((await asked)?.version, 2);
});

test("The key is changed while the vault runs: it goes on giving values out, and hears of new ones", async (t) => {
  const vault = await makeVault(t);
  await vault.set("DELIVERY_KEY", "canary-one");
  await vault.start();
  const link = openVaultLink(vault.path);
  t.after(() => link.close());
  assert.equal((await link.get("DELIVERY_KEY"))?.version, 1);
  const pid = vault.pid();
  const file = join(vault.loaded.root, "next.key");
  writeFileSync(file, randomBytes(32), { mode: 0o600 });
  const rewrapWith = { kind: "file", file } as const;
  const { taken } = await withVault(
    vault.loaded,
    { environment: "development", isolation, rewrapWith },
    (visit) => visit.rewrap(),
  );
  assert.equal(taken, true, "the vault that runs has the new key");
  assert.equal(
    revealSecret((await link.get("DELIVERY_KEY"))?.value ?? assert.fail("no value")),
    "canary-one",
  );
  assert.equal(vault.pid(), pid);
  await assert.rejects(vault.set("DELIVERY_KEY", "canary-two"), { code: "VAULT_KEY_WRONG" });
  renameSync(file, join(vault.loaded.root, ".curtainwall", "vault", "development", "vault.key"));
  const changed = new Promise<readonly string[]>((resolve) => link.onChange(resolve));
  assert.equal(await vault.set("DELIVERY_KEY", "canary-two"), 2);
  assert.deepEqual(await changed, ["DELIVERY_KEY"]);
  assert.equal((await link.get("DELIVERY_KEY"))?.version, 2);
});

test("A webhook's secret comes with the version before it, until that is revoked", async (t) => {
  const vault = await makeVault(t);
  await vault.set("PAID_KEY", "canary-one");
  await vault.set("PAID_KEY", "canary-two");
  await vault.start();
  const link = openVaultLink(vault.path);
  t.after(() => link.close());
  const both = await link.get("PAID_KEY");
  assert.equal(revealSecret(both?.value ?? assert.fail("no value")), "canary-two");
  assert.equal(revealSecret(both?.previous?.value ?? assert.fail("no previous")), "canary-one");
  const changed = new Promise<readonly string[]>((resolve) => link.onChange(resolve));
  await withVault(vault.loaded, { environment: "development", isolation }, (visit) =>
    visit.revoke("PAID_KEY", 1),
  );
  assert.deepEqual(await changed, ["PAID_KEY"]);
  assert.equal((await link.get("PAID_KEY"))?.previous, undefined);
});

test("Who asks for what the contract does not declare is cut off, and so is who sends anything else; others go on", async (t) => {
  const vault = await makeVault(t);
  await vault.set("DELIVERY_KEY", "canary-one");
  await vault.start();
  const link = openVaultLink(vault.path);
  t.after(() => link.close());
  assert.equal((await link.get("DELIVERY_KEY"))?.version, 1);
  for (const hostile of [
    { id: 1, op: "value", name: "OTHER_KEY" },
    { id: 1, op: "value", name: "__proto__" },
    { id: 1, op: "value", name: ["DELIVERY_KEY"] },
    { id: "1", op: "value", name: "DELIVERY_KEY" },
    { id: 1, op: "list" },
    { id: 1, op: "export", recipients: ["age1"] },
    { id: 1, op: "sign", purpose: "release" },
    { id: 1, op: "set", name: "DELIVERY_KEY", by: "egress" },
  ]) {
    const socket = connect(vault.path);
    const channel = openFrames<unknown, unknown>(socket);
    let answers = 0;
    channel.onFrame(() => void answers++);
    const closed = new Promise<void>((resolve) => channel.onClose(resolve));
    void channel.send(hostile, Buffer.from("canary-forged"));
    await closed;
    assert.equal(answers, 0, JSON.stringify(hostile));
  }
  const raw = connect(vault.path);
  raw.on("error", () => undefined);
  raw.write("GET /DELIVERY_KEY HTTP/1.1\r\n\r\n");
  await new Promise((resolve) => raw.once("close", resolve));
  assert.equal((await link.get("DELIVERY_KEY"))?.version, 1, "nothing was set");
  await vault.kill();
  const events = vault.events();
  assert.match(events, /vault\.secret\.denied.*OTHER_KEY/);
  assert.match(events, /vault\.secret\.read.*DELIVERY_KEY/);
  assert.doesNotMatch(events, /canary/);
});

test(
  "As another domain's user nothing of the vault can be read, traced or connected to",
  needsRoot,
  async (t) => {
    const vault = await makeVault(t);
    await vault.set("DELIVERY_KEY", "canary-one");
    await vault.start();
    const { root } = vault.loaded;
    // Each folder on the way may be passed by everybody: what is refused is refused by the vault's own.
    spawnSync("chmod", ["755", root, join(vault.path, "..")]);
    const store = join(root, ".curtainwall", "vault", "development", "store.db");
    const code = `
    const fs = require("fs"), net = require("net");
    const attempt = (name, act) => { try { act(); return name + " done"; } catch (error) { return name + " " + error.code; } };
    const lines = [
      attempt("store", () => fs.readFileSync(${JSON.stringify(store)})),
      attempt("key", () => fs.readFileSync(${JSON.stringify(store.replace("store.db", "vault.key"))})),
      ...["mem", "environ", "maps", "fd/4"].map((file) => attempt(file, () => fs.readFileSync("/proc/${vault.pid()}/" + file))),
      attempt("signal", () => process.kill(${vault.pid()}, "SIGUSR1")),
    ];
    net.connect(${JSON.stringify(vault.path)}).on("error", (error) => console.log([...lines, "socket " + error.code].join("\\n"))).on("connect", () => { console.log([...lines, "socket done"].join("\\n")); process.exit(); });`;
    for (const domain of ["edge", "functions", "ledger"] as const) {
      const { uid, gid } = domainUser(domain, root);
      const { stdout } = spawnSync(process.execPath, ["-e", code], { uid, gid, encoding: "utf8", cwd: "/" });
      assert.deepEqual(stdout.trim().split("\n"), [
        "store EACCES",
        "key EACCES",
        "mem EACCES",
        "environ EACCES",
        "maps EACCES",
        "fd/4 EACCES",
        "signal EPERM",
        "socket EACCES",
      ]);
    }
  },
);
