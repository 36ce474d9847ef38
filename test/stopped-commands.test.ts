// What a signal, or the end of whoever reads it, leaves of an attack, an audit and a proof: nothing, now or when the next one begins.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import type { AttackReport } from "../src/audit/index.ts";
import { testCertificate } from "../src/audit/fixtures/certificate.ts";
import { command } from "./support/command.ts";
import { makeProject } from "./support/project.ts";

const config = `import { defineStack, everyone, upstream } from "curtainwall";
import { z } from "zod";
const origin = process.env.TEST_SITE_ORIGIN ?? "https://localhost:1";
export default defineStack({
  origin,
  upstreams: { shop: upstream({ url: origin, caFile: "ca.pem" }) },
  edge: { redirectPort: false },
  routes: {
    "POST /api/notes": {
      access: everyone,
      limit: "600/min per client",
      body: z.object({ text: z.string().max(80) }),
      response: z.object({ id: z.string() }),
      to: "shop",
    },
  },
});
`;

/** What was kept before stays: it goes by when something was made, as a plan's has to. */
const plan = (cleanUp: string): string => `import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { defineAudit } from "curtainwall/audit";
const notes = new URL("notes.jsonl", import.meta.url);
const lines = () => readFileSync(notes, "utf8").split("\\n").filter((line) => line !== "");
const takeAway = (since) => writeFileSync(notes, lines().filter((line) => JSON.parse(line).at < since).map((line) => line + "\\n").join(""));
export default defineAudit({
  samples: { "POST /api/notes": { body: { text: "from the audit" } } },
  ${cleanUp}
});
`;
const tidy = "async cleanUp({ since }) { takeAway(since); },";

const { ca, cert, key } = await testCertificate();
const project = await makeProject({
  config,
  files: { "curtainwall.audit.js": plan(tidy), "ca.pem": ca, ".curtainwall/ca/ca.crt": ca },
});
after(() => project.remove());
const notesFile = join(project.root, "notes.jsonl");
const first = `${JSON.stringify({ id: "kept", at: "2026-01-01T00:00:00.000Z" })}\n`;
const notes = (): string => readFileSync(notesFile, "utf8");
const keep = (): void =>
  appendFileSync(notesFile, `${JSON.stringify({ id: "new", at: new Date().toISOString() })}\n`);

/** What becomes of the next note. Undefined: it is kept and answered at once. */
let onNote: ((answer: () => void) => void) | undefined;
const server = createServer({ cert, key }, (request, response) => {
  request.resume();
  request.on("end", () => {
    const isNote = request.method === "POST" && request.url === "/api/notes";
    const answer = (): void =>
      void response
        .writeHead(isNote ? 200 : 404, { "content-type": "application/json" })
        .end(isNote ? '{"id":"new"}' : "{}");
    if (isNote && onNote !== undefined) return onNote(answer);
    if (isNote) keep();
    return answer();
  });
});
server.on("tlsClientError", () => undefined);
await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
after(() => {
  server.close();
  server.closeAllConnections();
});
const { port } = server.address() as AddressInfo;
const journal = join(project.root, `.curtainwall/audit/left-at-${port}.jsonl`);

beforeEach(() => {
  onNote = undefined;
  writeFileSync(notesFile, first);
  writeFileSync(join(project.root, "curtainwall.audit.js"), plan(tidy));
});

interface Running {
  child: ChildProcess;
  /** Resolves once it has said this. */
  says(words: string): Promise<void>;
  ended: Promise<{ code: number | null; out: string; words: string }>;
}

function start(...args: readonly string[]): Running {
  const child = spawn(process.execPath, [...command, ...args], {
    env: { ...process.env, TEST_SITE_ORIGIN: `https://localhost:${port}`, NODE_TEST_CONTEXT: undefined },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let words = "";
  const heard = new Set<() => void>();
  child.stdout.on("data", (chunk: Buffer) => void (out += String(chunk)));
  child.stderr.on("data", (chunk: Buffer) => {
    words += String(chunk);
    for (const look of heard) look();
  });
  return {
    child,
    says: (text) =>
      new Promise((resolve) => {
        const look = (): void => void (words.includes(text) && resolve());
        heard.add(look);
        look();
      }),
    ended: once(child, "close").then(([code]) => ({ code: code as number | null, out, words })),
  };
}

/** Waits until it asks for a note, which is neither kept nor answered until then. */
const asked = (): Promise<() => void> => {
  const { promise, resolve } = Promise.withResolvers<() => void>();
  onNote = (answer) => {
    onNote = undefined;
    resolve(() => {
      keep();
      answer();
    });
  };
  return promise;
};

const attack = ["attack", project.root, "--kind", "input"] as const;
const audit = ["audit", project.root, "--only", "API-3"] as const;

for (const args of [attack, audit])
  test(`what ${args[0]} made when it was killed is taken away by whoever comes next, who says so`, async () => {
    const killed = start(...args);
    (await asked())();
    killed.child.kill("SIGKILL");
    await killed.ended;
    assert.notEqual(notes(), first, "something was made, and stays");
    const { since } = JSON.parse(readFileSync(journal, "utf8").split("\n")[1] ?? "") as { since: string };
    const { words } = await start(...attack).ended;
    assert.ok(
      words.includes(
        `An earlier attack or audit, begun at ${since}, ended without cleaning up; what it had made (POST /api/notes) was taken away.\n`,
      ),
      words,
    );
    assert.equal(notes(), first, "and what was there before is there");
    assert.ok(!existsSync(journal));
    assert.doesNotMatch((await start(...attack).ended).words, /earlier/, "once");
  });

test("where nobody can take it away, that is said once", async () => {
  writeFileSync(join(project.root, "curtainwall.audit.js"), plan(""));
  const killed = start(...attack);
  (await asked())();
  killed.child.kill("SIGKILL");
  await killed.ended;
  assert.match(
    (await start(...attack).ended).words,
    /without cleaning up; what it made \(POST \/api\/notes\) is still there\. Give the plan a cleanUp/,
  );
  assert.doesNotMatch((await start(...attack).ended).words, /earlier/);
});

test("what a failed cleanUp left is tried again by the next one, with what that one makes", async () => {
  writeFileSync(
    join(project.root, "curtainwall.audit.js"),
    plan('async cleanUp() { throw new Error("the shop is locked"); },'),
  );
  assert.match((await start(...attack).ended).out, /cleanUp failed: [\s\S]*the shop is locked/);
  assert.match((await start(...attack).ended).words, /the plan's cleanUp failed: [\s\S]*the shop is locked/);
  writeFileSync(join(project.root, "curtainwall.audit.js"), plan(tidy));
  assert.notEqual(notes(), first);
  await start(...attack).ended;
  assert.equal(notes(), first);
});

for (const [name, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)
  test(`${name} ends an attack with what is known by then; what is made meanwhile is taken away too`, async () => {
    const running = start(...attack, "--json");
    const answer = await asked();
    running.child.kill(name);
    await running.says("Stopping");
    answer();
    const { code: exit, out, words } = await running.ended;
    assert.equal(exit, code, words);
    const report = JSON.parse(out) as AttackReport;
    assert.deepEqual(
      [report.ended?.because, report.left, report.cleanUpFailed],
      ["interrupted", {}, undefined],
    );
    assert.match(words, /Stopped: what was not tried by then is not made\.\n$/);
    assert.equal(notes(), first);
    assert.ok(!existsSync(journal));
  });

test("an audit that is stopped prints its rows and cleans up; a proof is not signed, and leaves no folder", async () => {
  const pack = join(project.root, "pack");
  for (const [args, said] of [
    [audit, "Stopped: what was not looked at by then is missing."],
    [["prove", project.root, "--out", pack], "Stopped: nothing was signed."],
  ] as const) {
    const running = start(...args);
    const answer = await asked();
    running.child.kill("SIGTERM");
    await running.says("Stopping");
    answer();
    const { code, out, words } = await running.ended;
    assert.deepEqual([code, words.includes(said)], [143, true], words);
    assert.equal(/API-3/.test(out), args === audit);
    assert.equal(notes(), first);
  }
  assert.ok(!readdirSync(project.root).includes("pack"));
});

test("an audit that goes to its end takes away what it made too", async () => {
  await start(...audit).ended;
  assert.equal(notes(), first);
  assert.ok(!existsSync(journal));
});

test("a second signal ends it at once; the next one takes away what is left", async () => {
  writeFileSync(
    join(project.root, "curtainwall.audit.js"),
    plan('async cleanUp() { console.error("cleaning"); await sleep(9000); console.error("cleaned"); },'),
  );
  const running = start(...attack);
  (await asked())();
  running.child.kill("SIGINT");
  await running.says("cleaning");
  // Within a second it is taken for the same Ctrl-C, so it is sent until it is not.
  const again = setInterval(() => running.child.kill("SIGINT"), 100);
  const { code, out, words } = await running.ended;
  clearInterval(again);
  assert.deepEqual([code, out], [130, ""]);
  assert.doesNotMatch(words, /cleaned/);
  writeFileSync(join(project.root, "curtainwall.audit.js"), plan(tidy));
  assert.match((await start(...attack).ended).words, /ended without cleaning up; what it had made/);
  assert.equal(notes(), first);
});

test("when nobody reads what it prints any more, it cleans up all the same", async () => {
  const running = start(...attack);
  const answer = await asked();
  running.child.stdout?.destroy();
  running.child.stderr?.destroy();
  running.child.kill("SIGHUP");
  answer();
  await running.ended;
  assert.equal(notes(), first);
  assert.ok(!existsSync(journal));
});
