// What is signed before the minute is over, by a whole stack that is killed then: what it wrote until then can't be rewritten unseen.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { createInterface } from "node:readline";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { asTested } from "../../../test/support/command.ts";
import { makeProject } from "../../../test/support/project.ts";
import { formatRecord } from "../../ledger/index.ts";
import type { LedgerRecord } from "../../ledger/index.ts";
import { lockLog, openLogFile, readLog, verifyLog } from "../../ledger/node.ts";
import { readLastCheckpoint, stackFolders } from "../index.ts";
import type { StackFolders } from "../index.ts";

const config = `import { defineStack, signedIn, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: 0, threads: 1 },
  identity: { issuer: "https://127.0.0.1:1/", audience: "test", jwksUrl: "https://127.0.0.1:1/jwks" },
  upstreams: { shop: upstream({ url: "https://127.0.0.1:1" }) },
  routes: { "GET /api/orders": { access: signedIn, limit: "99999/min per client", response: z.object({}), to: "shop" } },
});`;

const program = `
  const { startStack } = await import(${JSON.stringify(new URL("../index.ts", import.meta.url).href)});
  const stack = await startStack({ path: process.env.SITE, log: () => undefined });
  console.log(JSON.stringify({ pids: stack.pids(), port: stack.port }));`;

/** Less than what is left of the first minute when a stack has started: a signature by which nobody was hurried comes later. */
const soonMs = 40_000;

/** A stack with processes of its own. */
interface Tree {
  readonly folders: StackFolders;
  readonly pids: Readonly<Record<"edge" | "ledger", number>>;
  readonly port: number;
  /** Kills all of it, and waits until nothing writes the log any more. */
  kill(): Promise<void>;
}

async function startTree(t: TestContext): Promise<Tree> {
  const project = await makeProject({ config });
  t.after(() => project.remove());
  const folders = stackFolders(project.root);
  const child = spawn(process.execPath, [...asTested, "--input-type=module", "-e", program], {
    env: { ...process.env, SITE: project.root },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  t.after(() => child.kill("SIGKILL"));
  const [said] = (await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    closed.then(() => assert.fail("it did not start")),
  ])) as [string];
  return {
    ...(JSON.parse(said) as Pick<Tree, "pids" | "port">),
    folders,
    async kill() {
      child.kill("SIGKILL");
      await closed;
      lockLog(folders.logLockFile, 30_000)();
    },
  };
}

/** Waits until what was signed last is as asked. */
async function untilSigned(folders: StackFolders, isSo: (through: number) => boolean): Promise<void> {
  const signal = AbortSignal.timeout(soonMs);
  while (!isSo(readLastCheckpoint(folders)?.through ?? 0)) await pause(20, undefined, { signal });
}

const recordsOf = ({ logFile }: StackFolders): Promise<LedgerRecord[]> => Array.fromAsync(readLog(logFile));

/** Held against what was signed last. */
function verify(folders: StackFolders): ReturnType<typeof verifyLog> {
  const last = readLastCheckpoint(folders) ?? assert.fail("nothing was signed");
  return verifyLog(folders.logFile, { checkpoints: [last], keys: [last.key] });
}

/** The log from a record on as if that had never been, and all that came after it. */
async function forgeFrom(file: string, seq: number): Promise<void> {
  const lines = readFileSync(file, "utf8").split("\n");
  const kept = lines.slice(
    0,
    lines.findIndex((line) => line.includes(`"seq":${seq},"chain":`)),
  );
  writeFileSync(file, kept.map((line) => `${line}\n`).join(""));
  const log = openLogFile({ path: file, onError: (error) => assert.fail(error) });
  for (let number = 0; number < 50; number++)
    log.append(formatRecord({ type: "stack.stopped", time: Date.now(), reason: "forged" }, "supervisor"));
  await log.close();
}

/** So many requests without a token, each of which is refused and written down. */
async function flood(port: number, count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8, rejectUnauthorized: false });
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const asked = request({
        agent,
        host: "127.0.0.1",
        port,
        path: "/api/orders",
        headers: { host: "localhost" },
      });
      asked
        .on("response", (response) => response.resume().on("end", resolve))
        .on("error", reject)
        .end();
    });
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let sent = 0; sent < count / 8; sent++) await ask();
    }),
  );
  agent.destroy();
}

suite("the log of a stack", () => {
  test("is signed up to an alert that was written a moment ago, also if all is killed after that", async (t) => {
    const tree = await startTree(t);
    await untilSigned(tree.folders, (through) => through > 0);
    process.kill(tree.pids.edge, "SIGKILL");
    const alerts = async (): Promise<LedgerRecord[]> =>
      (await recordsOf(tree.folders)).filter(({ event }) => event === "stack.domain.exited");
    let alert: LedgerRecord | undefined;
    while (alert === undefined) [alert] = await alerts();
    const { seq } = alert;
    await untilSigned(tree.folders, (through) => through >= Number(seq));
    await tree.kill();
    assert.deepEqual([verify(tree.folders).findings, verify(tree.folders).outside], [[], 1]);
    await forgeFrom(tree.folders.logFile, Number(seq));
    assert.match(
      verify(tree.folders)
        .findings.map(({ says }) => says)
        .join(),
      /a checkpoint that was given says of record/,
    );
  });

  test("is signed in the midst of a flood, each time after a thousand records at least", async (t) => {
    const tree = await startTree(t);
    await untilSigned(tree.folders, (through) => through > 0);
    const first = readLastCheckpoint(tree.folders)?.through ?? 0;
    await flood(tree.port, 2400);
    await untilSigned(tree.folders, (through) => through >= first + 1000);
    await tree.kill();
    const { findings, unsigned } = verify(tree.folders);
    assert.deepEqual(findings, []);
    const records = await recordsOf(tree.folders);
    assert.ok(records.filter(({ event }) => event === "gateway.request.refused").length > 2000);
    assert.ok(unsigned <= records.length - 1000);
    const signed = records.flatMap(({ event, through }) =>
      event === "ledger.checkpoint" ? [Number(through)] : [],
    );
    const ofFlood = signed.filter((through) => through > first);
    for (const [index, through] of ofFlood.entries())
      assert.ok(through - (ofFlood[index - 1] ?? first) >= 1000, String(signed));
  });
});
