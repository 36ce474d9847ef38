// Inside the real jail, as root starts it and as an ordinary user does: what the filter refuses, and what runs behind it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { TestContext } from "node:test";
import { requires } from "../../../../test/requires.ts";
import { checkedCalls, numberOf, refusedCalls } from "./system-calls.ts";

const bwrap = requires("bwrap");
const perl = existsSync("/usr/bin/perl") ? false : "needs perl, for its syscall()";

const me = process.getuid?.() ?? 0;
/** Started as root, tests also act as somebody whom no system has. */
const starters = me === 0 ? [0, 60_499] : [me];
const runner = `import { runJailed } from ${JSON.stringify(new URL("../run-jailed.ts", import.meta.url).href)};
const [root, command] = process.argv.slice(1);
const { jailed } = await runJailed({ root, command, output: "dist", timeoutMs: 120_000 });
process.exitCode = jailed ? 0 : 2;`;

/** Runs a command in a jail that this user starts, and gives what it wrote as `dist/found`. */
function inJail(
  context: TestContext,
  starter: number,
  files: Readonly<Record<string, string | Uint8Array>>,
  command: string,
  prepare: (root: string) => void = () => {},
): string {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-calls-"));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(root, name), content);
    chmodSync(join(root, name), 0o755);
  }
  prepare(root);
  chmodSync(root, 0o755);
  if (starter !== me) chownSync(root, starter, starter);
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      "--conditions=curtainwall-source",
      "--input-type=module",
      "-e",
      runner,
      root,
      `mkdir -p dist; ${command}`,
    ],
    { encoding: "utf8", ...(starter === me ? {} : { uid: starter, gid: starter }) },
  );
  assert.equal(status, 0, stderr);
  return readFileSync(join(root, "dist/found"), "utf8");
}

const numbers = { ...checkedCalls, ...refusedCalls };
const number = (name: keyof typeof checkedCalls | (string & {})): number =>
  numberOf(numbers[name as "clone"], process.arch === "arm64" ? "arm64" : "x64") as number;

/** One call a line: name, number and arguments as perl reads them; and what has to come of it. */
const attempts: readonly (readonly [what: string, call: string, outcome: string])[] = [
  ["a user namespace", `${number("unshare")}, 0x10000000`, "EPERM"],
  ["a mount namespace", `${number("unshare")}, 0x20000`, "EPERM"],
  ["a process in a user namespace", `${number("clone")}, 0x10000011, 0, 0, 0, 0`, "EPERM"],
  ["clone3, whose flags can't be seen", `${number("clone3")}, 0, 0`, "ENOSYS"],
  ["a mount", `${number("mount")}, $none, $tmp, $type, 0, 0`, "EPERM"],
  ["a new kind of mount", `${number("fsopen")}, $type, 0`, "EPERM"],
  ["being traced", `${number("ptrace")}, 0, 0, 0, 0`, "EPERM"],
  ["tracing a sibling", `${number("ptrace")}, 16, $sibling, 0, 0`, "EPERM"],
  ["a sibling's memory", `${number("process_vm_readv")}, $sibling, 0, 0, 0, 0, 0`, "EPERM"],
  ["a ring of requests", `${number("io_uring_setup")}, 1, $buffer`, "EPERM"],
  ["BPF", `${number("bpf")}, 0, $buffer, 48`, "EPERM"],
  ["performance events", `${number("perf_event_open")}, $buffer, 0, -1, -1, 0`, "EPERM"],
  ["faults in user space", `${number("userfaultfd")}, 1`, "EPERM"],
  ["a keyring", `${number("keyctl")}, 0, -3, 1`, "EPERM"],
  ["memory of no process", `${number("shmget")}, 0, 4096, 0x3ff`, "EPERM"],
  ["a file of no folder, in memory", `${number("memfd_create")}, $none, 0`, "EPERM"],
  ["addresses that don't vary", `${number("personality")}, 0x40000`, "EPERM"],
  ["input for a terminal", `${number("ioctl")}, $terminal, 0x5412, $buffer`, "EPERM"],
  [
    "input for a terminal, its number disguised",
    `${number("ioctl")}, $terminal, 0x7f00005412, $buffer`,
    "EPERM",
  ],
  ["the kernel's ciphers", `${number("socket")}, 38, 5, 0`, "EAFNOSUPPORT"],
  ["a virtual machine's host", `${number("socket")}, 40, 1, 0`, "EAFNOSUPPORT"],
  ["the kernel's audit", `${number("socket")}, 16, 3, 9`, "EPROTONOSUPPORT"],
  ["SCTP", `${number("socket")}, 2, 1, 132`, "EPROTONOSUPPORT"],
  ["one's own personality", `${number("personality")}, 0xffffffff`, "passes"],
  ["TCP", `${number("socket")}, 10, 1, 6`, "passes"],
  ["a terminal's settings", `${number("ioctl")}, $terminal, 0x5401, $buffer`, "passes"],
];

const script = `use Errno; use POSIX ();
POSIX::setsid(); $SIG{HUP} = "IGNORE";
my ($none, $tmp, $type, $buffer) = ("none", "/tmp", "tmpfs", "\\0" x 4096);
my $sibling = fork() // die; if (!$sibling) { sleep 60; exit }
open(my $pair, "+<", "/dev/ptmx") or die "ptmx $!";
my $unlock = pack("i", 0); ioctl($pair, 0x40045431, $unlock) or die "unlock $!";
my $name = pack("i", 0); ioctl($pair, 0x80045430, $name) or die "name $!";
open(my $half, "+<", "/dev/pts/" . unpack("i", $name)) or die "pts $!";
my $terminal = fileno($half);
open(my $out, ">", "dist/found");
sub attempt { my ($what, @call) = @_; my $me = $$; $! = 0;
  my $done = syscall(shift @call, @call); my $how = $done == -1 ? (grep { $!{$_} } keys %!)[0] : "passes"; POSIX::_exit(0) if $$ != $me;
  print $out "$what: $how\\n"; }
${attempts.map(([what, call]) => `attempt(${JSON.stringify(what)}, ${call});`).join("\n")}
${process.arch === "x64" ? 'attempt("x32", 0x40000000 | 39);' : ""}
kill 9, $sibling; close $out;
`;

/** A program of 32 bits: it ends with 42 by that processor's own call, and by a fault when there is none. */
function i386Program(): Uint8Array {
  const code = [0xb8, 1, 0, 0, 0, 0xbb, 42, 0, 0, 0, 0xcd, 0x80, 0x0f, 0x0b];
  const bytes = new Uint8Array(84 + code.length);
  const view = new DataView(bytes.buffer);
  const base = 0x08048000;
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  for (const [at, value] of [
    [16, 2],
    [18, 3],
    [40, 52],
    [42, 32],
    [44, 1],
  ] as const)
    view.setUint16(at, value, true);
  const words = [
    [20, 1],
    [24, base + 84],
    [28, 52],
    [52, 1],
    [60, base],
    [64, base],
    [68, bytes.length],
    [72, bytes.length],
    [76, 5],
    [80, 4096],
  ];
  for (const [at = 0, value = 0] of words) view.setUint32(at, value, true);
  bytes.set(code, 84);
  return bytes;
}

const modules = fileURLToPath(new URL("../../../../node_modules", import.meta.url));
const honest = `import { execFileSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import { Worker } from "node:worker_threads";
import { transform } from "esbuild";
import sharp from "sharp";
const [answer] = await once(new Worker("require('worker_threads').parentPort.postMessage(6 * 7)", { eval: true }), "message");
const server = net.createServer((socket) => socket.end("hello")).listen(0, "127.0.0.1");
await once(server, "listening");
const [bytes] = await once(net.connect(server.address().port, "127.0.0.1"), "data");
server.close();
const list = typeof os.networkInterfaces() === "object" ? "interfaces" : "";
const piped = execFileSync("sh", ["-c", "echo piped | cat"], { encoding: "utf8" }).trim();
const { code } = await transform("let a: number = 1", { loader: "ts", minifyWhitespace: true });
const picture = await sharp({ create: { width: 64, height: 64, channels: 3, background: "red" } }).resize(8).png().toBuffer();
fs.writeFileSync("dist/found", [answer, bytes, list, piped, code.trim(), (await sharp(picture).metadata()).format].join(" "));
process.exit(0);`;
const honestPython = `import multiprocessing, subprocess, threading
thread = threading.Thread(target=lambda: None); thread.start(); thread.join()
queue = multiprocessing.Queue()
child = multiprocessing.Process(target=queue.put, args=(1,)); child.start(); queue.get(); child.join()
open("dist/found", "a").write(" " + subprocess.check_output(["echo", "python"]).decode().strip())`;

for (const starter of starters) {
  suite(
    `system calls of a build that ${starter === 0 ? "root" : "an ordinary user"} starts`,
    { skip: bwrap.skip },
    () => {
      test(
        "attacks on the kernel and on others fail at once; what programs need passes",
        { skip: perl },
        (context) => {
          const found = inJail(context, starter, { "calls.pl": script }, "perl calls.pl");
          const expected = attempts.map(([what, , outcome]) => `${what}: ${outcome}`);
          if (process.arch === "x64") expected.push("x32: EPERM");
          assert.deepEqual(found.trimEnd().split("\n"), expected);
        },
      );

      test("unshare, the program, gets no namespace", (context) => {
        const found = inJail(
          context,
          starter,
          {},
          "unshare -Ur true; echo $? > dist/found; unshare -m true; echo $? >> dist/found",
        );
        assert.doesNotMatch(found, /^0$/m);
      });

      test(
        "a program of 32 bits gets nothing from the kernel",
        { skip: process.arch === "x64" ? false : "for x86" },
        (context) => {
          const found = inJail(context, starter, { old: i386Program() }, "./old; echo $? > dist/found");
          assert.notEqual(found.trim(), "42");
        },
      );

      test("Node with threads, a Go program, native code, Python and its semaphores work as ever", (context) => {
        const found = inJail(
          context,
          starter,
          { "honest.mjs": honest, "honest.py": honestPython },
          "node honest.mjs && { test ! -x /usr/bin/python3 || /usr/bin/python3 honest.py; }",
          (root) => symlinkSync(modules, join(root, "node_modules")),
        );
        assert.match(found, /^42 hello interfaces piped let a=1; png( python)?$/);
      });
    },
  );
}
