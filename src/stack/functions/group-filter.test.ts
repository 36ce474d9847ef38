import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { requires } from "../../../test/requires.ts";
import { checkedGroupCalls, groupCalls, nodeCalls, numberOn } from "./group-calls.ts";
import { groupFilter } from "./group-filter.ts";

const bwrap = requires("bwrap");
const perl = existsSync("/usr/bin/perl") ? bwrap.skip : "needs perl, for its syscall()";
const headers = {
  x64: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
  arm64: "/usr/include/asm-generic/unistd.h",
} as const;

for (const processor of ["x64", "arm64"] as const) {
  const skip = existsSync(headers[processor]) ? false : "the kernel's headers are not installed";
  test(`numbers of calls on ${processor} are those of the kernel's headers`, { skip }, () => {
    const text = readFileSync(headers[processor], "utf8");
    const official = new Map(
      Array.from(text.matchAll(/^#define __NR(?:3264)?_(\w+)\s+(\d+)/gm), ([, name, number]) => [
        name,
        Number(number),
      ]),
    );
    for (const [name, numbers] of Object.entries({ ...groupCalls, ...nodeCalls, ...checkedGroupCalls })) {
      // Processors that came later have it under its plain name.
      const known = official.get(name) ?? (name === "newfstatat" ? official.get("fstatat") : undefined);
      assert.equal(numberOn(numbers, processor), known, name);
    }
  });
}

test("processors that there are no numbers for have no filter", () => {
  assert.equal(groupFilter("node", "riscv64"), undefined);
});

test(
  "what attacks begin with is no call of this kernel there; what functions need passes",
  { skip: process.arch === "x64" ? perl : "numbers of x64" },
  () => {
    // errno of each, 0 when it passes: a socket of the internet, of netlink, a fork, a trace, a mount, a ring, keys, shared memory, a new queue for its
    // listener, and a Unix socket.
    const script = `
    my @calls = ([41, 2, 1, 0], [41, 16, 3, 0], [57], [56, 17, 0, 0, 0, 0], [435, 0, 0], [101, 0, 0, 0, 0], [165, 0, 0, 0, 0, 0], [425, 1, 0], [250, 0, 0], [321, 0, 0, 0], [157, 4, 1, 0, 0, 0], [272, 0x10000000], [9, 0, 4096, 3, 0x21, -1, 0], [9, 0, 4096, 3, 0x40022, -1, 0], [50, 3, 0], [9, 0, 4096, 3, 0x22, -1, 0], [41, 1, 1, 0], [39]);
    print join(",", map { $! = 0; my $r = syscall($_->[0], @$_[1..$#$_]); $r < 0 ? $!+0 : 0 } @calls);`;
    const { stdout, stderr } = spawnSync(
      bwrap.path,
      [
        "--seccomp",
        "0",
        "--ro-bind",
        "/",
        "/",
        "--dev",
        "/dev",
        "--unshare-user",
        "/usr/bin/perl",
        "-e",
        script,
      ],
      { input: groupFilter("workerd") ?? new Uint8Array(0), encoding: "utf8" },
    );
    assert.equal(stdout, "97,97,38,1,38,38,38,38,38,38,22,38,1,1,38,0,0,0", stderr);
  },
);

test(
  "a listener can't be shut down for those who come after; the end of writing can be told",
  { skip: process.arch === "x64" ? perl : "numbers of x64" },
  () => {
    // Both halves of a pair: what the one shuts down for reading is read all the same, and what it shuts down for writing is at its end.
    const script = `
    use Socket; socketpair(A, B, 1, 1, 0) or die; print shutdown(A, 0), shutdown(A, 2); syswrite(B, "b"); sysread(A, $x, 1); print $x;
    syswrite(A, "a"); shutdown(A, 1); sysread(B, $x, 1); print "$x", sysread(B, $y, 1);`;
    const view = ["--ro-bind", "/", "/", "--dev", "/dev", "--unshare-user"];
    const { stdout, stderr } = spawnSync(
      bwrap.path,
      ["--seccomp", "0", ...view, "/usr/bin/perl", "-e", script],
      { input: groupFilter("workerd") ?? new Uint8Array(0), encoding: "utf8" },
    );
    assert.equal(stdout, "11ba0", stderr);
  },
);
