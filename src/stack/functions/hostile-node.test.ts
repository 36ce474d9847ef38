// What code tries that runs in Node, and what it could do once it had broken out of V8: then it is any program, in the same sandbox.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { suite, test } from "node:test";
import { needsRoot, requires } from "../../../test/requires.ts";
import { openStand, workerOf } from "./fixtures/group-stand.ts";
import type { Stand, StandGroup } from "./fixtures/group-stand.ts";
import { nodeEngine } from "./node-engine.ts";
import { workerdEngine } from "./workerd-engine.ts";

const { skip } = requires("bwrap");
const perl = existsSync("/usr/bin/perl") ? skip : "needs perl, for its syscall()";
const honest = workerOf("return { echo: call.body };");
const user = { uid: 60_498, gid: 60_498 };
const engines = { node: nodeEngine, workerd: workerdEngine } as const;
const inNode: Pick<StandGroup, "engine"> = {
  engine: (bundles, egressSocket) => nodeEngine({ bundles, egressSocket, isSandboxed: true }),
};

/** What is tried, and the code of the error that comes of it; some are told by an event. */
const attempts: readonly (readonly [what: string, code: string, outcome: string])[] = [
  ["a binding of Node's", 'process.binding("pipe_wrap")', "ERR_ACCESS_DENIED"],
  ["a binding of Node's by another name", 'process._linkedBinding("pipe_wrap")', "ERR_ACCESS_DENIED"],
  [
    "native code",
    'process.dlopen({ exports: {} }, "/lib/x86_64-linux-gnu/libc.so.6")',
    "ERR_DLOPEN_DISABLED",
  ],
  [
    "the C library's functions",
    '(await import("node:ffi")).dlopen(null, { getpid: { result: "i32", parameters: [] } })',
    "ERR_ACCESS_DENIED",
  ],
  ["a child", '(await import("node:child_process")).spawnSync("/node")', "ERR_ACCESS_DENIED"],
  [
    "another program in its place",
    'process.execve("/node", ["/node", "--version"], {})',
    "ERR_ACCESS_DENIED",
  ],
  ["a thread", 'new (await import("node:worker_threads")).Worker("1", { eval: true })', "ERR_ACCESS_DENIED"],
  ["the root folder", '(await import("node:fs")).readdirSync("/")', "ERR_ACCESS_DENIED"],
  ["its own program", '(await import("node:fs")).readFileSync("/node")', "ERR_ACCESS_DENIED"],
  ["the machine's users", '(await import("node:fs")).readFileSync("/etc/shadow")', "ERR_ACCESS_DENIED"],
  ["its environment", '(await import("node:fs")).readFileSync("/proc/self/environ")', "ERR_ACCESS_DENIED"],
  ["a file in /tmp", '(await import("node:fs")).writeFileSync("/tmp/x", "x")', "ERR_ACCESS_DENIED"],
  [
    "a module of the machine's",
    'await import("file:///usr/lib/x.js")',
    "ERR_ACCESS_DENIED|ERR_MODULE_NOT_FOUND",
  ],
  [
    "a system of files by WebAssembly",
    'new (await import("node:wasi")).WASI({ version: "preview1" })',
    "ERR_ACCESS_DENIED",
  ],
  [
    "a file by SQLite",
    `new (await import("node:sqlite")).DatabaseSync(":memory:").exec("attach '/lib/x' as a")`,
    "ERR_ACCESS_DENIED|ERR_SQLITE_ERROR",
  ],
  ["a heap's picture", '(await import("node:v8")).writeHeapSnapshot("/x")', "ERR_ACCESS_DENIED"],
  ["a report", 'process.report.writeReport("/x")', "ERR_ACCESS_DENIED"],
  ["a debugger", 'new (await import("node:inspector")).Session().connect()', "ERR_ACCESS_DENIED"],
  ["a debugger for others", '(await import("node:inspector")).open(0)', "ERR_ACCESS_DENIED"],
  ["another user", "process.setuid(0)", "ERR_ACCESS_DENIED|ENOSYS|EPERM"],
  ["to end itself by a signal", 'process.kill(process.pid, "SIGKILL")', "ENOSYS"],
  ["to stop who started it", 'process.kill(process.ppid, "SIGSTOP")', "ENOSYS"],
  ["to end everybody", 'process.kill(-1, "SIGKILL")', "ENOSYS"],
  ["to be debugged by a signal", "process._debugProcess(1)", "ENOSYS"],
  ["a place among the processes", '(await import("node:os")).setPriority(0, -20)', "ERR_SYSTEM_ERROR"],
  ["the host's web server", "await connect({ host: '127.0.0.1', port: 80 })", "EAFNOSUPPORT"],
  ["loopback by IPv6", "await connect({ host: '::1', port: 80 })", "EAFNOSUPPORT"],
  ["the cloud's metadata", "await connect({ host: '169.254.169.254', port: 80 })", "EAFNOSUPPORT"],
  ["the machine's name", '(await import("node:os")).hostname()', "function"],
  ["a name", '(await import("node:dns/promises")).lookup("a.example").then(String)', "ENOTFOUND|EAI_AGAIN"],
  ["a service of the host's", "await connect({ path: '/run/docker.sock' })", "ENOENT"],
  [
    "an abstract socket of the host's",
    "await connect({ path: '\\0curtainwall-hostile-test' })",
    "ECONNREFUSED",
  ],
  ["another group's way to egress", "await connect({ path: call.body.other })", "ENOENT"],
  [
    "a datagram",
    'await new Promise((_, no) => net.dgram.createSocket("udp4").on("error", no).send("x", 53, "192.0.2.1", no))',
    "EAFNOSUPPORT",
  ],
  [
    "to be listened to",
    'await new Promise((_, no) => net.createServer().on("error", no).listen("\\0mine"))',
    "ENOSYS",
  ],
];

const tried = `
const net = { ...await import("node:net"), dgram: await import("node:dgram") };
const connect = (to) => new Promise((_, no) => { const s = net.connect(to); s.on("error", no); s.on("connect", () => no({ code: "connected" })); });
const found = {};
${attempts.map(([what, code]) => `try { found[${JSON.stringify(what)}] = String(await (async () => ${code})()); } catch (error) { found[${JSON.stringify(what)}] = error.code ?? String(error); }`).join("\n")}
return found;`;

/** A program of no engine's, in a group's place: it reads its text from its first descriptor, as engines do. */
function brokenOut(script: string, runner: "node" | "workerd"): NonNullable<StandGroup["engine"]> {
  let starts = 0;
  return (bundles, egressSocket) => {
    const real = engines[runner]({ bundles, egressSocket, isSandboxed: true });
    const isFirst = (): boolean => starts === 1;
    return {
      ...real,
      get program() {
        return isFirst() ? Buffer.from(script) : real.program;
      },
      view: () => {
        const view = real.view();
        return {
          files: [...new Set([...view.files, "/lib", "/lib64", "/usr/lib"])],
          renamed: [...view.renamed, ["/usr/bin/perl", "/perl"]],
        };
      },
      // Asked for first, at each start.
      command: (fd, isInside) => (++starts === 1 ? ["/perl", "-"] : real.command(fd, isInside)),
    };
  };
}

suite("a hostile function in Node", { skip, concurrency: false }, () => {
  test("gets no further than its realm", async (context) => {
    const stand = await openStand(
      {
        own: { functions: { own: workerOf(tried) }, ...inNode },
        good: { functions: { good: honest }, ...inNode },
      },
      { context },
    );
    const { text, status } = await stand.call("own", { other: `${stand.folder}/good.egress` });
    assert.equal(status, 200, text + stand.lines.join("\n"));
    const found = JSON.parse(text) as Record<string, string>;
    for (const [what, , outcome] of attempts)
      assert.match(found[what] ?? "nothing", new RegExp(`^(?:${outcome})$`), what);
    assert.equal((await stand.call("good")).status, 200);
  });

  test("whose request has a body that fails is told so, and its process goes on", async (context) => {
    const body = `
      const failing = new ReadableStream({ start(to) { to.enqueue(new Uint8Array(10)); setTimeout(() => to.error(new Error("no more")), 20); } });
      return fetch("https://a.example/", { method: "POST", body: failing, duplex: "half" }).then(() => "sent", (error) => error.cause?.message ?? error.message);`;
    const stand = await openStand(
      { own: { functions: { own: workerOf(body) }, ...inNode } },
      // As egress does it: a body is read whole before anybody is asked.
      { context, egress: (request, response) => request.resume().on("end", () => response.end()) },
    );
    assert.match((await stand.call("own")).text, /^"(?:socket hang up|no more)"$/);
    assert.equal((await stand.call("own")).status, 200);
    assert.deepEqual(stand.starts, { own: 1 });
  });

  test("that closes its listener is ended, and the next process has it again", async (context) => {
    const body = `if (call.body.close) { process._getActiveHandles().find(({ listening }) => listening).close(); return "closed"; }
      if (call.body.wait) await new Promise((r) => setTimeout(r, 5000)); return process.uptime();`;
    const stand = await openStand(
      { own: { functions: { own: workerOf(body) }, ...inNode } },
      { context, watch: { silentMs: 1000 } },
    );
    assert.equal((await stand.call("own", { close: true })).text, '"closed"');
    assert.equal((await stand.call("own", { wait: true })).code, "FUNCTIONS_ENDED");
    assert.equal((await stand.call("own", {})).status, 200);
    assert.deepEqual(stand.starts, { own: 2 });
    assert.match(JSON.stringify(stand.eventsOf("function.group.ended")), /did not answer for 1000 ms/);
  });

  test(
    "has what it was given open, and nothing else; sees its program and its libraries, holds no right, and can write to nothing",
    needsRoot,
    async (context) => {
      const stand = await openStand({ own: { functions: { own: honest }, user, ...inNode } }, { context });
      assert.equal((await stand.call("own", 1)).status, 200);
      const pid = await stand.process("own")?.inner;
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      assert.match(status, /^Uid:\t60498\t60498\t60498\t60498$/m);
      assert.match(status, /^CapEff:\t0+$/m);
      assert.match(status, /^NoNewPrivs:\t1$/m);
      assert.match(status, /^Seccomp:\t2$/m);
      const files = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
      assert.deepEqual(
        files.filter((name) => !/^(?:socket|pipe|anon_inode):|^\/dev\/null$/.test(name)),
        [],
      );
      const mounts = readFileSync(`/proc/${pid}/mountinfo`, "utf8").trimEnd().split("\n");
      const writable = mounts.filter((line) => line.split(" ")[5]?.startsWith("rw"));
      assert.deepEqual(
        writable.map((line) => line.split(" ")[4] ?? "").toSorted((a, b) => a.localeCompare(b)),
        ["/dev/null", "/dev/urandom"],
      );
      const root = readdirSync(`/proc/${pid}/root`, { recursive: true, encoding: "utf8" });
      const shown = root.filter((name) => !statSync(`/proc/${pid}/root/${name}`).isDirectory());
      assert.deepEqual(
        shown.filter((name) => !/^lib.*\.so[.\d]*$/.test(name)).toSorted((a, b) => a.localeCompare(b)),
        ["dev/null", "dev/urandom", "egress.sock", "node"],
      );
      assert.ok(shown.length < 20, shown.join());
      assert.equal(readFileSync(`/proc/${pid}/environ`, "utf8").replace(/PWD=\/\0/, ""), "");
    },
  );
});

/** As x64 numbers them: `shutdown`, `listen`, `fcntl`, `setsockopt`, `connect`, `bind`, `exit_group`. */
const spoil = `
my $listener = 3;
for my $how (0, 1, 2) { syscall(48, $listener, $how); }
syscall(50, $listener, 0);
syscall(72, $listener, 4, 2);            # blocking, for all who have it
syscall(72, $listener, 8, 1); syscall(72, $listener, 4, 0x2002);   # signals to whoever owns it
my $size = pack("i", 1); syscall(54, $listener, 1, $_, $size, 4) for 7, 8, 16, 20, 21, 42;
my ($nowhere, $elsewhere) = (pack("S", 0), pack("Sa*", 1, "/x")); syscall(42, $listener, $nowhere, 2); syscall(49, $listener, $elsewhere, 4);
print STDERR "done\\n"; syscall(231, 7);`;

const calls = `
my %found;
my $buffer = "\\0" x 4096;
my @calls = (["fork", 57], ["vfork by clone", 56, 17, 0, 0, 0, 0], ["clone3", 435, 0, 0], ["a namespace", 272, 0x10000000],
  ["ptrace", 101, 0, 0, 0, 0], ["another's memory", 310, 1, $buffer, 0, $buffer, 0, 0], ["a ring", 425, 1, $buffer], ["a mount", 165, $buffer, $buffer, $buffer, 0, 0],
  ["a signal to all", 62, -1, 9], ["a signal to its sandbox", 62, 0, 9], ["TCP", 41, 2, 1, 0], ["netlink", 41, 16, 3, 0], ["packets", 41, 17, 3, 0], ["memory of nobody", 9, 0, 4096, 3, 0x21, -1, 0],
  ["a file of memory", 319, $buffer, 0], ["BPF", 321, 0, $buffer, 48], ["keys", 250, 0, -3, 1], ["a bound socket", 49, 3, $buffer, 2], ["queues", 68, 1, 0x3ff]);
for (@calls) { my ($name, @call) = @$_; $! = 0; my $me = $$; my $r = syscall(shift @call, @call); syscall(231, 0) if $$ != $me; print STDERR "$name: ", ($r < 0 ? $!+0 : "passed"), "\\n"; }
for my $path ("/etc/passwd", "/proc/self/maps", "/proc/1/mem", "/sys/kernel", "/dev/mem", "/tmp", "/home", "/root") { print STDERR "$path: ", (-e $path ? "there" : "not there"), "\\n"; }
for my $path ("/x", "/dev/x", "/lib/x") { print STDERR "writes $path\\n" if open(my $f, ">", $path); }
print STDERR "done\\n"; syscall(231, 7);`;

suite(
  "code that broke out of V8",
  { skip: process.arch === "x64" ? perl : "numbers of x64", concurrency: false },
  () => {
    const linesOf = (stand: Stand): string[] =>
      stand.lines.flatMap((line) => (line.startsWith("own: ") ? [line.slice(5)] : []));

    test("in Node's place finds no process, no network, no file and no way to make one", async (context) => {
      const stand = await openStand(
        { own: { functions: { own: honest }, engine: brokenOut(calls, "node") } },
        { context },
      );
      // The call finds the process that comes after it.
      await stand.call("own");
      const lines = linesOf(stand);
      assert.ok(lines.includes("done"), stand.lines.join("\n"));
      const answers = lines.filter((line) => /: (?:passed|\d+)$/.test(line));
      assert.equal(answers.length, 19, lines.join("\n"));
      // What the kernel does not have, what is not permitted, and what address family there is not.
      assert.deepEqual(
        answers.filter((line) => !/: (?:38|1|97)$/.test(line)),
        [],
      );
      assert.deepEqual(
        lines.filter((line) => line.endsWith(": there") || line.startsWith("writes ")),
        [],
      );
    });

    for (const runner of ["node", "workerd"] as const)
      test(`in the place of ${runner} does what it can to its listener: the next process answers on it`, async (context) => {
        const stand = await openStand(
          {
            own: { functions: { own: honest }, engine: brokenOut(spoil, runner) },
            good: { functions: { good: honest } },
          },
          { context },
        );
        await stand.call("own");
        assert.ok(linesOf(stand).includes("done"), stand.lines.join("\n"));
        const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => stand.call("own", n)));
        assert.deepEqual(
          answers.map(({ status }) => status),
          answers.map(() => 200),
        );
        assert.equal((await stand.call("good")).status, 200);
      });
  },
);
