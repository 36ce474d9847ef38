// Groups as processes: what they see, who is blamed when one ends, and what is left behind.
import assert from "node:assert/strict";
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { suite, test } from "node:test";
import { needsRoot, requires } from "../../../test/requires.ts";
import { openStand, workerOf } from "./fixtures/group-stand.ts";
import type { Stand } from "./fixtures/group-stand.ts";
import { nodeEngine } from "./node-engine.ts";

const { skip } = requires("bwrap");
const honest = workerOf("return { echo: call.body };");
const switched = workerOf("if (call.body.loop) for (;;); return call.body;");
const inNode = {
  engine: (bundles: Parameters<typeof nodeEngine>[0]["bundles"], egressSocket: string) =>
    nodeEngine({ bundles, egressSocket, isSandboxed: true }),
};

async function innerPid(stand: Stand, group: string): Promise<number> {
  const pid = await stand.process(group)?.inner;
  assert.ok(pid !== undefined && pid > 0);
  return pid;
}

suite("a group's process", { skip, concurrency: false }, () => {
  test(
    "holds no right, sees its program, its libraries and its own socket, and can write to nothing",
    needsRoot,
    async (context) => {
      const user = { uid: 60_498, gid: 60_498 };
      const stand = await openStand({ own: { functions: { own: honest }, user } }, { context });
      assert.equal((await stand.call("own", 1)).status, 200);
      const pid = await innerPid(stand, "own");
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      assert.match(status, /^Uid:\t60498\t60498\t60498\t60498$/m);
      assert.match(status, /^Gid:\t60498\t60498\t60498\t60498$/m);
      assert.match(status, /^CapEff:\t0+$/m);
      assert.match(status, /^NoNewPrivs:\t1$/m);
      assert.match(status, /^Seccomp:\t2$/m);
      assert.match(readFileSync(`/proc/${pid}/limits`, "utf8"), /^Max core file size +0 +0 /m);
      assert.equal(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8").trim(), "1000");
      assert.equal(readFileSync(`/proc/${pid}/environ`, "utf8").replace(/PWD=\/\0/, ""), "");
      assert.deepEqual(readdirSync(`/proc/${pid}/root`).sort(), [
        "dev",
        "egress.sock",
        "lib",
        "lib64",
        "workerd",
      ]);
      const mounts = readFileSync(`/proc/${pid}/mountinfo`, "utf8").trimEnd().split("\n");
      const writable = mounts.filter((line) => line.split(" ")[5]?.startsWith("rw"));
      assert.deepEqual(
        writable.map((line) => line.split(" ")[4] ?? "").toSorted((a, b) => a.localeCompare(b)),
        ["/dev/null", "/dev/urandom"],
      );
      const files = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
      assert.deepEqual(
        files.filter(
          (name) => name.startsWith("/") && name !== "/" && name !== "/workerd" && name !== "/dev/null",
        ),
        [],
      );
    },
  );

  test("reaches egress by its own socket, whatever the function says of itself, and no other address", async (context) => {
    const stand = await openStand(
      {
        own: {
          functions: {
            own: workerOf(`
              const tries = {};
              const all = ["https://a.example/v1", "http://127.0.0.1:1/", "https://169.254.169.254/latest"];
              for (const url of all) tries[url] = (await fetch(url, { headers: { "x-curtainwall-function": "other" } })).status;
              return tries;`),
          },
        },
      },
      { context },
    );
    const { status } = await stand.call("own");
    assert.equal(status, 200);
    assert.deepEqual(
      stand.asked.map(({ group, target, headers }) => [group, target, headers["x-curtainwall-function"]]),
      [
        ["own", "https://a.example/v1", "own"],
        ["own", "http://127.0.0.1:1/", "own"],
        ["own", "https://169.254.169.254/latest", "own"],
      ],
    );
  });

  test("in Node: eval and fetch work; files, children, other addresses and variables are not there", async (context) => {
    const body = `
      const found = { eval: eval("6 * 7"), egress: (await (await fetch("https://a.example/v1")).json()).egress };
      try { (await import("node:fs")).readFileSync("/node"); } catch (error) { found.file = error.code; }
      try { (await import("node:child_process")).execFileSync("/node"); } catch (error) { found.child = error.code; }
      const { connect } = await import("node:net");
      found.network = await new Promise((done) => connect(80, "192.0.2.1").on("error", (error) => done(error.code)).on("connect", () => done("connected")));
      found.variables = Object.keys(process.env).filter((name) => name !== "PWD");
      return found;`;
    const stand = await openStand({ own: { functions: { own: workerOf(body) }, ...inNode } }, { context });
    assert.deepEqual(JSON.parse((await stand.call("own")).text), {
      eval: 42,
      egress: true,
      file: "ERR_ACCESS_DENIED",
      child: "ERR_ACCESS_DENIED",
      network: "EAFNOSUPPORT",
      variables: [],
    });
  });

  test("is started by its first call, and calls at once all find it", async (context) => {
    const stand = await openStand({ own: { functions: { own: honest } } }, { context });
    assert.deepEqual(stand.starts, {});
    const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => stand.call("own", index)));
    assert.deepEqual(
      answers.map(({ text }) => JSON.parse(text).echo),
      answers.map((_, index) => index),
    );
    assert.deepEqual(stand.starts, { own: 1 });
  });

  test("ends when nobody called it for long, and is started again by the next call", async (context) => {
    const stand = await openStand(
      { own: { functions: { own: honest } } },
      { context, watch: { idleMs: 100 } },
    );
    await stand.call("own");
    await stand.process("own")?.exited;
    assert.equal((await stand.call("own", 2)).status, 200);
    assert.equal(stand.starts["own"], 2);
    assert.deepEqual(stand.eventsOf("function.group.ended"), []);
  });

  test("that throws while it is loaded is answered for at once, with a code, and takes no other group along", async (context) => {
    const stand = await openStand(
      { bad: { functions: { bad: `throw new Error("at load");` } }, good: { functions: { good: honest } } },
      { context },
    );
    assert.equal((await stand.call("bad")).code, "FUNCTIONS_UNAVAILABLE");
    assert.equal((await stand.call("good")).status, 200);
    assert.ok(stand.lines.some((line) => line.includes("at load")));
  });

  test("that writes a lot to its output is not ended for that, whoever made it; of what it writes little is kept", async (context) => {
    const body = `
      console.log(("\\u001b[2J" + "x".repeat(100) + "\\n").repeat(call.body.lines)); console.log("y".repeat(call.body.bytes)); return 1;`;
    const stand = await openStand({ own: { functions: { own: workerOf(body) } } }, { context });
    for (const given of [
      { lines: 20_000, bytes: 0 },
      { lines: 0, bytes: 4_000_000 },
    ])
      assert.equal((await stand.call("own", given)).status, 200);
    assert.ok(stand.lines.length > 0 && stand.lines.length < 1500, String(stand.lines.length));
    assert.ok(stand.lines.every((line) => !line.includes("\u001b")));
    assert.deepEqual(stand.starts, { own: 1 });
  });

  test("whose function throws for everybody fills no log with it", async (context) => {
    const threw = `new Response(JSON.stringify({ stack: ("y".repeat(99) + "\\n").repeat(30) + Math.random() }), { status: 500, headers: { "x-curtainwall-failure": "threw" } })`;
    const stand = await openStand({ own: { functions: { own: workerOf(`return ${threw};`) } } }, { context });
    const answers = await Promise.all(Array.from({ length: 60 }, () => stand.call("own")));
    assert.ok(answers.every(({ code }) => code === "FUNCTIONS_THREW"));
    assert.equal(stand.eventsOf("function.failed").length, 60);
    assert.ok(stand.lines.length < 60 * 31, String(stand.lines.length));
  });

  test("that asks for 10,000 things at once is answered or ended, and its neighbour goes on", async (context) => {
    const body = `
      const all = await Promise.allSettled(Array.from({ length: 10_000 }, (_, i) => fetch("https://a.example/" + i)));
      return all.filter(({ status }) => status === "fulfilled").length;`;
    const stand = await openStand(
      { bad: { functions: { bad: workerOf(body) } }, good: { functions: { good: honest } } },
      { context },
    );
    const [bad, ...good] = await Promise.all([
      stand.call("bad"),
      ...Array.from({ length: 20 }, () => stand.call("good")),
    ]);
    assert.ok(bad?.status === 200 || bad?.code !== undefined);
    assert.ok(good.every(({ status }) => status === 200));
  });
});

suite("quarantine", { skip, concurrency: false }, () => {
  // Long enough for an honest process on a machine that is busy: each loop here lasts as long.
  const watch = { pingMs: 20, silentMs: 1500 };

  test("a function that ends its process again and again is refused, until its code is replaced; its neighbours in the process go on", async (context) => {
    const stand = await openStand(
      { own: { functions: { bad: switched, good: honest } } },
      { context, watch },
    );
    for (let round = 0; round < 3; round++)
      assert.equal((await stand.call("bad", { loop: true })).code, "FUNCTIONS_ENDED");
    await stand.event("function.quarantined");
    assert.deepEqual(
      new Set(
        stand
          .eventsOf("function.failed")
          // Who is told so by the process's end may be told before who is told by the call's.
          .map((event) =>
            "reason" in event ? event.reason?.replace("process ended", "process was ended") : "",
          ),
      ),
      new Set(["its process was ended: it did not answer for 1500 ms"]),
      "why, and not how the connection broke",
    );
    assert.equal((await stand.call("bad", {})).code, "FUNCTIONS_QUARANTINED");
    assert.equal((await stand.call("good", 1)).status, 200);
    assert.deepEqual(
      stand.eventsOf("function.quarantined").map((event) => "function" in event && event.function),
      ["bad"],
    );
    const before = stand.process("own");
    stand.replaced("own");
    await before?.exited;
    assert.equal((await stand.call("bad", {})).status, 200);
  });

  test("of functions that were under way together the one that loops is found, and the other one is not refused", async (context) => {
    const slow = workerOf("await new Promise((r) => setTimeout(r, 150)); return 1;");
    const stand = await openStand({ own: { functions: { bad: switched, good: slow } } }, { context, watch });
    await stand.call("good");
    let refused = false;
    for (let round = 0; round < 12 && !refused; round++) {
      const [, bad] = await Promise.all([stand.call("good"), stand.call("bad", { loop: true })]);
      refused = bad.code === "FUNCTIONS_QUARANTINED";
    }
    assert.ok(refused);
    assert.equal((await stand.call("good")).status, 200);
    assert.deepEqual(
      stand.eventsOf("function.quarantined").map((event) => "function" in event && event.function),
      ["bad"],
    );
  });

  test("a loop that nobody waits for any more is charged to who began it, not to who comes next", async (context) => {
    const stand = await openStand(
      { own: { functions: { bad: switched, good: honest } } },
      { context, watch },
    );
    await stand.call("good");
    await assert.rejects(stand.call("bad", { loop: true }, AbortSignal.timeout(750)));
    const ended = await stand.event("function.group.ended");
    assert.deepEqual("functions" in ended && ended.functions, ["bad"]);
  });
});
