import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { openApiKeyFile } from "./api-key-file.ts";

const maker = fileURLToPath(new URL("fixtures/make-api-keys.ts", import.meta.url));

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "cw-api-key-file-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Starts a process that makes keys. What it acknowledged is what it wrote before it ended, however that was. */
function makeKeys(
  file: string,
  count: number,
): { child: ChildProcess; acknowledged: Promise<readonly string[]>; exit: Promise<unknown[]> } {
  const child = spawn(process.execPath, [...process.execArgv, maker, file, String(count)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return {
    child,
    acknowledged: text(child.stdout).then((said) => said.split("\n").slice(0, -1)),
    exit: once(child, "exit"),
  };
}

test("of 20 processes that make keys at once, 10 of them killed with -9, no acknowledged key is lost", async (t) => {
  const folder = makeFolder(t);
  const path = join(folder, "api-keys.json");
  const honest = Array.from({ length: 10 }, () => makeKeys(path, 5));
  // They would go on for ever: each is killed in the middle of something, at another key each.
  const killed = Array.from({ length: 10 }, () => makeKeys(path, 1_000_000));
  await Promise.all(
    killed.map(async ({ child, exit }, nth) => {
      let seen = 0;
      child.stdout?.on("data", (chunk: Buffer) => {
        seen += chunk.toString().split("\n").length - 1;
        if (seen > nth) child.kill("SIGKILL");
      });
      assert.deepEqual(await exit, [null, "SIGKILL"]);
    }),
  );
  const acknowledged = (await Promise.all([...honest, ...killed].map((maker) => maker.acknowledged))).flat();
  const kept = new Set(
    openApiKeyFile(path)
      .list()
      .map(({ id }) => id),
  );
  assert.ok(acknowledged.length >= 10 * 5 + 55, `${acknowledged.length} keys were acknowledged`);
  assert.deepEqual(
    acknowledged.filter((id) => !kept.has(id)),
    [],
  );
  for (const { exit } of honest) assert.deepEqual(await exit, [0, null]);
  // Whoever comes next is not in the way of what the killed ones left.
  const { record } = openApiKeyFile(path).create({ scopes: ["orders:read"] });
  assert.equal(openApiKeyFile(path).revoke(record.id), true);
  assert.deepEqual(readdirSync(folder).toSorted(), ["api-keys.json", "api-keys.json.lock"]);
});

test("a list in a folder that is not there is an error that names the lock", (t) => {
  const file = openApiKeyFile(join(makeFolder(t), "gone", "api-keys.json"));
  assert.throws(() => file.create({ scopes: ["a"] }), {
    code: "GATEWAY_API_KEYS_INVALID",
    message: /can't be locked: unable to open/,
  });
});

test("what is no lock is not taken for one", (t) => {
  const path = join(makeFolder(t), "api-keys.json");
  writeFileSync(`${path}.lock`, "somebody's notes, which are not to be lost".repeat(20));
  assert.throws(() => openApiKeyFile(path).create({ scopes: ["a"] }), { code: "GATEWAY_API_KEYS_INVALID" });
});
