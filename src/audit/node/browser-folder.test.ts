import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const temporary = mkdtempSync(join(tmpdir(), "curtainwall-folders-"));
after(() => rmSync(temporary, { recursive: true, force: true }));

/** Starts what writes where a browser would, in a process that says what it did and then does what it is told. */
function startOne(then: string): ReturnType<typeof spawn> {
  const program = `import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { inOwnFolder } from ${JSON.stringify(new URL("browser-folder.ts", import.meta.url).href)};
const before = tmpdir();
const { remove } = await inOwnFolder(async () => writeFileSync(tmpdir() + "/profile", ""));
if (tmpdir() !== before) throw new Error("temporary files go elsewhere now");
console.log("started");
${then}`;
  return spawn(
    process.execPath,
    ["--conditions=curtainwall-source", "--input-type=module-typescript", "--eval", program],
    {
      env: { ...process.env, TMPDIR: temporary, NODE_TEST_CONTEXT: undefined },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
}

test("a browser's folder goes with it, with its process, and, where that was killed, when the next one starts", async () => {
  for (const then of ["remove();", "process.exit(3);"]) {
    await once(startOne(then), "exit");
    assert.deepEqual(readdirSync(temporary), [], then);
  }
  const killed = startOne("setInterval(() => undefined, 1000);");
  await once(killed.stdout as NodeJS.ReadableStream, "data");
  const living = startOne("setInterval(() => undefined, 1000);");
  await once(living.stdout as NodeJS.ReadableStream, "data");
  assert.equal(readdirSync(temporary).length, 2);
  killed.kill("SIGKILL");
  await once(killed, "exit");
  // Nobody's folder but our own: neither what another name leads to, nor what only looks like one.
  mkdirSync(join(temporary, "somebody"));
  writeFileSync(join(temporary, "somebody/file"), "");
  symlinkSync(join(temporary, "somebody"), join(temporary, `curtainwall-browser-${killed.pid}-abcdef`));
  await once(startOne("remove();"), "exit");
  const names = readdirSync(temporary);
  assert.equal(names.filter((name) => name.startsWith(`curtainwall-browser-${living.pid}-`)).length, 1);
  assert.equal(
    names.filter((name) => name.startsWith(`curtainwall-browser-${killed.pid}-`)).join(),
    `curtainwall-browser-${killed.pid}-abcdef`,
  );
  assert.deepEqual(readdirSync(join(temporary, "somebody")), ["file"]);
  living.kill("SIGKILL");
  await once(living, "exit");
});
