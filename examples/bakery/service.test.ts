import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "./settings.ts";

const module = (file: string): string => JSON.stringify(join(root, file));

/** A service whose start prints its process id; it listens on a free port. */
const service = `
  import { createServer } from "node:net";
  import { runService } from ${module("service.ts")};
  console.log(process.pid);
  await runService(async () => {
    const server = createServer().listen(0, "127.0.0.1");
    return { url: "x:", close: async () => void server.close() };
  });`;

function run(code: string, stdio: ("ignore" | "pipe" | "ipc")[]): ReturnType<typeof spawn> {
  return spawn(process.execPath, ["--input-type=module-typescript", "--eval", code], { stdio });
}

async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // A process that nobody has collected (Z) has ended.
  return status !== "" && !status.slice(status.lastIndexOf(")")).startsWith(") Z");
}

const linux = { skip: process.platform === "linux" ? false : "needs /proc" };

test("a service ends with the process that started it, even when that is killed", linux, async () => {
  const keeper = run(
    `import { spawn } from "node:child_process";
     spawn(process.execPath, ["--input-type=module-typescript", "--eval", ${JSON.stringify(service)}],
       { stdio: ["ignore", "inherit", "inherit", "ipc"] }).on("message", () => console.log("ready"));`,
    ["ignore", "pipe", "pipe"],
  );
  let text = "";
  for await (const chunk of keeper.stdout ?? []) {
    text += String(chunk);
    if (text.includes("ready")) break;
  }
  const pid = Number.parseInt(text, 10);
  assert.ok(await isRunning(pid));
  keeper.kill("SIGKILL");
  await once(keeper, "exit");
  const deadline = Date.now() + 60_000;
  while ((await isRunning(pid)) && Date.now() < deadline) await sleep(20);
  assert.equal(await isRunning(pid), false);
});

test("a service that can't start says why", async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const child = run(
    `import { runService } from ${module("service.ts")};
     await runService(async () => { throw new Error("no flour", { cause: new Error("the mill is closed") }); });`,
    ["ignore", "ignore", "ignore", "ipc"],
  );
  child.once("message", resolve);
  assert.deepEqual(await promise, { kind: "failed", message: "no flour\n  the mill is closed" });
  assert.deepEqual((await once(child, "exit"))[0], 1);
});
