import type { ContractFunction } from "../../contract/index.ts";
import { answers, assemble, callFields } from "../jail/filter/assemble.ts";
import type { Step } from "../jail/filter/assemble.ts";
import { processorIds, x32Bit } from "../jail/filter/system-calls.ts";
import type { Processor } from "../jail/filter/system-calls.ts";
import { checkedGroupCalls, groupCalls, nodeCalls, numberOn } from "./group-calls.ts";

/**
 * The filter of system calls for a group of functions. Unlike a build's it names what passes: threads, memory, what was inherited, and
 * Unix sockets. All else is to such a process a call that the kernel does not have: no process, no other kind of socket, no tracing, no mount.
 *
 * @returns a program for `bwrap --seccomp`; undefined on a processor whose calls we have no numbers of
 * @see seccomp(2)
 */
export function groupFilter(
  runner: ContractFunction["runner"],
  processor: string = process.arch,
): Uint8Array<ArrayBuffer> | undefined {
  if (processor !== "x64" && processor !== "arm64") return undefined;
  return assemble(stepsFor(processor, runner === "node" ? { ...groupCalls, ...nodeCalls } : groupCalls));
}

const errors = { EPERM: 1, EINVAL: 22, ENOTTY: 25, ENOSYS: 38, EAFNOSUPPORT: 97 } as const;
const cloneThread = 0x1_0000;
/** `CLONE_NEW*`. @see linux/sched.h */
const newNamespaces = 0x7e02_0000;
/** `MAP_SHARED`, `MAP_DROPPABLE`, `MAP_HUGETLB`: memory that is counted as nobody's own, and so bounded by nothing. */
const uncounted = 0x1 | 0x8 | 0x4_0000;
/** `SHUT_WR`. */
const endOfWriting = 1;
const unixSockets = 1;
/** `FIONBIO`, `FIOCLEX`. What asks whether something is a terminal is told that nothing is. */
const harmlessRequests = [0x5421, 0x5451];
/** `PR_SET_NAME`, `PR_GET_NAME`, `PR_SET_VMA`: names of threads and of memory. */
const names = [15, 16, 0x5356_4d41];

const whenEqual = (value: number, to: string): Step => ({ when: "equal", value, to });
const load = (index: number): Step => ({ load: callFields.argument(index) });
const end = (label: string, errno: number): Step[] => [{ label }, { answer: answers.fail(errno) }];

function stepsFor(processor: Processor, calls: typeof groupCalls): Step[] {
  const passing = Object.values(calls).flatMap((numbers) => numberOn(numbers, processor) ?? []);
  const checked = Object.entries(checkedGroupCalls).map(([name, numbers]) =>
    whenEqual(numbers[processor === "x64" ? 0 : 1], name),
  );
  return [
    { load: callFields.processor },
    { when: "equal", value: processorIds[processor], otherwise: "EPERM" },
    { load: callFields.number },
    ...(processor === "x64" ? [{ when: "atLeast", value: x32Bit, to: "EPERM" } as const] : []),
    ...checked,
    ...passing.map((number) => whenEqual(number, "allow")),
    // `clone3` too, whose flags lie in memory: C libraries go back to `clone` then.
    ...end("ENOSYS", errors.ENOSYS),

    { label: "mmap" },
    load(3),
    { when: "anyOf", value: uncounted, to: "EPERM" },
    { answer: answers.allow },

    { label: "clone" },
    load(0),
    { when: "anyOf", value: newNamespaces, to: "EPERM" },
    { when: "anyOf", value: cloneThread, to: "allow" },
    ...end("EPERM", errors.EPERM),

    { label: "ioctl" },
    load(1),
    ...harmlessRequests.map((value) => whenEqual(value, "allow")),
    { answer: answers.fail(errors.ENOTTY) },

    // Its listener outlives it, and whoever shuts that down for reading has shut it for all who come after. Of a connection nobody misses it.
    { label: "shutdown" },
    load(1),
    whenEqual(endOfWriting, "allow"),
    { answer: answers.fail(0) },

    { label: "prctl" },
    load(0),
    ...names.map((value) => whenEqual(value, "allow")),
    { answer: answers.fail(errors.EINVAL) },

    { label: "socket" },
    { label: "socketpair" },
    load(0),
    whenEqual(unixSockets, "allow"),
    { answer: answers.fail(errors.EAFNOSUPPORT) },

    { label: "allow" },
    { answer: answers.allow },
  ];
}
