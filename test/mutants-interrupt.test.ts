// How `npm run mutate`, and what it starts, ends when it is stopped, without a run.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startProgram } from "../tools/mutate/processes.ts";

const program = `
  import { onInterrupt } from ${JSON.stringify(new URL("../tools/mutate/interrupt.ts", import.meta.url).href)};
  const interrupt = onInterrupt(() => undefined);
  const waits = setInterval(() => undefined, 1000);
  process.stdout.write("ready");
  await interrupt.promise;
  clearInterval(waits);
  interrupt.forget();
  process.exitCode = interrupt.exitCode();
`;

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)
  test(`a run that ${signal} stops ends by itself, and says ${code}`, async () => {
    const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    await once(child.stdout, "data");
    child.kill(signal);
    assert.deepEqual(await exited, [code, null]);
  });

const host = `
  import { writeFileSync } from "node:fs";
  import { setImmediate as turn } from "node:timers/promises";
  import { closeWhenTold } from ${JSON.stringify(new URL("../tools/mutate/close-when-told.ts", import.meta.url).href)};
  const started = { close: async () => { await turn(); writeFileSync("closed", "once", { flag: "ax" }); } };
  const later = new Promise((resolve) => process.once("disconnect", resolve)).then(turn);
  closeWhenTold(IS_STARTED ? Promise.resolve(started) : later.then(() => started));
  process.send("ready");
`;

for (const [when, isStarted] of [
  ["runs", true],
  ["is only being started", false],
] as const)
  for (const how of ["is ended", "loses who started it"] as const)
    test(`a stack that ${when} is closed, and leaves nothing, when its process ${how}`, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), "cw-host-"));
      t.after(() => rmSync(folder, { recursive: true, force: true }));
      const file = join(folder, "host.ts");
      writeFileSync(file, host.replace("IS_STARTED", String(isStarted)));
      const program = startProgram(file, { folder, environment: process.env, logFile: join(folder, "log") });
      assert.equal(await program.next<string>(60_000), "ready");
      const exited = once(program.child, "exit");
      if (how === "is ended") await program.end();
      else program.child.disconnect();
      assert.deepEqual(await exited, [0, null], readFileSync(join(folder, "log"), "utf8"));
      assert.equal(readFileSync(join(folder, "closed"), "utf8"), "once");
    });
