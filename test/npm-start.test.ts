// What a newcomer does first, as a newcomer does it: `npm start`, on the compiled package.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { before, test } from "node:test";
import { npmStart, repository, survivors } from "./support/bakery.ts";
import { httpsGet } from "./support/https-get.ts";

before(() => {
  assert.ok(
    existsSync(`${repository}dist/cli/main.js`),
    "dist/ is missing: run  npm ci  (or  npm run prepare)",
  );
});

const onLinux = process.platform === "linux" ? {} : { skip: "reads /proc" };

test(
  "npm start serves a page with its policy, answers an allowed call and refuses another; terminated, it leaves no process",
  onLinux,
  async () => {
    const { npm, port, family } = await npmStart();
    try {
      assert.ok(family.length >= 6, `npm, the supervisor, edge, ledger, shop and login: ${family.length}`);
      const ask = (path: string) =>
        httpsGet({
          host: "127.0.0.1",
          port,
          name: "localhost",
          path,
          headers: { host: `localhost:${port}` },
        });
      const page = await ask("/");
      assert.equal(page.status, 200);
      assert.match(String(page.headers["content-security-policy"]), /default-src 'none'/);
      assert.doesNotMatch(String(page.headers["content-security-policy"]), /unsafe|\*/);
      const allowed = await ask("/api/products");
      assert.equal(allowed.status, 200, allowed.body);
      assert.doesNotMatch(allowed.body, /costCents|internalNote/, "internal columns were dropped");
      const refused = await ask("/api/staff/orders");
      assert.equal(refused.status, 401);
      assert.equal((JSON.parse(refused.body) as { code: string }).code, "GATEWAY_TOKEN_MISSING");
    } finally {
      npm.kill("SIGTERM");
      assert.deepEqual(await survivors(family), [], "processes left behind");
    }
  },
);

test("whoever watches npm start is told that a domain ended, and that it runs again", onLinux, async () => {
  const { npm, family, said } = await npmStart();
  try {
    const ledger = family.find((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").endsWith("stack/domains/ledger.js\0"),
    );
    assert.ok(ledger !== undefined);
    process.kill(ledger, "SIGKILL");
    await said(/the ledger ended \(SIGKILL\)[^]*the ledger runs again/);
  } finally {
    npm.kill("SIGTERM");
    await survivors(family);
  }
});

test(
  "a second npm start says that the bakery runs already, and as what, and builds nothing under it",
  onLinux,
  async () => {
    const { npm, environment, family } = await npmStart();
    try {
      const second = spawnSync("npm", ["start"], { cwd: repository, env: environment, encoding: "utf8" });
      assert.equal(second.status, 1, second.stderr);
      const [, pid] = /runs already \(process (\d+)\)[^]*kill \1/.exec(second.stderr) ?? [];
      assert.ok(family.includes(Number(pid)), second.stderr);
      assert.doesNotMatch(second.stderr, /building|is taken/);
    } finally {
      npm.kill("SIGTERM");
      await survivors(family);
    }
  },
);

test("npm start whose npm is killed without a word leaves no process", onLinux, async () => {
  const { npm, family } = await npmStart();
  npm.kill("SIGKILL");
  assert.deepEqual(await survivors(family), [], "processes left behind");
});

test("A supervisor that is killed without a word leaves no process", onLinux, async () => {
  const { npm, family } = await npmStart();
  const supervisor = family.find(
    (pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("bakery/start.ts") && pid !== npm.pid,
  );
  assert.ok(supervisor !== undefined);
  process.kill(supervisor, "SIGKILL");
  assert.deepEqual(await survivors(family), [], "processes left behind");
});
