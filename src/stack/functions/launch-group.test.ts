// What is left of groups whose starter is killed in the middle of it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { needsRoot, requires } from "../../../test/requires.ts";

const skip = requires("bwrap").skip || needsRoot.skip;

test(
  "Who starts groups and is killed while they start leaves none behind, sandboxed or not",
  { skip },
  async () => {
    for (const isSandboxed of [true, false]) {
      const uid = isSandboxed ? 60_480 : 60_481;
      const program = new URL("fixtures/start-many.ts", import.meta.url).pathname;
      const parameters = ["--conditions=curtainwall-source", program, "6", String(uid), String(isSandboxed)];
      const starter = spawn(process.execPath, parameters, { stdio: ["ignore", "pipe", "inherit"] });
      const [folder] = (await once(starter.stdout, "data")) as [Buffer];
      starter.kill("SIGKILL");
      await once(starter, "exit");
      const patience = AbortSignal.timeout(60_000);
      while (runningAs(uid).length > 0 && !patience.aborted) await wait(20);
      assert.deepEqual(runningAs(uid), []);
      rmSync(String(folder).trim(), { recursive: true });
    }
  },
);

/** Names of a user's processes, those aside that only wait to be noticed. */
function runningAs(uid: number): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/status`, "utf8");
        const isOurs = status.includes(`\nUid:\t${uid}\t`) && !/^State:\tZ/m.test(status);
        return isOurs ? [`${pid} ${/^Name:\t(.*)$/m.exec(status)?.[1]}`] : [];
      } catch {
        return [];
      }
    });
}
