// Attacks from inside the edge: the contract's file is the one place where a site's own code runs in that process, so a
// hostile contract is exactly what a broken-into edge would be.
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { test } from "node:test";
import { startStack } from "../src/stack/index.ts";
import type { Isolation, RunningStack } from "../src/stack/index.ts";
import { checkedCalls, numberOf, refusedCalls } from "../src/stack/jail/filter/system-calls.ts";
import { makeProject, packFileOf } from "./support/project.ts";
import { requires } from "./requires.ts";

/** Opens a door on loopback, in the edge alone (the supervisor loads the contract too), and does what it is told. */
const hostileContract = `
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import { isMainThread } from "node:worker_threads";
import { defineStack, everyone, none, upstream } from "curtainwall";
import { title } from "./parts/title.ts";

const tricks = {
  read: (path) => { const fd = fs.openSync(path, "r"); const bytes = Buffer.alloc(64); fs.readSync(fd, bytes, 0, 64, path.endsWith("/mem") ? 0x400000 : 0); return "read"; },
  list: (path) => fs.readdirSync(path).join(" "),
  append: (path) => { fs.appendFileSync(path, "x"); return "written"; },
  scribble: (fd) => { fs.writeSync(Number(fd), "x", 0); return "written"; },
  kill: (pid) => { process.kill(Number(pid), "SIGTERM"); return "killed"; },
  connect: (path) => new Promise((resolve) => net.connect(path).on("connect", () => resolve("connected")).on("error", (error) => resolve("refused " + error.code))),
  become: () => spawnSync(process.execPath, ["-e", "process.setuid(0); console.log(process.getuid())"]).stdout.toString().trim() || "refused EPERM",
  sibling: (path) => spawnSync(process.execPath, ["-e", "require('fs').openSync(process.argv[1], 'r'); console.log('read')", path]).stdout.toString().trim() || "refused",
  uid: () => String(process.getuid()),
  pids: () => fs.readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name)).join(" "),
  fds: () => fs.readdirSync("/proc/self/fd").map((fd) => { try { return fd + "=" + fs.readlinkSync("/proc/self/fd/" + fd); } catch { return fd + "=?"; } }).join(" "),
  evaluate: (code) => String((0, eval)(code)),
  title: () => title,
  calls: (list) => spawnSync("/usr/bin/perl", ["-e", 'use Errno; for (@ARGV) { my @call = map { $_ + 0 } split /,/; my $done = syscall(shift @call, @call); print $done == -1 ? (grep { $!{$_} } keys %!)[0] : "passes", " "; }', ...list.split(" ")]).stdout.toString().trim(),
  environment: () => Object.keys(process.env).sort().join(" "),
};

if (!isMainThread) {
  const door = net.createServer((socket) => {
    socket.on("data", async (data) => {
      const [trick, argument] = JSON.parse(String(data));
      try { socket.end(String(await tricks[trick](argument))); } catch (error) { socket.end("refused " + (error.code ?? error.name)); }
    });
  });
  door.listen(0, "127.0.0.1", () => console.log("DOOR " + door.address().port));
}
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: false, threads: 1 },
  // Without an API the edge would not load this file at all.
  upstreams: { shop: upstream({ url: "https://127.0.0.1:9" }) },
  routes: { "GET /api/x": { access: everyone, limit: "5/min per client", response: none, to: "shop" } },
});
`;

interface Inside {
  stack: RunningStack;
  root: string;
  attempt: (trick: string, argument?: string | number) => Promise<string>;
}

/** Starts a stack with an attacker in its edge, and puts a "secret" into the supervisor's environment. */
async function insideTheEdge(isolation: Isolation, attack: (inside: Inside) => Promise<void>): Promise<void> {
  const project = await makeProject({
    config: hostileContract,
    files: {
      ".env": "SESSION=not for the edge\n",
      "parts/title.ts": 'export const title: string = "a part of the contract";',
      "parts/notes.txt": "not for the edge",
      "content/draft.md": "not for the edge",
    },
  });
  // So that a refusal is about the file, and not about a folder above it that only root may enter.
  chmodSync(project.root, 0o755);
  let foundDoor: (port: number) => void = () => undefined;
  const door = new Promise<number>((resolve) => (foundDoor = resolve));
  const stack = await startStack({
    path: project.root,
    isolation,
    log: ({ message }) => {
      const port = /^DOOR (\d+)$/.exec(message)?.[1];
      if (port !== undefined) foundDoor(Number(port));
    },
  });
  const port = await door;
  const attempt = async (trick: string, argument: string | number = ""): Promise<string> => {
    const socket = connect(port, "127.0.0.1").setEncoding("utf8");
    let answer = "";
    socket.on("data", (text) => (answer += String(text)));
    socket.write(JSON.stringify([trick, String(argument)]));
    await once(socket, "close");
    return answer;
  };
  try {
    await attack({ stack, root: project.root, attempt });
  } finally {
    await stack.close();
    project.remove();
  }
}

const asRoot =
  process.getuid?.() === 0 ? {} : { skip: "domains get their own uid only when started as root" };

test(
  "As the edge's user: no other process's memory, environment, maps or descriptors, not the ledger's file, no signal, no way back to root",
  asRoot,
  async () => {
    await insideTheEdge("uid", async ({ stack, root, attempt }) => {
      const { ledger, edge } = stack.pids();
      assert.notEqual(await attempt("uid"), "0", "the attacker is the edge's user by now");
      for (const pid of [ledger, process.pid]) {
        for (const file of ["mem", "environ", "maps"])
          assert.equal(
            await attempt("read", `/proc/${pid}/${file}`),
            "refused EACCES",
            `/proc/${pid}/${file}`,
          );
        assert.equal(await attempt("list", `/proc/${pid}/fd`), "refused EACCES");
        assert.equal(await attempt("kill", pid), "refused EPERM");
      }
      const {
        logFile,
        ledger: logFolder,
        assertionKeyFile,
        keys,
        releaseKeyFile,
        acceptedFile,
      } = stack.folders;
      for (const path of [logFile, logFolder, assertionKeyFile, keys, releaseKeyFile, acceptedFile]) {
        assert.match(await attempt("read", path), /^refused (EACCES|EPERM)$/, path);
        assert.match(await attempt("append", path), /^refused (EACCES|EPERM|EISDIR)$/, path);
      }
      assert.equal(
        await attempt("append", packFileOf(stack.folders.root)),
        "refused EACCES",
        "it can't change what it serves",
      );
      assert.equal(await attempt("append", `${root}/curtainwall.config.ts`), "refused EACCES");
      assert.equal(
        await attempt("append", `${stack.folders.state}/code/planted`),
        "refused EACCES",
        "it can't change the compiled code that the next edge runs as root",
      );
      assert.equal(await attempt("become"), "refused EPERM");
      assert.equal(
        await attempt("sibling", `/proc/${edge}/mem`),
        "refused",
        "not even another process of the same user reads the edge's memory",
      );
      assert.equal(await attempt("sibling", `/proc/${edge}/environ`), "refused");
    });
  },
);

test(
  "As the edge: the pipe to the ledger can be written to and not read, so what others sent stays unread",
  asRoot,
  async () => {
    await insideTheEdge("uid", async ({ attempt }) => {
      const descriptors = await attempt("fds").then((text) => text.split(" "));
      const pipe = descriptors.find((entry) => entry.startsWith("4="));
      assert.match(pipe ?? "", /\/curtainwall-[^/]+\/edge( \(deleted\))?$/, "descriptor 4 is the pipe");
      assert.match(
        await attempt("read", "/proc/self/fd/4"),
        /^refused/,
        "opening it anew, for reading, is refused",
      );
      const listeners = descriptors.filter((entry) => entry.includes("socket:"));
      assert.ok(listeners.length < 20, `it holds no more than its own sockets: ${listeners.join(" ")}`);
    });
  },
);

test(
  "As the edge: no code from strings, and no environment variable that the contract did not read",
  asRoot,
  async () => {
    process.env.CURTAINWALL_TEST_SECRET = "not for the edge";
    try {
      await insideTheEdge("uid", async ({ attempt }) => {
        assert.equal(await attempt("evaluate", "1 + 1"), "refused EvalError");
        assert.ok(!(await attempt("environment")).includes("CURTAINWALL_TEST_SECRET"));
      });
    } finally {
      delete process.env.CURTAINWALL_TEST_SECRET;
    }
  },
);

test(
  "In its sandbox the edge sees no other process, no state folder and no ledger",
  requires("bwrap"),
  async () => {
    await insideTheEdge("bwrap", async ({ stack, attempt }) => {
      const { ledger } = stack.pids();
      assert.equal(await attempt("read", `/proc/${ledger}/mem`), "refused ENOENT");
      assert.equal(await attempt("kill", ledger), "refused ESRCH");
      assert.equal(await attempt("pids"), "refused ENOENT", "there is no /proc at all");
      assert.equal(await attempt("list", stack.folders.state), "refused ENOENT", "there is no state folder");
      assert.equal(await attempt("read", stack.folders.logFile), "refused ENOENT");
      assert.match(await attempt("append", stack.folders.root), /^refused (EROFS|EISDIR)$/);
      assert.equal(await attempt("title"), "a part of the contract");
      for (const path of ["parts/notes.txt", "content/draft.md"])
        assert.equal(await attempt("read", `${stack.folders.root}/${path}`), "refused ENOENT", path);
      const beside = (await attempt("list", stack.folders.root)).split(" ");
      assert.deepEqual(beside.sort(), ["curtainwall.config.ts", "parts"]);
      for (const path of ["/planted", "/dev/planted", "/etc/planted"])
        assert.equal(await attempt("append", path), "refused EROFS", path);
      await attempt("append", `${stack.folders.root}/planted`);
      assert.ok(!existsSync(`${stack.folders.root}/planted`));
      assert.equal(await attempt("append", `${stack.folders.root}/curtainwall.config.ts`), "refused EROFS");
      assert.match(await attempt("read", `${stack.folders.root}/.env`), /^refused/, "no .env");
      assert.equal(await attempt("read", "/etc/shadow"), "refused ENOENT");
    });
  },
);

test(
  "In its sandbox the edge can't open anew what it was handed: neither the release to write nor the pipe to read",
  requires("bwrap"),
  async () => {
    await insideTheEdge("bwrap", async ({ stack, attempt }) => {
      const packFile = packFileOf(stack.folders.root);
      const before = readFileSync(packFile);
      for (const path of ["/proc/self/fd/4", "/proc/self/fd/5", "/dev/fd/4", "/dev/fd/5"]) {
        assert.equal(await attempt("append", path), "refused ENOENT", path);
        assert.equal(await attempt("read", path), "refused ENOENT", path);
      }
      await attempt("scribble", 5);
      assert.deepEqual(readFileSync(packFile), before, "it holds a pipe, not the file");
    });
  },
);

test(
  "In its sandbox the edge makes no name space, traces nobody, and asks the kernel for nothing that a site does not need",
  { skip: requires("bwrap").skip || (existsSync("/usr/bin/perl") ? false : "needs perl, for its syscall()") },
  async () => {
    const processor = process.arch === "arm64" ? "arm64" : "x64";
    const numbers = new Map(Object.entries({ ...checkedCalls, ...refusedCalls }));
    const call = (name: string, args: string): string =>
      `${numberOf(numbers.get(name) ?? [undefined, undefined], processor)},${args}`;
    await insideTheEdge("bwrap", async ({ attempt }) => {
      const calls = [
        call("unshare", "268435456"),
        call("clone3", "0,0"),
        call("ptrace", "0,0,0,0"),
        call("io_uring_setup", "1,0"),
        call("socket", "38,5,0"),
        call("socket", "2,1,6"),
      ];
      assert.equal(await attempt("calls", calls.join(" ")), "EPERM ENOSYS EPERM EPERM EAFNOSUPPORT passes");
    });
  },
);

test("A contract that reads a file, and does not import it, is told so by the edge's sandbox; outside of one it runs", async () => {
  const project = await makeProject({
    config: `import fs from "node:fs";
import { defineStack, everyone, none, upstream } from "curtainwall";
fs.readFileSync(new URL("data.json", import.meta.url));
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: false, threads: 1 },
  upstreams: { shop: upstream({ url: "https://127.0.0.1:9" }) },
  routes: { "GET /api/x": { access: everyone, limit: "5/min per client", response: none, to: "shop" } },
});`,
    files: { "data.json": "{}" },
  });
  const quietly = { path: project.root, log: () => undefined };
  try {
    if (requires("bwrap").skip === false)
      await assert.rejects(startStack({ ...quietly, isolation: "bwrap" }), {
        code: "STACK_CONFIG_FAILED",
        hint: /import it: {2}import data from/,
      });
    await (await startStack({ ...quietly, isolation: "reduced" })).close();
  } finally {
    project.remove();
  }
});

test("The ledger has no network: no route out of its sandbox", requires("bwrap"), async () => {
  await insideTheEdge("bwrap", ({ stack }) => {
    const routes = readFileSync(`/proc/${firstChild(stack.pids().ledger)}/net/route`, "utf8")
      .trim()
      .split("\n");
    assert.equal(routes.length, 1, "only the heading: no route");
    return Promise.resolve();
  });
});

/** The process inside a bwrap: its child. */
function firstChild(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  return Number(children[0]);
}

test("A site of pages alone: none of its own code runs in the edge", async () => {
  const project = await makeProject({
    config: `import { isMainThread } from "node:worker_threads";
import { defineStack } from "curtainwall";
if (!isMainThread || process.argv.some((word) => word.includes("domains"))) console.log("INSIDE THE EDGE");
export default defineStack({ origin: "https://localhost", edge: { port: 0, redirectPort: false, threads: 1 } });`,
  });
  const lines: string[] = [];
  try {
    const stack = await startStack({
      path: project.root,
      log: ({ message }) => lines.push(message),
    });
    await stack.close();
    assert.ok(
      lines.some((line) => line.endsWith("is served")),
      lines.join("\n"),
    );
    assert.deepEqual(
      lines.filter((line) => line.includes("INSIDE")),
      [],
    );
  } finally {
    project.remove();
  }
});
