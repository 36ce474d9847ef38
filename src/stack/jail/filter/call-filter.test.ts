import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { suite, test } from "node:test";
import fc from "fast-check";
import { assemble } from "./assemble.ts";
import { callFilter } from "./call-filter.ts";
import { checkedCalls, numberOf, processorIds, refusedCalls } from "./system-calls.ts";
import type { Processor } from "./system-calls.ts";

const allowed = "allowed";
const errno: Readonly<Record<number, string>> = {
  1: "EPERM",
  38: "ENOSYS",
  93: "EPROTONOSUPPORT",
  97: "EAFNOSUPPORT",
};

interface Call {
  readonly number: number;
  readonly processor?: number;
  readonly args?: readonly bigint[];
}

/** Runs a filter as the kernel does, from the manual: bytes in, its answer out. */
function ask(
  processor: Processor,
  { number, processor: id = processorIds[processor], args = [] }: Call,
): string {
  const program = callFilter(processor) as Uint8Array<ArrayBuffer>;
  const code = new DataView(program.buffer);
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number, true);
  data.setUint32(4, id, true);
  for (const [index, value] of args.entries()) data.setBigUint64(16 + 8 * index, value, true);
  let loaded = 0;
  for (let at = 0; ; at++) {
    assert.ok(at * 8 < program.length, "it runs off its end");
    const value = code.getUint32(at * 8 + 4, true);
    const jump = (isSo: boolean): number => (at += code.getUint8(at * 8 + (isSo ? 2 : 3)));
    switch (code.getUint16(at * 8, true)) {
      case 0x20:
        loaded = data.getUint32(value, true);
        break;
      case 0x15:
        jump(loaded === value);
        break;
      case 0x35:
        jump(loaded >= value);
        break;
      case 0x45:
        jump((loaded & value) !== 0);
        break;
      case 0x06:
        if (value === 0x7fff0000) return allowed;
        assert.equal(value >>> 16, 5);
        return errno[value & 0xffff] ?? String(value & 0xffff);
      default:
        assert.fail(`no such instruction at ${at}`);
    }
  }
}

const processors = ["x64", "arm64"] as const;

for (const processor of processors) {
  const number = (name: keyof typeof checkedCalls): number =>
    numberOf(checkedCalls[name], processor) as number;
  const refused = new Map(
    Object.entries(refusedCalls).flatMap(([name, numbers]) => {
      const found = numberOf(numbers, processor);
      return found === undefined ? [] : [[found, name] as const];
    }),
  );

  suite(`the filter of system calls on ${processor}`, () => {
    test("refuses what is on its list, whatever the arguments, and lets every other number pass", () => {
      const checked = new Set<number>(Object.keys(checkedCalls).map((name) => number(name as "clone")));
      for (let call = 0; call < 600; call++) {
        if (checked.has(call)) continue;
        const args = [-1n, 1n, 2n ** 63n].map((value) => BigInt.asUintN(64, value));
        assert.equal(
          ask(processor, { number: call, args }),
          refused.has(call) ? "EPERM" : allowed,
          String(call),
        );
      }
    });

    test("threads and processes may be made, name spaces not: in no kind, and hidden behind no other flag", () => {
      const thread = 0x3d0f00n;
      const fork = 0x1200011n;
      assert.equal(ask(processor, { number: number("clone"), args: [thread] }), allowed);
      assert.equal(ask(processor, { number: number("clone"), args: [fork] }), allowed);
      assert.equal(ask(processor, { number: number("clone3") }), "ENOSYS");
      const kinds = [
        0x00020000n,
        0x02000000n,
        0x04000000n,
        0x08000000n,
        0x10000000n,
        0x20000000n,
        0x40000000n,
      ];
      for (const kind of kinds) {
        for (const flags of [kind, kind | thread, kind | fork, kind | (1n << 40n)]) {
          assert.equal(ask(processor, { number: number("clone"), args: [flags] }), "EPERM");
          assert.equal(ask(processor, { number: number("unshare"), args: [flags] }), "EPERM");
        }
      }
      assert.equal(ask(processor, { number: number("unshare"), args: [0x80n] }), "EPERM");
      // Files of its own, not a name space.
      assert.equal(ask(processor, { number: number("unshare"), args: [0x400n] }), allowed);
    });

    test("nothing is put into a terminal's input, with the upper half of the number set or not", () => {
      for (const request of [0x5412n, 0x541cn, 0x541dn, 0x5423n]) {
        for (const upper of [0n, 1n << 32n, 0xffffffffn << 32n])
          assert.equal(ask(processor, { number: number("ioctl"), args: [1n, upper | request] }), "EPERM");
      }
      // Its size, its modes, how much there is to read.
      for (const request of [0x5413n, 0x5401n, 0x541bn])
        assert.equal(ask(processor, { number: number("ioctl"), args: [1n, request] }), allowed);
    });

    test("sockets: Unix, TCP, UDP and what lists addresses; no other family or protocol", () => {
      const socket = (family: number, protocol = 0): string =>
        ask(processor, { number: number("socket"), args: [BigInt(family), 1n, BigInt(protocol)] });
      for (const family of [1, 2, 10, 16]) assert.equal(socket(family), allowed);
      for (const protocol of [6, 17]) assert.equal(socket(10, protocol), allowed);
      fc.assert(
        fc.property(fc.nat(60), fc.nat(300), (family, protocol) => {
          if (family === 1) return;
          if (![2, 10, 16].includes(family)) return assert.equal(socket(family, protocol), "EAFNOSUPPORT");
          const open = family === 16 ? [0] : [0, 6, 17];
          assert.equal(socket(family, protocol), open.includes(protocol) ? allowed : "EPROTONOSUPPORT");
        }),
      );
      assert.equal(ask(processor, { number: number("socketpair"), args: [1n] }), allowed);
      assert.equal(ask(processor, { number: number("socketpair"), args: [30n] }), "EAFNOSUPPORT");
    });

    test("a program's personality is the usual one", () => {
      const personality = (value: bigint): string =>
        ask(processor, { number: number("personality"), args: [value] });
      assert.equal(personality(0n), allowed);
      assert.equal(personality(0xffffffffn), allowed);
      for (const value of [0x40000n, 0x400000n, 0x100000n, 8n, 0x20000n])
        assert.equal(personality(value), "EPERM");
    });

    test("calls of another kind of program are refused, all of them", () => {
      const i386 = 0x40000003;
      const arm = 0x40000028;
      for (let call = 0; call < 600; call++) {
        for (const other of [i386, arm])
          assert.equal(ask(processor, { number: call, processor: other }), "EPERM");
        if (processor === "x64") assert.equal(ask(processor, { number: call | 0x40000000 }), "EPERM");
      }
    });
  });
}

const headers = {
  x64: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
  arm64: "/usr/include/asm-generic/unistd.h",
} as const;

for (const processor of processors) {
  const skip = existsSync(headers[processor])
    ? false
    : "the kernel's headers are not installed (Debian: linux-libc-dev)";
  test(`numbers of calls on ${processor} are those of the kernel's headers`, { skip }, () => {
    const text = readFileSync(headers[processor], "utf8");
    const official = new Map(
      Array.from(text.matchAll(/^#define __NR(?:3264)?_(\w+)\s+(\d+)/gm), ([, name, number]) => [
        name,
        Number(number),
      ]),
    );
    assert.ok(official.size > 250);
    let compared = 0;
    for (const [name, numbers] of Object.entries({ ...checkedCalls, ...refusedCalls })) {
      // Headers may be older than a call.
      if (!official.has(name) && name === "open_tree_attr") continue;
      assert.equal(numberOf(numbers, processor), official.get(name), name);
      compared++;
    }
    assert.ok(compared > 45);
  });
}

test("a processor whose calls are not known has no filter", () => {
  assert.equal(callFilter("riscv64"), undefined);
});

test("a filter can't jump back, nowhere, or farther than its byte reaches", () => {
  const far = Array.from({ length: 300 }, () => ({ load: 0 }));
  const jump = { when: "equal", value: 0, to: "end" } as const;
  assert.throws(() => assemble([{ label: "end" }, jump]), RangeError);
  assert.throws(() => assemble([jump]), RangeError);
  assert.throws(() => assemble([jump, ...far, { label: "end" }]), RangeError);
  assert.equal(assemble([jump, { load: 0 }, { label: "end" }, { answer: 0 }]).length, 24);
});
