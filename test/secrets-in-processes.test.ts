import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess, SpawnSyncReturns } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bareEnvironment, command, commandInShell } from "./support/command.ts";
import { makeProject } from "./support/project.ts";
import { countInMemory } from "./support/process-memory.ts";
import { needsRoot } from "./requires.ts";

/** A value that is written down nowhere: each half is harmless. */
const canary = (name: string): string => ["canary", "7f3a9c", name].join("-");

const config = (
  vault = "",
): string => `import { bearer, defineStack, everyone, secret, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: false, threads: 1 },
  ${vault}
  upstreams: { shop: upstream({ url: "https://api.example" }) },
  routes: { "GET /api/x": { access: everyone, limit: "5/min per client", response: z.object({}), to: "shop" } },
  secrets: { DELIVERY_KEY: secret({ use: "GET https://api.example/api/x", by: "GET /api/x", inject: bearer() }) },
});`;

const run = (root: string, args: readonly string[], input = ""): SpawnSyncReturns<string> =>
  spawnSync(process.execPath, [...command, ...args], { cwd: root, input, encoding: "utf8" });

interface Started {
  readonly child: ChildProcess;
  /** All that it wrote so far. */
  output(): string;
  /** Resolves when it has written this. */
  seen(pattern: RegExp): Promise<void>;
  stop(): Promise<void>;
}

function start(
  root: string,
  args: readonly string[] = [],
  input = "",
  environment: Record<string, string> = {},
): Started {
  // Where whoever starts it asks for core dumps.
  const asked = ["-c", 'ulimit -c unlimited; exec "$0" "$@"', process.execPath, ...command, "start", ...args];
  const child = spawn("sh", asked, {
    cwd: root,
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  child.stdin.end(input);
  let text = "";
  let wake: () => void = () => undefined;
  const ended = new Promise<void>((resolve) =>
    child.once("close", () => {
      wake();
      resolve();
    }),
  );
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (bytes: Buffer) => {
      text += bytes.toString();
      wake();
    });
  return {
    child,
    output: () => text,
    async seen(pattern) {
      while (!pattern.test(text)) {
        if (child.exitCode !== null) throw new Error(`it ended: ${text}`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** A process and all that it started, as the kernel has them. */
function familyOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const [, after = ""] = readFileSync(`/proc/${name}/stat`, "utf8").split(") ");
      parents.set(Number(name), Number(after.split(" ")[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const family = [pid];
  for (const member of family)
    family.push(...[...parents].filter(([, parent]) => parent === member).map(([child]) => child));
  return family;
}

test(
  "A value that nobody has asked for is in no process of a running stack, nor in an argument, an environment, a line or a file",
  needsRoot,
  async () => {
    const project = await makeProject({ config: config() });
    assert.equal(run(project.root, ["secret", "set", "DELIVERY_KEY"], canary("one")).status, 0);
    const stack = start(project.root);
    try {
      await stack.seen(/serving/);
      // Replaced while it runs: the vault notices, and reads no value.
      assert.equal(run(project.root, ["secret", "set", "DELIVERY_KEY"], canary("two")).status, 0);
      const log = join(project.root, ".curtainwall", "ledger", "events.jsonl");
      for (let left = 100; !readFileSync(log, "utf8").includes("vault.secret.set") && left > 0; left--)
        await new Promise((resolve) => setTimeout(resolve, 50));
      assert.match(readFileSync(log, "utf8"), /vault\.secret\.set.*DELIVERY_KEY/);
      const family = familyOf(stack.child.pid ?? 0);
      assert.ok(family.length >= 5, "supervisor, ledger, vault, egress, edge");
      for (const pid of family) {
        const shown = ["cmdline", "environ"]
          .map((file) => readFileSync(`/proc/${pid}/${file}`, "latin1"))
          .join();
        assert.doesNotMatch(shown, /canary-/);
        const command_ = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        assert.equal(countInMemory(pid, Buffer.from(canary(""))), 0, command_);
      }
      assert.ok(
        countInMemory(stack.child.pid ?? 0, Buffer.from("DELIVERY_KEY")) > 0,
        "what is there is found",
      );
      assert.doesNotMatch(stack.output(), /canary-/);
      const domains = family
        .slice(1)
        .map((pid) => ({ pid, limits: readFileSync(`/proc/${pid}/limits`, "utf8") }));
      for (const { limits } of domains) assert.match(limits, /^Max core file size +1 +1 /m);
      // As they are when each crashes.
      for (const { pid } of domains) process.kill(pid, "SIGSEGV");
      await stack.seen(/the vault ended \(SIGSEGV\)/);
      await stack.seen(/the egress ended \(SIGSEGV\)/);
    } finally {
      await stack.stop();
    }
    const dumps = [
      ...readdirSync(project.root, { recursive: true, encoding: "utf8" }),
      ...readdirSync(process.cwd()),
    ].filter((path) => /(?:^|\/)core(?:\.\d+)?$/.test(path));
    assert.deepEqual(dumps, []);
    assert.equal(spawnSync("grep", ["-rqa", canary(""), project.root]).status, 1);
    project.remove();
  },
);

test("Production does not start while a secret's value lies in a .env file or the environment, and does once it is in the vault alone", async () => {
  const project = await makeProject({ config: config() });
  writeFileSync(join(project.root, "curtainwall.config.ts"), config("vault: { key: { passphrase: true } },"));
  const phrase = "five words nobody says together\n";
  const place = ["--environment", "production"];
  const set = spawnSync(
    "sh",
    ["-c", `${commandInShell} secret set DELIVERY_KEY --environment production --passphrase-fd 3 3< phrase`],
    {
      cwd: (writeFileSync(join(project.root, "phrase"), phrase), project.root),
      input: canary("one"),
      encoding: "utf8",
      env: bareEnvironment,
    },
  );
  assert.equal(set.status, 0, set.stderr);
  writeFileSync(join(project.root, ".env"), `SHOP=Bakery\nDELIVERY_KEY=${canary("plain")}\n`);
  const refused = start(project.root, place, phrase);
  await assert.rejects(refused.seen(/serving/));
  assert.match(refused.output(), /STACK_SECRET_IN_ENVIRONMENT.*DELIVERY_KEY in \.env:2/);
  assert.doesNotMatch(refused.output(), /canary-/);
  writeFileSync(join(project.root, ".env"), "SHOP=Bakery\n");
  const inherited = start(project.root, place, phrase, { DELIVERY_KEY: canary("inherited") });
  await assert.rejects(inherited.seen(/serving/));
  assert.match(inherited.output(), /STACK_SECRET_IN_ENVIRONMENT.*the environment/);

  const unasked = start(project.root, place, "");
  await assert.rejects(unasked.seen(/serving/));
  assert.match(unasked.output(), /There is no passphrase/);
  const wrong = start(project.root, place, "some other words entirely here\n");
  await assert.rejects(wrong.seen(/serving/));
  assert.match(wrong.output(), /VAULT_KEY_WRONG/);
  const stack = start(project.root, place, phrase);
  await stack.seen(/serving/);
  const limits = readFileSync(`/proc/${stack.child.pid ?? 0}/limits`, "utf8");
  assert.match(limits, /^Max core file size +1 +1 /m, "who was told the passphrase leaves no dump either");
  await stack.stop();
  project.remove();
});
