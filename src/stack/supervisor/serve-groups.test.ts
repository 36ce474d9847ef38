import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import type { FunctionGroup } from "../functions/function-groups.ts";
import { serveGroups } from "./serve-groups.ts";
import type { GroupProcess, ServeGroupsOptions } from "./serve-groups.ts";

type Told = Parameters<ServeGroupsOptions["tell"]>[0];

const groupNamed = (name: string, index: number): FunctionGroup => ({
  name,
  index,
  runner: "workerd",
  memoryMb: 64,
  functions: [],
  hasSecrets: false,
});

/** A process that does nothing until it is ended. */
function startIdle(): GroupProcess {
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  return {
    pid: child.pid ?? 0,
    exited: new Promise((resolve) =>
      child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`)),
    ),
    kill: () => void child.kill("SIGKILL"),
  };
}

/** Serves two groups, and collects what the keeper is told. */
function serve(options: Partial<ServeGroupsOptions> = {}): ReturnType<typeof serveGroups> & {
  told: Told[];
  next: (type: Told["type"]) => Promise<Told>;
} {
  const told: Told[] = [];
  let waiting: { type: Told["type"]; resolve: (message: Told) => void } | undefined;
  const served = serveGroups({
    groups: ["plain", "quotes"].map(groupNamed),
    start: startIdle,
    tell(message) {
      told.push(message);
      if (message.type === waiting?.type) waiting.resolve(message);
    },
    onFailure: (_, error) => assert.equal(error.message, "no program"),
    ...options,
  });
  return { ...served, told, next: (type) => new Promise((resolve) => (waiting = { type, resolve })) };
}

test("A group's process is started once however often it is asked for, its end is told, and it can be started again", async () => {
  const { handle, pids, next, told, endAll } = serve();
  assert.ok(handle({ type: "start-group", group: "quotes" }));
  assert.ok(handle({ type: "start-group", group: "quotes" }));
  const { quotes: first = 0, ...others } = pids();
  assert.deepEqual(others, {});
  assert.deepEqual(told, [{ type: "group-started", group: "quotes", pid: first }]);
  const ended = next("group-exited");
  assert.ok(handle({ type: "kill-group", group: "quotes" }));
  assert.deepEqual(await ended, { type: "group-exited", group: "quotes", how: "SIGKILL" });
  assert.throws(() => process.kill(first, 0), { code: "ESRCH" });
  handle({ type: "start-group", group: "quotes" });
  assert.notEqual(pids()["quotes"], first);
  await endAll();
  assert.deepEqual(pids(), {});
});

test("Groups that the contract does not have, and demands that no keeper has, are not served", () => {
  const { handle, told } = serve();
  assert.equal(handle({ type: "start-group", group: "__proto__" }), false);
  assert.equal(handle({ type: "kill-group", group: "other" }), false);
  assert.equal(handle({ type: "start-group", group: ["plain"] as unknown as string }), false);
  assert.equal(handle({ type: "stop" as "kill-group", group: "plain" }), false);
  assert.deepEqual(told, []);
});

test("A process that can't be started is told as one that ended", () => {
  const start = (): never => {
    throw new Error("no program");
  };
  const { handle, told } = serve({ start });
  handle({ type: "start-group", group: "plain" });
  assert.deepEqual(told, [{ type: "group-exited", group: "plain", how: "it could not be started" }]);
});

test("A keeper that asks without end gets twenty starts at once and two a second from then on; another group has its own", async () => {
  let started = 0;
  const ended: GroupProcess = { pid: 1, exited: Promise.resolve("exit code 0"), kill: () => undefined };
  const { handle, told } = serve({ start: () => (started++, ended), now: () => 0 });
  for (let count = 0; count < 50; count++) {
    handle({ type: "start-group", group: "plain" });
    // It ends at once, and says so in the next turn.
    await Promise.resolve();
    await Promise.resolve();
  }
  assert.equal(started, 20);
  handle({ type: "start-group", group: "quotes" });
  assert.equal(started, 21);
  handle({ type: "kill-group", group: "plain" });
  assert.deepEqual(told.at(-1), { type: "group-exited", group: "plain", how: "it had not started yet" });
});
