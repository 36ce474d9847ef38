import { answers, assemble, callFields } from "./assemble.ts";
import type { Step } from "./assemble.ts";
import { checkedCalls, numberOf, processorIds, refusedCalls, x32Bit } from "./system-calls.ts";
import type { Processor } from "./system-calls.ts";

/**
 * A filter of system calls for what runs in a jail or in a domain's sandbox: name spaces, mounts, other processes, other kinds of
 * sockets, input for terminals and the kernel's largest interfaces fail as if there were no right to them; all else passes.
 *
 * @returns a program for `bwrap --seccomp`; undefined on a processor whose calls we have no numbers of
 * @see seccomp(2)
 */
export function callFilter(processor: string = process.arch): Uint8Array<ArrayBuffer> | undefined {
  return processor === "x64" || processor === "arm64" ? assemble(stepsFor(processor)) : undefined;
}

const errors = { EPERM: 1, ENOSYS: 38, EPROTONOSUPPORT: 93, EAFNOSUPPORT: 97 } as const;

/** `CLONE_NEW*` of namespaces, but for the one of time, which lies among `clone`'s signal bits. @see linux/sched.h */
const newNamespaces = 0x7e02_0000;
const newTimeNamespace = 0x80;

/** Input into somebody's terminal, its selection, its console, its line discipline. @see asm-generic/ioctls.h */
const terminalTricks = { TIOCSTI: 0x5412, TIOCLINUX: 0x541c, TIOCCONS: 0x541d, TIOCSETD: 0x5423 } as const;

const sockets = { unix: 1, inet: 2, inet6: 10, netlink: 16 } as const;
const protocols = { any: 0, tcp: 6, udp: 17 } as const;
const netlinkRoute = 0;

/** What `personality` may be asked: the usual one, and which one it is. Others switch off what makes attacks hard. */
const personalities = [0, 0xffff_ffff];

const whenEqual = (value: number, to: string): Step => ({ when: "equal", value, to });
const load = (index: number): Step => ({ load: callFields.argument(index) });

function stepsFor(processor: Processor): Step[] {
  const refused = Object.values(refusedCalls).flatMap((numbers) => numberOf(numbers, processor) ?? []);
  const call = (name: keyof typeof checkedCalls): number => checkedCalls[name][processor === "x64" ? 0 : 1];
  return [
    { load: callFields.processor },
    // A program of another kind (32 bits) numbers its calls otherwise.
    { when: "equal", value: processorIds[processor], otherwise: "EPERM" },
    { load: callFields.number },
    ...(processor === "x64" ? [{ when: "atLeast", value: x32Bit, to: "EPERM" } as const] : []),
    ...refused.map((number) => whenEqual(number, "EPERM")),
    // Its flags lie in memory, where a filter can't look. C libraries go back to `clone` then.
    whenEqual(call("clone3"), "ENOSYS"),
    whenEqual(call("clone"), "clone"),
    whenEqual(call("unshare"), "unshare"),
    whenEqual(call("ioctl"), "ioctl"),
    whenEqual(call("personality"), "personality"),
    whenEqual(call("socket"), "socket"),
    whenEqual(call("socketpair"), "socketpair"),
    { answer: answers.allow },

    { label: "clone" },
    load(0),
    { when: "anyOf", value: newNamespaces, to: "EPERM", otherwise: "allow" },

    { label: "unshare" },
    load(0),
    { when: "anyOf", value: newNamespaces | newTimeNamespace, to: "EPERM", otherwise: "allow" },

    { label: "ioctl" },
    // The kernel looks at the lower half alone, and so does this.
    load(1),
    ...Object.values(terminalTricks).map((value) => whenEqual(value, "EPERM")),
    { answer: answers.allow },

    { label: "personality" },
    load(0),
    ...personalities.map((value) => whenEqual(value, "allow")),
    { answer: answers.fail(errors.EPERM) },

    { label: "socket" },
    load(0),
    whenEqual(sockets.unix, "allow"),
    whenEqual(sockets.inet, "internet"),
    whenEqual(sockets.inet6, "internet"),
    whenEqual(sockets.netlink, "netlink"),
    { answer: answers.fail(errors.EAFNOSUPPORT) },
    { label: "internet" },
    load(2),
    ...Object.values(protocols).map((value) => whenEqual(value, "allow")),
    { answer: answers.fail(errors.EPROTONOSUPPORT) },
    { label: "netlink" },
    load(2),
    whenEqual(netlinkRoute, "allow"),
    { answer: answers.fail(errors.EPROTONOSUPPORT) },

    { label: "socketpair" },
    load(0),
    whenEqual(sockets.unix, "allow"),
    { answer: answers.fail(errors.EAFNOSUPPORT) },

    { label: "allow" },
    { answer: answers.allow },
    { label: "EPERM" },
    { answer: answers.fail(errors.EPERM) },
    { label: "ENOSYS" },
    { answer: answers.fail(errors.ENOSYS) },
  ];
}
