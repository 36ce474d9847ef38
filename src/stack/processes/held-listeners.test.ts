import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { needsRoot } from "../../../test/requires.ts";
import { openProgram } from "../functions/open-program.ts";
import { openHeldListeners } from "./held-listeners.ts";

const makeFolder = (): string => mkdtempSync(join(tmpdir(), "cw-held-"));

/** A process that inherits a listener, and answers each connection with its name. */
const inherit = (fd: number, name: string): ChildProcess =>
  spawn(
    process.execPath,
    ["-e", `require("node:net").createServer((s) => s.end("${name}")).listen({ fd: 3 })`],
    { stdio: ["ignore", "ignore", "inherit", fd], env: {} },
  );

/** Connects, and resolves with what it is sent. */
async function ask(path: string): Promise<string> {
  const socket = connect(path);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "close");
  return Buffer.concat(chunks).toString();
}

test("Whoever connects before anybody inherited a socket is answered later; so is who connects while its process is started again", async () => {
  const folder = makeFolder();
  const held = await openHeldListeners([{ name: "vault", path: join(folder, "vault") }]);
  try {
    const socket = connect(held.path("vault"));
    const early = once(socket, "data");
    await once(socket, "connect");
    const first = inherit(held.fd("vault"), "first");
    assert.equal(String((await early)[0]), "first");
    first.kill("SIGKILL");
    await once(first, "exit");
    const meanwhile = Array.from({ length: 50 }, () => ask(held.path("vault")));
    const second = inherit(held.fd("vault"), "second");
    assert.deepEqual(new Set(await Promise.all(meanwhile)), new Set(["second"]));
    second.kill("SIGKILL");
    await once(second, "exit");
  } finally {
    await held.close();
    rmSync(folder, { recursive: true });
  }
});

test("Closed, a socket is gone, who waited is cut off, and no descriptor is left", async () => {
  const folder = makeFolder();
  const plans = ["a", "b", "c"].map((name) => ({ name, path: join(folder, name) }));
  await (await openHeldListeners(plans)).close();
  const before = readdirSync("/proc/self/fd").length;
  for (let round = 0; round < 5; round++) {
    const held = await openHeldListeners(plans);
    const socket = connect(held.path("b"));
    socket.on("error", () => undefined);
    await once(socket, "connect");
    const cut = new Promise((resolve) => socket.once("close", resolve));
    await held.close();
    await cut;
    assert.ok(plans.every(({ path }) => !existsSync(path)));
  }
  assert.equal(readdirSync("/proc/self/fd").length, before);
  rmSync(folder, { recursive: true });
});

test("A path that is too long, and a folder that is not there, are told as such", async () => {
  const folder = makeFolder();
  const long = join(folder, "x".repeat(107));
  await assert.rejects(openHeldListeners([{ name: "long", path: long }]), {
    code: "STACK_SOCKET_FAILED",
    message: /may have 107 bytes/,
  });
  const plans = [
    { name: "good", path: join(folder, "good") },
    { name: "nowhere", path: join(folder, "nowhere", "socket") },
  ];
  await assert.rejects(openHeldListeners(plans), { code: "STACK_SOCKET_FAILED", message: /nowhere/ });
  assert.ok(!existsSync(join(folder, "good")), "those that could be opened are closed again");
  rmSync(folder, { recursive: true });
});

test("Only the user that owns a socket can connect to it", needsRoot, async () => {
  const folder = makeFolder();
  const owner = { uid: 61_001, gid: 61_001 };
  const held = await openHeldListeners([{ name: "vault", path: join(folder, "vault"), owner }]);
  chmodSync(folder, 0o711);
  const path = held.path("vault");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const connectAs = (uid: number): string =>
    spawnSync(
      openProgram(process.execPath),
      [
        "-e",
        `const s = require("node:net").connect(${JSON.stringify(path)});
         s.on("connect", () => { console.log("connected"); s.destroy(); }); s.on("error", (e) => console.log(e.code));`,
      ],
      { uid, gid: uid, encoding: "utf8", env: {}, cwd: "/" },
    ).stdout.trim();
  try {
    assert.equal(connectAs(61_001), "connected");
    assert.equal(connectAs(61_002), "EACCES");
  } finally {
    await held.close();
    rmSync(folder, { recursive: true });
  }
});
