import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { bwrapWorks } from "../isolation/isolation.ts";
import { findSystemProgram } from "../jail/system-program.ts";
import { listProcesses } from "./list-processes.ts";

const skip = existsSync("/proc/self/ns/net") ? false : "there is no /proc";
const waiting = [process.execPath, "-e", "console.log('ready'); setInterval(() => {}, 1e6)"];

async function start(context: TestContext, [file = "", ...parameters]: readonly string[]): Promise<void> {
  const child = spawn(file, parameters, { stdio: ["ignore", "pipe", "inherit"] });
  context.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
}

test(
  "a process that shares the machine's network, and is under no filter, is told from one in a sandbox",
  { skip: skip || !bwrapWorks() ? skip || "bubblewrap makes no sandbox here" : false },
  async (context) => {
    const sandbox = "--unshare-all --die-with-parent --ro-bind / / --dev /dev --proc /proc".split(" ");
    await start(context, [...waiting, "/stack/domains/edge.js"]);
    await start(context, [findSystemProgram("bwrap") ?? "", ...sandbox, ...waiting, "/node-group.js"]);
    const { processes, unread, hasSandboxes } = listProcesses(process.pid);
    assert.deepEqual(unread, []);
    assert.ok(hasSandboxes);
    const find = (wanted: string) => processes.find(({ domain }) => domain === wanted);
    const [edge, group] = [find("edge"), find("group")];
    assert.deepEqual([edge?.isGroup, edge?.hasMachinesNetwork, edge?.filters], [false, true, 0]);
    assert.deepEqual([group?.isGroup, group?.hasMachinesNetwork], [true, false]);
    assert.equal(group?.hasNoNewPrivileges, true);
  },
);
