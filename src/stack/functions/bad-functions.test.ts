// What a function may do to itself and to its process, and what it can't do to others.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { requires } from "../../../test/requires.ts";
import { openStand, workerOf } from "./fixtures/group-stand.ts";
import type { Stand, StandAnswer, StandGroup } from "./fixtures/group-stand.ts";
import { nodeEngine } from "./node-engine.ts";

const { skip } = requires("bwrap");
const honest = workerOf("return { echo: call.body };");

/** Calls a neighbour in another group again and again until something has happened. All of its answers. */
async function meanwhile<T>(
  stand: Stand,
  what: Promise<T>,
): Promise<{ result: T; neighbour: StandAnswer[] }> {
  const neighbour: StandAnswer[] = [];
  let isOver = false;
  void what.finally(() => (isOver = true)).catch(() => undefined);
  do neighbour.push(await stand.call("good", { n: neighbour.length }));
  while (!isOver);
  return { result: await what, neighbour };
}

interface Outcome {
  /** Undefined: it is answered as if nothing were. */
  readonly code: string | undefined;
  readonly status: number;
  /** Whether its process is ended for it. */
  readonly ends: boolean;
}

const ended: Outcome = { code: "FUNCTIONS_ENDED", status: 502, ends: true };
const timeout: Outcome = { code: "FUNCTIONS_TIMEOUT", status: 504, ends: false };
const hung: Outcome = { code: "FUNCTIONS_HUNG", status: 504, ends: false };
const invalid: Outcome = { code: "FUNCTIONS_ANSWER_INVALID", status: 502, ends: false };
/** The stand's code has no wrapper that would tell what it throws: its call is cut off, and its process goes on. */
const cutOff: Outcome = { code: "FUNCTIONS_ENDED", status: 502, ends: false };
const nothing: Outcome = { code: undefined, status: 200, ends: false };

interface Attack {
  readonly name: string;
  readonly body: string;
  /** Undefined: it does not have what this takes. */
  readonly workerd: Outcome | undefined;
  readonly node: Outcome;
}

const both = (name: string, body: string, outcome: Outcome): Attack => ({
  name,
  body,
  workerd: outcome,
  node: outcome,
});
const inNode = (name: string, body: string, outcome: Outcome): Attack => ({
  name,
  body,
  workerd: undefined,
  node: outcome,
});

const pause = "await new Promise((r) => setTimeout(r));";
const signals = `for (const signal of ["SIGKILL", "SIGSTOP", "SIGTERM", "SIGSEGV"]) for (const pid of [process.pid, process.ppid, 0, -1, 2]) try { process.kill(pid, signal); } catch { }`;

const attacks: readonly Attack[] = [
  both("loops", "for (;;);", ended),
  both("loops in promises", "for (;;) await null;", ended),
  both("has an expression that backtracks", 'return /^(a+)+$/.test("a".repeat(60) + "!");', ended),
  both(
    "takes buffers",
    `const all = []; for (;;) { all.push(new Uint8Array(2 ** 24).fill(1)); ${pause} }`,
    ended,
  ),
  both(
    "takes objects",
    `const all = []; for (;;) { for (let i = 0; i < 1e5; i++) all.push({ i, text: String(i) }); ${pause} }`,
    ended,
  ),
  inNode(
    "takes memory that threads would share",
    `const all = []; for (;;) { all.push(new Uint8Array(new SharedArrayBuffer(2 ** 24)).fill(1)); ${pause} }`,
    ended,
  ),
  inNode(
    "takes memory of WebAssembly",
    `const all = []; for (;;) { all.push(new Uint8Array(new WebAssembly.Memory({ initial: 256, maximum: 256, shared: all.length % 2 === 0 }).buffer).fill(1)); ${pause} }`,
    ended,
  ),
  inNode(
    "takes memory that is no array's",
    `const zlib = await import("node:zlib"); const all = []; for (;;) { all.push(zlib.createDeflate({ memLevel: 9 })); all.at(-1).write("x"); if (all.length % 100 === 0) ${pause} }`,
    ended,
  ),
  both("never answers, and waits", "await new Promise((r) => setTimeout(r, 60_000));", timeout),
  {
    name: "never answers, and waits for nothing",
    body: "await new Promise(() => {});",
    workerd: hung,
    node: timeout,
  },
  both(
    "answers with 1 GB",
    "const part = new Uint8Array(2 ** 20).fill(32); let n = 0; return new Response(new ReadableStream({ pull(c) { if (n++ < 1024) c.enqueue(part); else c.close(); } }));",
    { code: "FUNCTIONS_ANSWER_TOO_LARGE", status: 502, ends: false },
  ),
  both(
    "answers without end",
    "return new Response(new ReadableStream({ async pull(c) { await new Promise((r) => setTimeout(r, 20)); c.enqueue(new Uint8Array(1)); } }));",
    timeout,
  ),
  {
    name: "recurses without end",
    body: "const deep = () => deep() + 1; return deep();",
    // Like any other word of workerd's own: with our wrapper this is an error that is told.
    workerd: hung,
    node: cutOff,
  },
  both("rejects what nobody handles", 'Promise.reject(new Error("unhandled")); return "fine";', nothing),
  both(
    "answers with a redirect",
    'return new Response(null, { status: 302, headers: { location: "https://elsewhere.example/" } });',
    invalid,
  ),
  inNode("ends its process", "process.exit(0);", ended),
  inNode("ends its process for real", "process.reallyExit(0);", ended),
  inNode("aborts its process", "process.abort();", ended),
  inNode(
    "throws what nobody catches",
    'setImmediate(() => { throw new Error("thrown"); }); await new Promise(() => {});',
    { code: "FUNCTIONS_THREW", status: 502, ends: false },
  ),
  inNode("sends signals to itself, its parent and everybody", `${signals} return "fine";`, nothing),
  inNode(
    "starts threads and children without end",
    `const { spawn } = await import("node:child_process"); const { Worker } = await import("node:worker_threads"); let made = 0;
    for (let i = 0; i < 1000; i++) for (const start of [() => spawn("/node"), () => new Worker("for (;;);", { eval: true })]) try { start(); made++; } catch { }
    return made === 0 ? "fine" : new Response(null, { status: 500 });`,
    nothing,
  ),
  inNode(
    "opens 10,000 sockets",
    `const net = await import("node:net"); const { createSocket } = await import("node:dgram"); const open = [];
    for (let i = 0; i < 10_000; i++) {
      open.push(net.connect("/egress.sock").on("error", () => {}));
      try { open.push(createSocket("udp4").on("error", () => {}).bind()); } catch { }
      if (i % 100 === 0) await new Promise((r) => setTimeout(r, 1));
    }
    return "fine";`,
    nothing,
  ),
];

const engines: Readonly<Record<"workerd" | "node", Pick<StandGroup, "engine">>> = {
  workerd: {},
  node: {
    engine: (bundles, egressSocket) => nodeEngine({ bundles, egressSocket, isSandboxed: true }),
  },
};

for (const runner of ["workerd", "node"] as const)
  suite(`bad functions in ${runner}`, { skip, concurrency: false }, () => {
    for (const attack of attacks) {
      const { name, body, [runner]: outcome } = attack;
      if (outcome === undefined) continue;
      test(`a function that ${name}: ${outcome.code ?? "nothing"}, and its neighbour in another group answers all along`, async (context) => {
        const stand = await openStand(
          {
            bad: {
              functions: { bad: workerOf(body) },
              memoryMb: 128,
              limits: { timeoutMs: outcome === timeout ? 1000 : 20_000 },
              ...engines[runner],
            },
            good: { functions: { good: honest }, ...engines[runner] },
          },
          { context },
        );
        const { result, neighbour } = await meanwhile(stand, stand.call("bad"));
        assert.equal(result.code, outcome.code, JSON.stringify([result, stand.events, stand.lines]));
        assert.equal(result.status, outcome.status);
        assert.ok(neighbour.length > 0 && neighbour.every((answer) => answer.status === 200));
        if (outcome.ends) await stand.event("function.group.ended");
        assert.equal(stand.eventsOf("function.group.ended").length, outcome.ends ? 1 : 0);
      });
    }
  });
