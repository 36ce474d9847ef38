import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { machineOf } from "../src/cli/audit/audit-machine.ts";
import { secretsOf } from "../src/cli/audit/audit-secrets.ts";
import { runCheck } from "../src/audit/check.ts";
import { createCommands } from "../src/audit/commands.ts";
import type { AuditContext } from "../src/audit/context.ts";
import type { SecretsProbe } from "../src/audit/index.ts";
import type { AuditCheck } from "../src/audit/report.ts";
import { sec3 } from "../src/audit/rules/sec-3/sec-3.ts";
import { impostors } from "../src/audit/rules/sec-5/impostors.ts";
import { sec5 } from "../src/audit/rules/sec-5/sec-5.ts";
import { textOfUse } from "../src/contract/index.ts";
import type { ContractUse } from "../src/contract/index.ts";
import { buildFunctions } from "../src/stack/functions/build-functions.ts";
import { loadContract, withVault } from "../src/stack/index.ts";
import type { LoadedContract } from "../src/stack/index.ts";
import { asTested } from "./support/command.ts";
import { httpsGet } from "./support/https-get.ts";
import { certificate, listen, skip } from "./support/https-server.ts";
import { makeProject, publish } from "./support/project.ts";

/** No real secrets. */
const keys = { COURIER_KEY: "q-Wm4Rb8fQ2nXc-Zt7_9dKp+02v", MAIL_KEY: "Zt7-Xc2nfQ8Rb4Wm-q_20+pKd9x" };

const configOf = (port: number): string => `
import { bearer, defineStack, everyone, fn, secret } from "curtainwall";
import { z } from "zod";
const answer = { access: everyone, limit: "99/min per client", response: z.object({ ok: z.boolean() }) } as const;
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: false, threads: 1 },
  functions: { quotes: {}, mail: {}, list: {} },
  secrets: {
    COURIER_KEY: secret({ use: "GET https://127.0.0.1:${port}/v1/quotes", by: fn("quotes"), inject: bearer() }),
    MAIL_KEY: secret({ use: "POST https://127.0.0.1:${port}/v1/mail/*", by: fn("mail"), inject: bearer() }),
  },
  egress: { origins: { "https://127.0.0.1:${port}": { caFile: "ca.pem" } } },
  routes: {
    "GET /api/quotes": { ...answer, to: fn("quotes") },
    "GET /api/list": { ...answer, to: fn("list") },
  },
});`;

const code = (body: string): string => `import { defineFunction } from "curtainwall/functions";
export default defineFunction(async () => { ${body} return { ok: true }; });`;

interface Running {
  readonly loaded: LoadedContract;
  readonly secrets: SecretsProbe;
  call(path: string): Promise<number>;
  /** What the third party was asked with. */
  readonly seen: readonly string[];
}

async function start(context: TestContext): Promise<Running> {
  const seen: string[] = [];
  const { port } = await listen(context, (request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response.end("{}");
  });
  const project = await makeProject({
    config: configOf(port),
    files: {
      "ca.pem": certificate.ca,
      "functions/quotes.ts": code(`await fetch("https://127.0.0.1:${port}/v1/quotes");`),
      "functions/mail.ts": code(""),
      "functions/list.ts": code(""),
    },
  });
  context.after(() => project.remove());
  chmodSync(project.root, 0o755);
  const loaded = await loadContract(join(project.root, "curtainwall.config.ts"));
  await withVault(loaded, { environment: "development", create: true }, async (vault) => {
    for (const [name, value] of Object.entries(keys)) await vault.set(name, new TextEncoder().encode(value));
  });
  await buildFunctions(loaded);
  await publish(project.root, { "/": "<!doctype html><title>Home</title>" });
  const stackPort = await serve(context, project.root);
  const { secrets } = secretsOf(loaded);
  assert.ok(secrets !== undefined);
  return {
    loaded,
    secrets,
    seen,
    call: async (path) =>
      (await httpsGet({ host: "127.0.0.1", port: stackPort, name: "localhost", path })).status,
  };
}

/** Starts a stack in a process that knows no value. */
async function serve(context: TestContext, root: string): Promise<number> {
  const script = fileURLToPath(new URL("support/run-stack.ts", import.meta.url));
  const child = spawn(process.execPath, [...asTested, script, root], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  context.after(async () => {
    child.stdin.end();
    await ended;
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const [, port] = /^port (\d+)$/.exec(line) ?? [];
    if (port !== undefined) return Number(port);
  }
  return assert.fail("the stack did not start");
}

/** Runs a rule's checks with what this machine shows. */
async function look(
  { loaded, secrets }: Pick<Running, "loaded" | "secrets">,
  rule: typeof sec3,
): Promise<Map<string, AuditCheck>> {
  const context = {
    contract: loaded.contract,
    plan: {},
    // Nobody answers: what runs is what the test called itself.
    caller: { call: async () => Promise.reject(new Error("no answer")) },
    secrets,
    machine: secrets === undefined ? undefined : machineOf(loaded),
    sleep,
    isLoopback: true,
    commands: createCommands({ folder: ".", address: undefined, environment: [], start: undefined }),
  } as unknown as AuditContext;
  const found = new Map<string, AuditCheck>();
  for (const check of rule.checks) found.set(check.name, await runCheck(check, rule.id, context));
  return found;
}

const statesOf = (checks: ReadonlyMap<string, AuditCheck>): Record<string, string> =>
  Object.fromEntries([...checks].map(([name, { state }]) => [name, state]));

/** A stack that runs another contract than the one that it is held to; and a value that lies in a file. */
async function findsWhatIsWrong(running: Running): Promise<void> {
  const { loaded } = running;
  const { secrets } = loaded.contract;
  const courier = secrets.get("COURIER_KEY") ?? assert.fail();
  const by = (...users: string[]): Running => {
    const changed = new Map(secrets).set("COURIER_KEY", { ...courier, by: users });
    const other = { ...loaded, contract: { ...loaded.contract, secrets: changed } };
    return { ...running, loaded: other, secrets: secretsOf(other).secrets ?? assert.fail() };
  };
  const name = "every function × every secret";
  const tooMuch = (await look(by("fn:list"), sec5)).get(name);
  assert.deepEqual(
    [tooMuch?.state, tooMuch?.evidence.slice(0, 2).map((entry) => entry.about.split(",")[0])],
    [
      "failed",
      [
        `fn:quotes asks for ${textOfUse(courier.uses[0] ?? assert.fail())}`,
        `fn:list asks for ${textOfUse(courier.uses[0] ?? assert.fail())}`,
      ],
    ],
  );
  await findsWhatIsWider(running);
  writeFileSync(join(loaded.root, ".env.production"), `COURIER_KEY=${keys.COURIER_KEY}\n`);
  const provider = (await look(running, { ...sec3, checks: sec3.checks.slice(0, 1) })).get("provider");
  assert.equal(provider?.state, "failed");
  assert.match(JSON.stringify(provider.evidence), /\.env\.production:1/);
  assert.ok(!JSON.stringify(provider).includes(keys.COURIER_KEY));
  const elsewhere = { ...running, secrets: undefined as unknown as SecretsProbe };
  // That no impostor can stand in for a service here is so wherever one looks from.
  for (const rule of [sec3, { ...sec5, checks: sec5.checks.filter((check) => check !== impostors) }])
    assert.deepEqual(new Set(Object.values(statesOf(await look(elsewhere, rule)))), new Set(["missing"]));
}

/** A stack that permits more than the contract that it is held to: another path, any query, any body. */
async function findsWhatIsWider(running: Running): Promise<void> {
  const { loaded, seen } = running;
  const { secrets } = loaded.contract;
  const held = async (name: string, change: Partial<ContractUse>): Promise<AuditCheck | undefined> => {
    const declared = secrets.get(name) ?? assert.fail();
    const uses = declared.uses.map((use) => ({ ...use, ...change }));
    const contract = { ...loaded.contract, secrets: new Map(secrets).set(name, { ...declared, uses }) };
    const narrower = { ...running, loaded: { ...loaded, contract } };
    return (await look(narrower, sec5)).get(
      "no grant reaches beyond its method, origin, path, query and body",
    );
  };
  const cases: [string, Partial<ContractUse>, RegExp][] = [
    ["MAIL_KEY", { path: ["v1", "mail", "welcome"] }, /fn:mail .* asks for what lies beside it: .* refused/],
    [
      "COURIER_KEY",
      { query: z.strictObject({}) },
      /fn:quotes .* query key that is not declared: .* query refused/,
    ],
    ["MAIL_KEY", { body: z.strictObject({}) }, /fn:mail .* asks for it with another body: .* body refused/],
  ];
  for (const [name, change, line] of cases) {
    const found = await held(name, change);
    assert.equal(found?.state, "failed", String(line));
    assert.ok(
      found.evidence.some(({ about }) => line.test(about)),
      JSON.stringify(found.evidence),
    );
  }
  // Nothing but the body went out, which is null, once as each type: the audit can't know before that nobody refuses it.
  assert.deepEqual(seen.slice(1), Array(5).fill(`POST /v1/mail/audit Bearer ${keys.MAIL_KEY}`));
}

const memory = "canary absent from every process's environment and memory";
const log = "access shows in the vault's log";

suite("The audit of secrets, on a running stack", { skip }, () => {
  test("proves both rows once a secret was used, and no value is in what it tells", async (context) => {
    const running = await start(context);
    const before = await look(running, sec3);
    assert.equal(before.get(memory)?.state, "missing");
    assert.match(before.get(memory)?.reason ?? "", /no function was running/);
    assert.equal(before.get(log)?.state, "missing");

    assert.equal(await running.call("/api/quotes"), 200);
    assert.equal(await running.call("/api/list"), 200);
    assert.deepEqual(running.seen, [`GET /v1/quotes Bearer ${keys.COURIER_KEY}`]);

    const manager = await look(running, sec3);
    const privilege = await look(running, sec5);
    assert.deepEqual(new Set(Object.values(statesOf(manager))), new Set(["passed"]));
    for (const value of Object.values(keys))
      assert.ok(!JSON.stringify([...manager.values(), ...privilege.values()]).includes(value.slice(0, 8)));
    assert.equal(running.seen.length, 1, "the audit sends nothing");
    await findsWhatIsWrong(running);
  });
});
