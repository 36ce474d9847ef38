import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { command } from "../../../test/support/command.ts";
import { makeProject } from "../../../test/support/project.ts";

const config = `import { defineStack } from "curtainwall";
export default defineStack({ origin: "https://localhost:1", edge: { redirectPort: false, threads: 1 } });`;
/** It keeps a process alive for good, as a connection does that nobody closes. */
const plan = `import { defineAudit } from "curtainwall/audit";
setInterval(() => undefined, 60_000);
export default defineAudit({});`;

for (const name of ["audit", "attack"])
  test(
    `\`${name}\` ends when it has told what it found, whatever the plan left open, with its exit code`,
    { timeout: 120_000 },
    async (t) => {
      const project = await makeProject({ config, files: { "curtainwall.audit.ts": plan } });
      t.after(() => project.remove());
      const child = spawn(process.execPath, [...command, name, project.root, "--json"], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      t.after(() => child.kill("SIGKILL"));
      const text = child.stdout.toArray();
      assert.deepEqual(await once(child, "exit"), [1, null]);
      assert.equal((JSON.parse(Buffer.concat(await text).toString("utf8")) as { format: number }).format, 1);
    },
  );
