// API-2 with everything that it takes: two hosts, and the addresses of a /64, which loopback has in a network namespace of its own.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { needsRoot, requires } from "./requires.ts";
import { asTested } from "./support/command.ts";
import { redis } from "./support/redis-server.ts";

const network = "2001:db8:c0de:1::/64";
const script = fileURLToPath(new URL("support/limits-in-namespace.ts", import.meta.url));
const skip = needsRoot.skip || redis.skip || requires("ip").skip || requires("unshare").skip || false;

interface Found {
  real: { verdict: string; checks: { name: string; state: string; reason?: string }[] };
  mistaken: { state: string; reason?: string };
}

/** Runs a script where nothing but its own loopback is. Whatever it sets up ends with it. */
function inNamespace(): Promise<Found> {
  const setUp =
    'ip link set lo up && echo 1 > /proc/sys/net/ipv6/ip_nonlocal_bind && ip -6 route add local "$0" dev lo && exec "$@"';
  const node = [process.execPath, ...asTested, script, network];
  return new Promise((resolve, reject) => {
    execFile(
      requires("unshare").path,
      ["-n", "sh", "-c", setUp, network, ...node],
      { maxBuffer: 16 * 1024 * 1024, timeout: 600_000 },
      (error, stdout, stderr) => {
        if (error === null) resolve(JSON.parse(stdout) as Found);
        else reject(new Error(`${error.message}\n${stderr}`));
      },
    );
  });
}

test(
  "API-2 is proved where two hosts and a /64 are there to be looked at, and fails who takes each address for a client",
  { skip },
  async () => {
    const { real, mistaken } = await inNamespace();
    const open = real.checks.filter(({ state }) => state !== "passed" && state !== "not applicable");
    assert.deepEqual([real.verdict, open], ["proved", []]);
    const states = Object.fromEntries(real.checks.map(({ name, state }) => [name, state]));
    for (const name of [
      "one client's burst over many connections at once",
      "parallel burst on two instances",
      "IPv6 rotation inside a /64",
    ])
      assert.equal(states[name], "passed");
    assert.equal(mistaken.state, "failed", mistaken.reason ?? "");
  },
);
