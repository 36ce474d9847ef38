// The attack on the example, as a user runs it: the compiled command and the tests that it writes, against `npm start`.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { AttackReport } from "../src/audit/index.ts";
import { requires } from "./requires.ts";
import { npmStart, repository, survivors } from "./support/bakery.ts";
import type { OpenBakery } from "./support/bakery.ts";

const onLinux = process.platform === "linux" ? {} : { skip: "reads /proc" };
let bakery: OpenBakery;
/** Inside the repository, where `curtainwall/audit` is found. */
const parent = join(repository, ".curtainwall/test");
mkdirSync(parent, { recursive: true });
const folder = mkdtempSync(join(parent, "attack-"));

before(async () => {
  if (process.platform === "linux") bakery = await npmStart();
});

after(async () => {
  bakery?.npm.kill("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
  assert.deepEqual(await survivors(bakery?.family ?? []), []);
});

interface Ran {
  code: number | null;
  out: string;
  words: string;
}

function node(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: repository,
      env: { ...bakery.environment, NODE_TEST_CONTEXT: undefined, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    let words = "";
    child.stdout.on("data", (chunk: Buffer) => void (out += String(chunk)));
    child.stderr.on("data", (chunk: Buffer) => void (words += String(chunk)));
    child.once("error", reject).once("close", (code) => resolve({ code, out, words }));
  });
}

const attack = (...args: string[]): Promise<Ran> =>
  node([`${repository}dist/cli/main.js`, "attack", "examples/bakery", ...args]);

// A machine that runs other tests too may take longer than the minute that is the command's own.
const budget = "1800s";
/** And may be too slow to see where a limit ends: that is told, and is no fault of the example. */
const busy = /too slow|so slow is|shows no limit/;

test(
  "Every promise of the example holds against attacks of every kind that it gives rise to",
  { skip: requires("chromium").skip || onLinux.skip || false },
  async () => {
    const { code, out, words } = await attack("--json", "--allow-missing", "--budget", budget);
    const report = JSON.parse(out) as AttackReport;
    assert.deepEqual(report.broken, []);
    assert.deepEqual([code, report.ended], [0, undefined], words);
    const gaps = report.kinds.flatMap(({ kind, reasons }) =>
      reasons.filter(({ reason }) => !busy.test(reason)).map(({ reason }) => [kind, reason]),
    );
    assert.deepEqual(gaps, []);
    assert.deepEqual([report.left, report.cleanUpFailed], [{}, undefined]);
    const held = new Set(report.kinds.filter((kind) => kind.held > 0).map(({ kind }) => kind));
    for (const kind of [
      "access",
      "objects",
      "input",
      "limits",
      "cors",
      "verbs",
      "caching",
      "errors",
      "answers",
      "egress",
      "content",
      "headers",
      "tls",
      "webhooks",
    ] as const)
      assert.ok(held.has(kind), kind);
  },
);

test("The tests that it writes pass on the example, with plain node --test", onLinux, async () => {
  const file = join(folder, "attack.generated.ts");
  const emitted = await attack("--kind", "access,objects", "--emit", file);
  assert.equal(emitted.code, 0, emitted.words);
  const { code, out } = await node(["--test", file], { CURTAINWALL_ATTACK_BUDGET: budget });
  assert.equal(code, 0, out);
  assert.match(out, /objects · GET \/api\/orders\/:id/);
});

test(
  "A file that is written for two routes, each named by an option of its own, passes and is about these two",
  onLinux,
  async () => {
    const file = join(folder, "two.generated.ts");
    const routes = ["GET /api/orders/:id", "GET /api/card"];
    const named = routes.flatMap((route) => ["--route", route]);
    const emitted = await attack("--kind", "access,caching", ...named, "--emit", file);
    assert.equal(emitted.code, 0, emitted.words);
    const { code, out } = await node(["--test", "--test-reporter=spec", file], {
      CURTAINWALL_ATTACK_BUDGET: budget,
    });
    assert.equal(code, 0, out);
    assert.match(out, new RegExp(`attack {2}begins, and takes ${budget} at most`));
    const tests = [...out.matchAll(/^✔ (\w+) · (.*) \(/gm)].map(([, kind, route]) => `${kind} ${route}`);
    assert.deepEqual(
      tests,
      ["access", "caching"].flatMap((kind) => routes.map((route) => `${kind} ${route}`)),
    );
  },
);
