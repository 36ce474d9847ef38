// What a newcomer does first, as a newcomer does it: `npm start`, on the compiled package.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { httpsGet } from "./support/https-get.ts";

const repository = fileURLToPath(new URL("..", import.meta.url));

before(() => {
  assert.ok(existsSync(`${repository}dist/cli/main.js`), "dist/ is missing: run  npm ci  (or  npm run prepare)");
});

interface Started {
  npm: ChildProcess;
  port: number;
  /** Ids of all processes below npm's, npm included. */
  family: number[];
}

/** Runs `npm start` on free ports, and waits until it says what to try. */
async function npmStart(): Promise<Started> {
  const [port, shop, login] = await freePorts(3);
  const env = { ...process.env, BAKERY_ORIGIN: `https://localhost:${port}`, BAKERY_SHOP_PORT: String(shop), BAKERY_LOGIN_PORT: String(login) };
  const npm = spawn("npm", ["start"], { cwd: repository, env: { ...env, NODE_OPTIONS: "" }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const ready = new Promise<void>((resolve, reject) => {
    const listen = (chunk: Buffer): void => {
      output += String(chunk);
      if (output.includes("What to try")) resolve();
    };
    npm.stdout.on("data", listen);
    npm.stderr.on("data", listen);
    npm.once("exit", () => reject(new Error(`npm start ended:\n${output}`)));
  });
  await ready;
  return { npm, port: port as number, family: [npm.pid as number, ...descendants(npm.pid as number)] };
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function descendants(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`)
    .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim().split(" "))
    .filter((text) => text !== "")
    .map(Number);
  return [...children, ...children.flatMap(descendants)];
}

/** A zombie is dead: PID 1 of some containers never collects them. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

async function assertAllEnd(pids: readonly number[]): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (pids.some(isAlive) && Date.now() < deadline) await pause(50);
  assert.deepEqual(pids.filter(isAlive), [], "processes left behind");
}

const onLinux = process.platform === "linux" ? {} : { skip: "reads /proc" };

test("npm start serves a page with its policy, answers an allowed call and refuses another; terminated, it leaves no process", onLinux, async () => {
  const { npm, port, family } = await npmStart();
  try {
    assert.ok(family.length >= 6, `npm, the supervisor, edge, ledger, shop and login: ${family.length}`);
    const ask = (path: string) => httpsGet({ host: "127.0.0.1", port, name: "localhost", path, headers: { host: `localhost:${port}` } });
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
    await assertAllEnd(family);
  }
});

test("npm start whose npm is killed without a word leaves no process", onLinux, async () => {
  const { npm, family } = await npmStart();
  npm.kill("SIGKILL");
  await assertAllEnd(family);
});

test("A supervisor that is killed without a word leaves no process", onLinux, async () => {
  const { npm, family } = await npmStart();
  const supervisor = family.find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("bakery/start.ts") && pid !== npm.pid);
  assert.ok(supervisor !== undefined);
  process.kill(supervisor, "SIGKILL");
  await assertAllEnd(family);
});
