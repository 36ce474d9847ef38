// How `npm run mutate` ends when it is stopped, without a run.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";

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
