import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import type { SpawnSyncReturns } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { bareEnvironment, command, commandInShell } from "./support/command.ts";
import { requires } from "./requires.ts";
import { findIsolation, loadContract, withVault } from "../src/stack/index.ts";
import type { EnvironmentName } from "../src/contract/index.ts";

const repository = fileURLToPath(new URL("..", import.meta.url));

/** A site with two secrets, and no release: the command needs none. */
function makeSite(t: TestContext, vault = ""): string {
  const parent = join(repository, ".curtainwall", "test");
  mkdirSync(parent, { recursive: true });
  const root = mkdtempSync(join(parent, "secrets-"));
  writeFileSync(
    join(root, "curtainwall.config.ts"),
    `import { bearer, defineStack, everyone, secret, upstream, webhookSecret } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost",
  ${vault}
  upstreams: { shop: upstream({ url: "https://api.example" }) },
  routes: { "GET /api/x": { access: everyone, limit: "5/min per client", response: z.object({}), to: "shop" } },
  secrets: {
    DELIVERY_KEY: secret({ use: "GET https://api.example/api/x", by: "GET /api/x", inject: bearer(), rotateEveryDays: 90 }),
    HOOK_KEY: webhookSecret(),
  },
});`,
  );
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

function run(root: string, args: readonly string[], input = ""): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [...command, "secret", ...args], {
    cwd: root,
    input,
    encoding: "utf8",
    env: { ...bareEnvironment, NO_COLOR: "1" },
  });
}

const json = ({ stdout }: SpawnSyncReturns<string>): Record<string, unknown> =>
  JSON.parse(stdout) as Record<string, unknown>;

/** All bytes of all files below a folder. */
function filesBelow(folder: string): Buffer {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Buffer.concat(files.map((entry) => readFileSync(join(entry.parentPath, entry.name))));
}

test("From nothing to a secret that is set, listed, replaced and revoked; its value is in no output and no file", (t) => {
  const root = makeSite(t);
  const outputs: string[] = [];
  const say = (args: readonly string[], input?: string): SpawnSyncReturns<string> => {
    const result = run(root, args, input);
    outputs.push(result.stdout, result.stderr);
    return result;
  };
  assert.match(say(["list"]).stderr, /no value yet:  npx curtainwall secret set DELIVERY_KEY/);
  const first = say(["set", "DELIVERY_KEY"], "canary-first\n");
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stderr, /newline at its end is not part/);
  assert.match(first.stderr, /made .*vault\.key/, "the first use in development makes a key, and says so");
  const second = say(["set", "DELIVERY_KEY", "--json"], "canary-second");
  assert.equal(json(second)["version"], 2);
  assert.doesNotMatch(second.stderr, /made|newline/);

  const listed = json(say(["list", "--json"]))["secrets"] as Record<string, unknown>[];
  assert.deepEqual(
    listed.map(({ name, version, use }) => [name, version, use]),
    [
      ["DELIVERY_KEY", 2, "GET https://api.example/api/x, as bearer"],
      ["HOOK_KEY", null, "checks who signed a webhook"],
    ],
  );
  assert.equal(say(["revoke", "DELIVERY_KEY"]).status, 2, "which version must be said");
  const former = say(["revoke", "DELIVERY_KEY", "--version", "1"]);
  assert.equal(former.status, 0);
  assert.doesNotMatch(former.stderr, /fails from now on/);
  const history = json(say(["history", "DELIVERY_KEY", "--json"]))["versions"] as Record<string, unknown>[];
  assert.deepEqual(
    history.map(({ version, state }) => [version, state]),
    [
      [2, "current"],
      [1, "revoked"],
    ],
  );
  const shown = say(["history", "DELIVERY_KEY"]);
  assert.match(shown.stderr, /^development; version, state, set when, by whom/);
  assert.match(shown.stdout, /^2\tcurrent\t/);
  assert.match(
    say(["revoke", "DELIVERY_KEY", "--version", "2"]).stderr,
    /what needs it fails from now on, until there is a new one: {2}npx curtainwall secret set DELIVERY_KEY/,
  );
  assert.match(say(["who", "DELIVERY_KEY"]).stdout, /^GET \/api\/x\t0\t/);
  assert.doesNotMatch(outputs.join("\n"), /canary/);
  assert.ok(!filesBelow(root).includes("canary"));
});

test("A value that is given as an argument is refused and not repeated, and so is a name that the contract does not have", (t) => {
  const root = makeSite(t);
  for (const args of [
    ["set", "DELIVERY_KEY", "canary-argument"],
    ["set", "DELIVERY_KEY", ".", "canary-argument"],
    ["set", "DELIVERY_KEY", "--canary-argument"],
    ["set", "DELIVERY_KEY", "--json=canary-argument"],
    ["canary-argument"],
    ["set", "canary-argument"],
    ["import", "canary-file", "--identity", "canary-identity"],
    ["export", "--recipients", "canary-recipients"],
  ]) {
    const { status, stdout, stderr } = run(root, args, "value");
    assert.equal(status, 2, args.join(" "));
    assert.match(stderr, /CLI_USAGE_INVALID/);
    assert.doesNotMatch(stdout + stderr, /canary/, args.join(" "));
  }
  assert.match(run(root, ["set", "DELIVERY_KEY", "canary-argument"]).stderr, /secret set NAME < file/);
  const typo = run(root, ["set", "DELIVRY_KEY"], "value");
  assert.equal(typo.status, 2);
  assert.match(typo.stderr, /Did you mean DELIVERY_KEY\?/);
  for (const input of ["", "\n", "null\0byte", "\u00ff".repeat(40_000)])
    assert.equal(run(root, ["set", "DELIVERY_KEY"], input).status, 2, JSON.stringify(input.slice(0, 10)));
});

test("A value that could never be sent is refused before there is a store; what is risky about one is told, and never what it is", (t) => {
  const root = makeSite(t);
  const unfit = run(root, ["set", "DELIVERY_KEY"], "canary\r\nX-Evil: 1");
  assert.equal(unfit.status, 1);
  assert.match(unfit.stderr, /^CLI_SECRET_UNFIT {2}.*\n→ Nothing was changed\. DELIVERY_KEY is: {2}Letters/m);
  assert.ok(!existsSync(join(root, ".curtainwall", "vault")));
  const risky = run(root, ["set", "DELIVERY_KEY", "--json"], '"Bearer canary"');
  assert.equal(risky.status, 0, risky.stderr);
  const notLookedFor = "is not looked for in what a build publishes: ";
  const short = `${notLookedFor}so short that it could be guessed from a fingerprint; a longer one would be looked for`;
  assert.deepEqual(json(risky)["risks"], ["stands in quotes, which are part of it", short]);
  const shortest = run(root, ["set", "DELIVERY_KEY", "--json"], "canary7");
  assert.deepEqual(json(shortest)["risks"], [`${notLookedFor}it is shorter than 8 characters`]);
  const long = run(root, ["set", "DELIVERY_KEY", "--json"], "canary-walnut-otter-lamp-9-31");
  assert.deepEqual(json(long)["risks"], []);
  assert.match(risky.stderr, /look at the value: it stands in quotes/);
  assert.doesNotMatch(
    [unfit, risky, shortest, long].map(({ stdout, stderr }) => stdout + stderr).join(),
    /canary/,
  );
});

test(
  "On a disk that can only be read each command says so, and what helps; nothing is a mistake of ours",
  requires("bwrap"),
  (t) => {
    const root = makeSite(t);
    const readOnly = (...args: string[]): SpawnSyncReturns<string> =>
      spawnSync(
        requires("bwrap").path,
        [...["--dev-bind", "/", "/", "--ro-bind", root, root, process.execPath], ...[...command, ...args]],
        { cwd: root, input: "canary-a", encoding: "utf8", env: { ...bareEnvironment, NO_COLOR: "1" } },
      );
    const isTold = ({ status, stderr }: SpawnSyncReturns<string>, what: string): void => {
      assert.equal(status, 1, stderr);
      const told = `STACK_STATE_READ_ONLY  ${what} can't be written to: its disk can only be read.\n→ Mount it`;
      assert.ok(stderr.startsWith(told), stderr);
    };
    isTold(readOnly("secret", "set", "DELIVERY_KEY"), "The contract's folder");
    isTold(readOnly("key", "release"), "The contract's folder");
    const emitted = readOnly("emit", "--for", "nginx", "--out", join(root, "out"));
    assert.doesNotMatch(emitted.stderr, /\n {4}at /, "no stack trace");
    assert.equal(run(root, ["set", "DELIVERY_KEY"], "canary-a").status, 0);
    for (const args of [
      ["secret", "set", "DELIVERY_KEY"],
      ["secret", "list"],
    ])
      isTold(readOnly(...args), ".curtainwall");
    assert.equal(run(root, ["list"]).status, 0);
  },
);

/** Answers the command at a terminal of its own; gives its exit code and all that the terminal showed. */
function atTerminal(root: string, answer: string): Promise<{ code: number | null; shown: string }> {
  const line = `${commandInShell} secret set DELIVERY_KEY; code=$?; stty -a; exit $code`;
  const child = spawn(requires("script").path, ["-qec", line, "/dev/null"], {
    cwd: root,
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...bareEnvironment, NO_COLOR: "1", SHELL: "/bin/sh" },
  });
  let shown = "";
  child.stdout.on("data", (text) => {
    const asked = shown.includes("Value of DELIVERY_KEY: ");
    shown += String(text);
    // Not before it is asked: until then the terminal itself shows what is typed.
    if (!asked && shown.includes("Value of DELIVERY_KEY: ")) child.stdin.write(answer);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, shown }));
  });
}

test(
  "A value typed or pasted at a terminal is not shown; several lines and Ctrl-C change nothing, and the terminal is as it was",
  requires("script"),
  async (t) => {
    const root = makeSite(t);
    const paste = "\u001b[200~canary-typed\u001b[201~\r";
    const typed = await atTerminal(root, `${paste}canary-wrong\u0015canary-typed\r`);
    assert.equal(typed.code, 0, typed.shown);
    assert.match(typed.shown, /set DELIVERY_KEY, version 1/);
    const refusals = [
      ["canary-one\ncanary-two\ncanary-three\n", /More lines came than were asked for/],
      ["canary-one\rcanary-two\r", /The two differ/],
      ["canary\u0003", /Interrupted\. Nothing was changed/],
      ["\r\r", /There is no value/],
    ] as const;
    const refused = await Promise.all(refusals.map(([answer]) => atTerminal(root, answer)));
    for (const [index, { code, shown }] of refused.entries()) {
      assert.equal(code, refusals[index]?.[0].includes("\u0003") === true ? 130 : 2, shown);
      assert.match(shown, refusals[index]?.[1] ?? /never/);
    }
    for (const { shown } of [typed, ...refused]) {
      assert.doesNotMatch(shown, /canary/);
      assert.match(shown, / icanon .* echo /s, "lines and echo are on again");
    }
    assert.equal((json(run(root, ["history", "DELIVERY_KEY", "--json"]))["versions"] as unknown[]).length, 1);
  },
);

test("Values that are set at once, the first of a store, are all kept: one makes it and its key, the others open them", async (t) => {
  const root = makeSite(t);
  const versions = await Promise.all(
    ["canary-a", "canary-b", "canary-c"].map(
      (value) =>
        new Promise<unknown>((resolve, reject) => {
          const child = spawn(process.execPath, [...command, "secret", "set", "DELIVERY_KEY", "--json"], {
            cwd: root,
            stdio: ["pipe", "pipe", "inherit"],
          });
          let out = "";
          child.stdout.on("data", (text) => void (out += String(text)));
          child.on("error", reject);
          child.on("close", () => resolve((JSON.parse(out || "{}") as { version?: unknown }).version));
          child.stdin.end(value);
        }),
    ),
  );
  assert.deepEqual(new Set(versions), new Set([1, 2, 3]));
  const state = join(root, ".curtainwall", "vault", "development");
  assert.deepEqual(
    readdirSync(state).filter((name) => name.includes(".new-")),
    [],
  );
});

test("Killed by -9 at any moment while it sets values, a vault has lost none that it acknowledged", async (t) => {
  const root = makeSite(t);
  const { contract } = await loadContract(root);
  const isolation = findIsolation();
  const options = { environment: "development" as EnvironmentName, create: true, isolation };
  let acknowledged = 0;
  const rounds = Number(process.env["CURTAINWALL_KILL_ROUNDS"] ?? 6);
  for (let round = 0; round < rounds; round++) {
    await assert.rejects(
      withVault({ contract, root }, options, async (vault) => {
        const set = async (): Promise<number> =>
          (acknowledged = (await vault.set("DELIVERY_KEY", Buffer.from(`canary-${acknowledged}`))).version);
        await set();
        // Each round a little later into the writes, so that it hits different moments of them.
        setTimeout(() => process.kill(vault.pid, "SIGKILL"), 5 + round * 7);
        for (;;) await set();
      }),
      { code: "STACK_VAULT_GONE" },
    );
    const [newest] = await withVault({ contract, root }, options, (vault) => vault.history("DELIVERY_KEY"));
    const version = newest?.version ?? 0;
    assert.ok(
      version >= acknowledged,
      `version ${acknowledged} was acknowledged, and ${version} is the newest`,
    );
    assert.ok(version <= acknowledged + 1, "no more than the one that was under way");
    acknowledged = version;
  }
  assert.ok(acknowledged >= rounds, "each time it did write");
});

test("A command that is killed by -9 takes its vault with it, and leaves a store that opens", async (t) => {
  const root = makeSite(t);
  assert.equal(run(root, ["set", "DELIVERY_KEY"], "canary-0").status, 0);
  const before = statSync(join(root, ".curtainwall", "vault", "development", "store.db")).ino;
  for (const delayMs of [100, 250, 400]) {
    const child = spawn(process.execPath, [...command, "secret", "set", "DELIVERY_KEY"], {
      cwd: root,
      stdio: ["pipe", "ignore", "ignore"],
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end("canary-killed");
    const ended = new Promise((resolve) => child.once("exit", resolve));
    setTimeout(() => child.kill("SIGKILL"), delayMs);
    await ended;
  }
  const history = json(run(root, ["history", "DELIVERY_KEY", "--json"]))["versions"] as unknown[];
  assert.ok(history.length >= 1 && history.length <= 4);
  assert.equal(statSync(join(root, ".curtainwall", "vault", "development", "store.db")).ino, before);
});

test("A passphrase opens its vault and no other does; without one nothing is asked forever; the key can be changed", (t) => {
  const root = makeSite(t, "vault: { key: { passphrase: true } },");
  const secrets = join(root, "phrases");
  mkdirSync(secrets);
  for (const [name, text] of [
    ["right", "five words nobody says together"],
    ["wrong", "five other words said together"],
  ] as const)
    writeFileSync(join(secrets, name), `${text}\n`);
  const withPhrase = (name: string, args: string, input = ""): SpawnSyncReturns<string> =>
    spawnSync("sh", ["-c", `${commandInShell} secret ${args} 3< phrases/${name}`], {
      cwd: root,
      input,
      encoding: "utf8",
      env: bareEnvironment,
    });
  const set = withPhrase("right", "set DELIVERY_KEY --passphrase-fd 3", "canary-1");
  assert.equal(set.status, 0, set.stderr);
  assert.match(run(root, ["set", "DELIVERY_KEY"], "canary-2").stderr, /--passphrase-fd/);
  assert.match(run(root, ["list"]).stderr, /There is no passphrase/);
  const wrong = withPhrase("wrong", "list --passphrase-fd 3");
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /VAULT_KEY_WRONG/);
  assert.doesNotMatch(wrong.stderr, /five/);
  execFileSync("sh", ["-c", "umask 077; head -c 32 /dev/urandom > next.key"], { cwd: root });
  const changed = withPhrase("right", "rewrap --to-file next.key --passphrase-fd 3 --json");
  assert.equal(changed.status, 0, changed.stderr);
  assert.equal(json(changed)["declare"], '{ key: { file: "next.key" } }');
  assert.match(withPhrase("right", "list --passphrase-fd 3").stderr, /VAULT_KEY_WRONG/);
  for (const option of ["passphrase-fd", "new-passphrase-fd"]) {
    const action = option === "passphrase-fd" ? ["list"] : ["rewrap", "--to-passphrase"];
    const typed = run(root, [...action, `--${option}`, "canary two"]);
    assert.equal(typed.status, 2);
    assert.match(typed.stderr, new RegExp(`\\W--${option} takes the number`));
    assert.doesNotMatch(typed.stderr, /canary/);
    const file = run(root, ["rewrap", "--to-credential", "canary two"]);
    assert.doesNotMatch(file.stderr, /canary/);
  }
  const config = join(root, "curtainwall.config.ts");
  writeFileSync(config, readFileSync(config, "utf8").replace("{ passphrase: true }", '{ file: "next.key" }'));
  const listed = run(root, ["list", "--json"]);
  assert.equal((json(listed)["secrets"] as { version: number }[])[0]?.version, 1, listed.stderr);
});

test("Environments are apart: production says what to choose, and another's store is not taken for its own", (t) => {
  const root = makeSite(t);
  const undeclared = run(root, ["set", "DELIVERY_KEY", "--environment", "production"], "canary-1");
  assert.equal(undeclared.status, 1);
  assert.match(undeclared.stderr, /VAULT_KEY_UNDECLARED/);
  assert.match(undeclared.stderr, /head -c 32 \/dev\/urandom/);
  assert.match(undeclared.stderr, /systemd-creds encrypt/);
  assert.equal(run(root, ["list", "--environment", "staging"]).status, 2);
  execFileSync("sh", ["-c", "umask 077; head -c 32 /dev/urandom > vault.key"], { cwd: root });
  const config = join(root, "curtainwall.config.ts");
  const declared = readFileSync(config, "utf8").replace(
    "upstreams:",
    'vault: { key: { file: "vault.key" } },\n  upstreams:',
  );
  writeFileSync(config, declared);
  assert.equal(run(root, ["set", "DELIVERY_KEY", "--environment", "preview"], "canary-preview").status, 0);
  assert.match(run(root, ["list", "--environment", "production"]).stderr, /no value yet/);
  const state = join(root, ".curtainwall", "vault");
  cpSync(join(state, "preview"), join(state, "production"), { recursive: true });
  const foreign = run(root, ["list", "--environment", "production"]);
  assert.equal(foreign.status, 1);
  assert.match(foreign.stderr, /VAULT_FOREIGN/);
  assert.ok(
    foreign.stderr.includes(`The store ${join(state, "production", "store.db")} is of`),
    foreign.stderr,
  );
});

test("What is exported for a recipient is imported elsewhere: said first, done when asked to", async (t) => {
  const [from, to] = [makeSite(t), makeSite(t)];
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  assert.equal(run(from, ["set", "DELIVERY_KEY"], "canary-shared").status, 0);
  assert.equal(run(from, ["export"]).status, 2, "for whom must be said");
  const exported = run(from, ["export", "--recipient", recipient]);
  assert.equal(exported.status, 0, exported.stderr);
  assert.match(exported.stdout, /^-----BEGIN AGE ENCRYPTED FILE-----/);
  writeFileSync(join(to, "secrets.age"), exported.stdout);
  writeFileSync(join(to, "identity.txt"), `# mine\n${identity}\n`);
  const first = run(to, ["import", "secrets.age", "--identity", "identity.txt"]);
  assert.match(first.stdout, /^new\tDELIVERY_KEY/, first.stderr);
  assert.match(first.stderr, /no store of development secrets yet: {2}--apply {2}makes it/);
  assert.ok(!existsSync(join(to, ".curtainwall", "vault")), "a preview makes nothing");
  assert.match(run(to, ["export", "--recipient", recipient]).stderr, /STACK_VAULT_MISSING/);
  assert.ok(!existsSync(join(to, ".curtainwall", "vault")), "nor does what only reads");
  const config = join(to, "curtainwall.config.ts");
  const own = readFileSync(config, "utf8");
  writeFileSync(config, own.replace("https://localhost", "https://localhost.example"));
  const elsewhere = run(to, [
    "import",
    "secrets.age",
    "--identity",
    "identity.txt",
    "--environment",
    "development",
  ]);
  assert.match(elsewhere.stderr, /VAULT_IMPORT_INVALID.*\n.*--allow-other "why"/);
  writeFileSync(config, own);
  assert.equal(run(to, ["set", "HOOK_KEY"], "canary-own").status, 0);
  const told = run(to, ["import", "secrets.age", "--identity", "identity.txt"]);
  assert.match(told.stdout, /^new\tDELIVERY_KEY/, told.stderr);
  assert.match(told.stderr, /Nothing was changed yet/);
  assert.match(run(to, ["list"]).stderr, /no value yet:  npx curtainwall secret set DELIVERY_KEY/);
  assert.equal(run(to, ["import", "secrets.age", "--identity", "identity.txt", "--apply"]).status, 0);
  const again = run(to, ["import", "secrets.age", "--identity", "identity.txt", "--json"]);
  assert.deepEqual(json(again)["changes"], [{ name: "DELIVERY_KEY", change: "same" }]);
  writeFileSync(join(to, "other.txt"), `${await generateX25519Identity()}\n`);
  const locked = run(to, ["import", "secrets.age", "--identity", "other.txt"]);
  assert.match(locked.stderr, /VAULT_IMPORT_LOCKED/);
  assert.doesNotMatch(
    [first, elsewhere, told, again, locked].map(({ stdout, stderr }) => stdout + stderr).join(),
    /canary|AGE-SECRET/,
  );
});

test("A witness elsewhere notices that an older copy of the whole store was laid back", (t) => {
  const root = makeSite(t, 'vault: { witness: { file: "elsewhere/vault.witness" } },');
  // The vault's user must come as far as the witness' own folder, which is made for it.
  chmodSync(root, 0o755);
  const store = join(root, ".curtainwall", "vault", "development");
  assert.equal(run(root, ["set", "DELIVERY_KEY"], "canary-one").status, 0);
  cpSync(store, join(root, "copy"), { recursive: true });
  assert.equal(run(root, ["set", "DELIVERY_KEY"], "canary-two").status, 0);
  assert.equal(run(root, ["list"]).status, 0, "the newest one is fine");
  rmSync(join(store, "store.db"));
  cpSync(join(root, "copy", "store.db"), join(store, "store.db"));
  const { status, stderr } = run(root, ["list"]);
  assert.equal(status, 1);
  assert.match(stderr, /VAULT_ROLLED_BACK/);
});

test("Who used a secret comes from the log, by the users that the contract names and by those that it does not name any more", (t) => {
  const root = makeSite(t);
  mkdirSync(join(root, ".curtainwall", "ledger"), { recursive: true });
  const record = (time: string, fields: object): string =>
    JSON.stringify({ time, source: "egress", severity: "notice", event: "egress.used", ...fields });
  writeFileSync(
    join(root, ".curtainwall", "ledger", "events.jsonl"),
    [
      record("2026-01-02T00:00:00.000Z", { caller: "GET /api/x", secret: "DELIVERY_KEY", count: 3 }),
      record("2026-01-01T00:00:00.000Z", { caller: "GET /api/x", secret: "DELIVERY_KEY" }),
      record("2026-01-03T00:00:00.000Z", { caller: "fn:gone", secret: "DELIVERY_KEY" }),
      record("2026-01-04T00:00:00.000Z", { caller: "GET /api/x", secret: "OTHER_KEY" }),
      "torn",
    ].join("\n"),
  );
  const { grants, undeclared } = json(run(root, ["who", "DELIVERY_KEY", "--json"]));
  assert.deepEqual(grants, [{ user: "GET /api/x", count: 4, last: "2026-01-02T00:00:00.000Z" }]);
  assert.deepEqual(undeclared, [{ user: "fn:gone", count: 1, last: "2026-01-03T00:00:00.000Z" }]);
});
