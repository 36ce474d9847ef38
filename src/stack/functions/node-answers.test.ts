// What services answer, and what is thrown where nobody catches it: neither ends a process that a function in Node shares with others.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { requires } from "../../../test/requires.ts";
import { openStand, workerOf } from "./fixtures/group-stand.ts";
import type { StandGroup } from "./fixtures/group-stand.ts";
import { nodeEngine } from "./node-engine.ts";

const { skip } = requires("bwrap");
const inNode: Pick<StandGroup, "engine"> = {
  engine: (bundles, egressSocket) => nodeEngine({ bundles, egressSocket, isSandboxed: true }),
};

/** By name: what a service sends, and what comes of it for the function. */
const answers: Readonly<Record<string, readonly [sent: string, told: string]>> = {
  "a body where there is none": ["HTTP/1.1 205 X\r\ncontent-length: 5\r\n\r\nhello", "205 "],
  "no body where there is none": ["HTTP/1.1 205 X\r\ncontent-length: 0\r\n\r\n", "205 "],
  "a body that nobody reads": ["HTTP/1.1 204 X\r\ncontent-length: 5\r\n\r\nhello", "204 "],
  "not modified": ["HTTP/1.1 304 X\r\ncontent-length: 5\r\n\r\n", "304 "],
  "a status beyond all": ["HTTP/1.1 999 X\r\ncontent-length: 2\r\n\r\nok", "fetch failed"],
  "a status before all": ["HTTP/1.1 099 X\r\ncontent-length: 2\r\n\r\nok", "fetch failed"],
  "no status": ["HTTP/1.1 000 X\r\ncontent-length: 2\r\n\r\nok", "fetch failed"],
  "another protocol": [
    "HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nok",
    "fetch failed",
  ],
  "no other protocol": ["HTTP/1.1 101 X\r\n\r\nok", "fetch failed"],
  "hints first": [
    `${"HTTP/1.1 103 X\r\n\r\n".repeat(50)}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok`,
    "200 ok",
  ],
  "a redirect": ["HTTP/1.1 307 X\r\nlocation: https://b.example/\r\ncontent-length: 2\r\n\r\nok", "307 ok"],
  "a redirect to nowhere": ["HTTP/1.1 302 X\r\nlocation: http://[\r\ncontent-length: 0\r\n\r\n", "302 "],
  "two answers": [
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nPOISON",
    "200 ok",
  ],
  "less than it said": ["HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nok", "terminated|aborted|closed"],
  "nothing, and the end": ["HTTP/1.1 204 OK\r\nconnection: close\r\n\r\n", "204 "],
  "two lengths": ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 5\r\n\r\nokabc", "fetch failed"],
  "a length that is none": ["HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "fetch failed"],
  "a chunk that is none": [
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n",
    "terminated|aborted|closed|Parse|Invalid",
  ],
  "names of JavaScript's": [
    "HTTP/1.1 200 OK\r\n__proto__: a\r\nconstructor: b\r\ncontent-length: 2\r\n\r\nok",
    "200 ok",
  ],
  "bytes of no text": [
    "HTTP/1.1 200 OK\r\nx: a\x7f\x80\xffb\r\ncontent-length: 2\r\n\r\nok",
    "200 ok|fetch failed",
  ],
  "a name that is none": ["HTTP/1.1 200 OK\r\na b: c\r\ncontent-length: 2\r\n\r\nok", "fetch failed"],
  "nothing at all": ["", "fetch failed"],
};

suite("a function in Node goes on with its neighbours", { skip, concurrency: false }, () => {
  test("whatever its services answer, however it reads that, and is told by its own fetch", async (context) => {
    const body = `
      const url = "https://a.example/" + call.body.index;
      try {
        if (call.body.how === "text") { const got = await fetch(url); return got.status + " " + await got.text(); }
        const gone = new AbortController();
        const got = await fetch(url, { signal: gone.signal, method: call.body.how === "HEAD" ? "HEAD" : "GET" });
        if (call.body.how === "abort") gone.abort();
        if (call.body.how === "cancel") await got.body?.cancel();
        if (call.body.how === "first") { const from = got.body?.getReader(); await from?.read(); gone.abort(); await from?.read(); }
        return got.status + " ";
      } catch (error) { return error.message + " " + error.cause?.message; }`;
    const sent = Object.values(answers).map(([text]) => text);
    const stand = await openStand(
      { own: { functions: { own: workerOf(body), good: workerOf("return 1;") }, ...inNode } },
      {
        context,
        egress({ url = "" }, { socket }) {
          socket?.end(Buffer.from(sent[Number(url.split("/").at(-1))] ?? "", "latin1"));
        },
      },
    );
    const found: Record<string, string> = {};
    for (const [index, what] of Object.keys(answers).entries()) {
      const told = await stand.call("own", { index, how: "text" });
      found[what] = told.code ?? (JSON.parse(told.text) as string);
      for (const how of ["abort", "cancel", "first", "HEAD", "nothing"])
        assert.equal((await stand.call("own", { index, how })).status, 200, `${what}, ${how}`);
    }
    for (const [what, [, told]] of Object.entries(answers))
      assert.match(found[what] ?? "", new RegExp(`^(?:${told})`), what);
    assert.equal((await stand.call("good")).status, 200);
    assert.deepEqual(stand.starts, { own: 1 }, stand.lines.join("\n"));
  });

  test("whatever is thrown in a callback: the call that it came from threw", async (context) => {
    const body = `
      const { EventEmitter } = await import("node:events");
      const { how, boom = "boom" } = call.body;
      const later = (act) => new Promise(() => setTimeout(act, 1));
      if (how === "timer") await later(() => { throw new Error(boom); });
      if (how === "event") await later(() => new EventEmitter().emit("error", new Error(boom)));
      if (how === "no error") await later(() => { throw boom; });
      if (how === "getter") await later(() => { throw { get [Symbol.for("nodejs.util.inspect.custom")]() { throw 1; }, toString() { throw 2; } }; });
      if (how === "rejection") { void Promise.reject({ get [Symbol.for("nodejs.util.inspect.custom")]() { throw 1; }, toString() { throw 2; } }); await new Promise((go) => setTimeout(go, 5)); }
      if (how === "late") setTimeout(() => { throw new Error("late"); }, 1);
      return 1;`;
    const left = `request.signal.addEventListener("abort", () => { throw new Error("nobody is left"); });`;
    const leaving = workerOf("await new Promise(() => undefined);").replace(
      "const call =",
      `${left} const call =`,
    );
    const stand = await openStand(
      { own: { functions: { own: workerOf(body), leaving, good: workerOf("return 1;") }, ...inNode } },
      { context },
    );
    for (const how of ["timer", "event", "no error", "getter"]) {
      const beside = stand.call("good");
      assert.equal((await stand.call("own", { how })).code, "FUNCTIONS_THREW", how);
      assert.equal((await beside).status, 200);
    }
    for (const how of ["rejection", "late"])
      assert.equal((await stand.call("own", { how })).status, 200, how);
    for (let visitor = 0; visitor < 4; visitor++)
      await assert.rejects(stand.call("leaving", {}, AbortSignal.timeout(30)));
    assert.equal((await stand.call("good")).status, 200);
    assert.deepEqual(stand.starts, { own: 1 }, stand.lines.join("\n"));
    assert.deepEqual(stand.eventsOf("function.quarantined"), []);
    assert.ok(
      stand.lines.some((line) => /^own 0f: Error: boom \(file:\/\/\/own\/function\.js:\d+:\d+\)$/.test(line)),
      stand.lines.join("\n"),
    );
  });
});
