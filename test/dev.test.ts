import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { command } from "./support/command.ts";
import { makeProject } from "./support/function-project.ts";
import { requires } from "./requires.ts";

const contract = `import { defineStack, everyone, fn } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: false, threads: 1 },
  functions: { greet: {} },
  routes: {
    "POST /api/greet": {
      access: everyone,
      limit: "600/min per client",
      body: z.object({ waitMs: z.int().max(5000) }),
      response: z.object({ said: z.string() }),
      to: fn("greet"),
    },
  },
});
`;
const greet = (said: string): string => `import { defineFunction } from "curtainwall/functions";
import type contract from "../curtainwall.config.ts";
export default defineFunction<typeof contract, "POST /api/greet">(async ({ body }) => {
  await new Promise((resolve) => setTimeout(resolve, body.waitMs));
  return { said: "${said}" };
});
`;

/** The same with a secret, so that there is a vault, too. */
const withSecret = contract.replace("everyone, fn }", "bearer, everyone, fn, secret }").replace(
  "functions: { greet: {} },",
  `functions: { greet: {} },
  secrets: { MAIL_KEY: secret({ use: "POST https://mail.example/v1", by: fn("greet"), inject: bearer() }) },`,
);

interface Dev {
  readonly root: string;
  /** Waits for a line that was not waited for yet; fails when the command ends first. */
  line(pattern: RegExp): Promise<string>;
  /** Waits until it serves, which it does again after a contract changed. */
  served(): Promise<void>;
  ask(waitMs?: number): Promise<[status: number, said: unknown]>;
  /** Kills the process that was started; resolves when all that it started has ended, too. */
  kill(): Promise<void>;
}

async function startDev(t: TestContext, files: Readonly<Record<string, string>> = {}): Promise<Dev> {
  const root = makeProject(t, {
    "package.json": '{ "type": "module" }',
    "curtainwall.config.ts": contract,
    "functions/greet.ts": greet("first"),
    ...files,
  });
  const child = spawn(process.execPath, [...command, "dev", root], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(async () => {
    child.kill("SIGTERM");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  let unread = "";
  let wake = (): void => undefined;
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text: Buffer) => {
      unread += text.toString("utf8");
      wake();
    });
  const ended = once(child, "exit").then(() => "ended");
  const line: Dev["line"] = async (pattern) => {
    for (;;) {
      const found = pattern.exec(unread);
      if (found !== null) {
        unread = unread.slice(found.index + found[0].length);
        return found[1] ?? "";
      }
      const more = new Promise<string>((resolve) => (wake = () => resolve("more")));
      if ((await Promise.race([more, ended])) === "ended") throw new Error(`dev has ended: ${unread}`);
    }
  };
  let port = 0;
  return {
    root,
    line,
    async served() {
      port = Number(await line(/serving https:\/\/localhost:(\d+)/));
    },
    ask: (waitMs = 0) => ask(port, waitMs),
    async kill() {
      child.kill("SIGKILL");
      // Its output ends with the last one that has it.
      await once(child, "close");
    },
  };
}

function ask(port: number, waitMs: number): Promise<[number, unknown]> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: "127.0.0.1",
        port,
        path: "/api/greet",
        method: "POST",
        headers: { host: "localhost", "content-type": "application/json" },
        // Of the development authority, which this process does not know.
        rejectUnauthorized: false,
      },
      async (answer) => {
        const text = Buffer.concat(await answer.toArray()).toString("utf8");
        const { said } = JSON.parse(text) as { said?: unknown };
        resolve([answer.statusCode ?? 0, said]);
      },
    );
    asked.on("error", reject);
    asked.end(JSON.stringify({ waitMs }));
  });
}

suite("curtainwall dev", { skip: requires("bwrap").skip }, () => {
  test("swaps a changed function, loses no call on the way, keeps the one before when the new one fails, and ends whole when it is killed", async (t) => {
    const { root, line, ask: call, served, kill } = await startDev(t);
    await served();
    const file = join(root, "functions/greet.ts");
    assert.deepEqual(await call(), [200, "first"]);

    const slow = call(1500);
    writeFileSync(file, greet("second"));
    await line(/swapped greet/);
    assert.deepEqual(await slow, [200, "first"], "who asked before is answered by the old code");
    assert.deepEqual(await call(), [200, "second"]);

    writeFileSync(file, `${greet("third")}\nconst nothing: any = null;\nnothing.at();\n`);
    await line(/FUNCTIONS_BOOT_FAILED/);
    await line(/>  9 \| nothing\.at\(\);/);
    assert.deepEqual(await call(), [200, "second"]);

    writeFileSync(file, greet("fourth"));
    await line(/swapped greet/);
    assert.deepEqual(await call(), [200, "fourth"]);

    await kill();
    await assert.rejects(call(), { code: "ECONNREFUSED" });
  });

  test("waits for the approval of what a contract permits, at its start and later, and tells which line would allow a refused request", async (t) => {
    const lock = { format: "curtainwall-lock 1", scripts: [null], permissions: [granted, null] };
    const asking = greet("first").replace(
      "return {",
      'await fetch("https://other.example/v1", { method: "POST" });\n  return {',
    );
    const {
      root,
      line,
      ask: call,
      served,
    } = await startDev(t, {
      "curtainwall.config.ts": withSecret,
      "curtainwall.lock.json": JSON.stringify(lock),
      "functions/greet.ts": asking,
    });
    await line(/STACK_PERMISSION_UNAPPROVED/);
    await line(/Nothing is served now/);
    approve(root);
    await served();
    assert.deepEqual(await call(), [200, "first"]);
    await line(/refused fn:greet may not POST https:\/\/other\.example/);
    await line(/reaches: "POST https:\/\/other\.example/);
    writeFileSync(join(root, "functions/greet.ts"), greet("second"));
    await line(/swapped greet/);
    assert.deepEqual(await call(), [200, "second"]);

    writeFileSync(join(root, "curtainwall.config.ts"), withSecret.replace("max(5000)", "max(6000)"));
    await line(/STACK_PERMISSION_UNAPPROVED/);
    await line(/stays as it was/);
    assert.deepEqual(await call(), [200, "second"]);
    approve(root);
    await served();
    assert.deepEqual(await call(6), [200, "second"]);
  });
});

/** One of the permissions, so that it is not the first run, which records them all. */
const granted = { at: "function greet", permits: "runs", recorded: "2026-01-01" };

/** What somebody does in another terminal. */
function approve(root: string): void {
  const args = [...command, "plan", root, "--approve", "a test"];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
}
