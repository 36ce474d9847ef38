import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import type { MachineProbe, StackProcess, StackProcesses } from "../../probes/machine-probe.ts";
import type { Missing } from "../../probes/secrets-probe.ts";
import { noProbe } from "../own-machine.ts";
import { wakeFunctions } from "../wake-functions.ts";

const withoutFunctions = ({ contract }: AuditContext): string | undefined =>
  contract.functions.size === 0 ? "the contract declares no functions" : undefined;

const what = ({ domain, pid }: StackProcess): string => `${domain} (process ${pid})`;

/** Looks twice: a process that was just made is its maker's user for a moment, and counts once it is there a second time. */
async function settled(
  machine: MachineProbe,
  sleep: (milliseconds: number) => Promise<void>,
): Promise<StackProcesses | Missing> {
  const before = machine.processes();
  if ("missing" in before) return before;
  await sleep(1000);
  const after = machine.processes();
  if ("missing" in after) return after;
  const known = new Set(before.processes.map(({ pid }) => pid));
  return { ...after, processes: after.processes.filter(({ pid }) => known.has(pid)) };
}

/** What runs somebody's code is asked of the kernel, not of who started it. */
export const confinedFunctions: Check = {
  name: "a function has no network, no rights and no system call that it does not need",
  kind: "live",
  attack: { kind: "functions", promise: "functions", per: "site" },
  isActive: true,
  isSupporting: true,
  notApplicable: withoutFunctions,
  run: async (context, tally) => {
    if (context.machine === undefined) return tally.miss(noProbe);
    await wakeFunctions(context);
    const seen = await settled(context.machine, context.sleep);
    if ("missing" in seen) return tally.miss(seen.missing);
    for (const reason of seen.unread) tally.miss(reason);
    if (!seen.hasSandboxes)
      return tally.miss("REDUCED ISOLATION: functions get no sandbox on this machine (bubblewrap)");
    const groups = seen.processes.filter(({ isGroup }) => isGroup);
    if (groups.length === 0) return tally.miss("no function was running: call one, then audit");
    const others = new Set(seen.processes.filter(({ isGroup }) => !isGroup).map(({ uid }) => uid));
    for (const group of groups) judgeGroup(group, others, seen.isolation === "uid", tally);
  },
};

function judgeGroup(group: StackProcess, others: ReadonlySet<number>, hasUsers: boolean, tally: Tally): void {
  const faults = [
    ...(group.hasMachinesNetwork ? ["the machine's network"] : []),
    ...(group.filters < 1 ? ["every system call"] : []),
    ...(group.hasNoNewPrivileges ? [] : ["programs that give more rights"]),
    ...(group.hasNoCapabilities ? [] : ["capabilities"]),
    ...(hasUsers && (group.uid === 0 || others.has(group.uid))
      ? [`another domain's user (${group.uid})`]
      : []),
    ...(group.groups.some((id) => hasUsers && id !== group.uid)
      ? [`groups (${group.groups.join(", ")})`]
      : []),
  ];
  tally.expect(faults.length === 0, {
    kind: "measurement",
    about: `${what(group)} has, of what the machine has`,
    value: faults.join(", ") || "no network, no capability; a filter of system calls, a user of its own",
  });
}

/** Where the stack was started as root, nothing but who started it stays root. */
export const ownUsers: Check = {
  name: "each domain is a user of its own, without root's groups",
  kind: "live",
  isActive: true,
  isSupporting: true,
  run: async ({ machine, sleep }, tally) => {
    if (machine === undefined) return tally.miss(noProbe);
    const seen = await settled(machine, sleep);
    if ("missing" in seen) return tally.miss(seen.missing);
    for (const reason of seen.unread) tally.miss(reason);
    if (seen.isolation !== "uid")
      return tally.notApplicable("the stack was not started as root, which alone can make others of itself");
    const domains = seen.processes.filter(({ domain }) => domain !== "supervisor");
    if (seen.processes.every(({ domain, groups }) => domain !== "supervisor" || groups.length === 0))
      tally.notApplicable("who started the stack is in no other group, so that there was none to give up");
    for (const process of domains) {
      const { domain, uid, groups } = process;
      const shared = domains.find((other) => other.uid === uid && other.domain !== domain);
      const faults = [
        ...(uid === 0 ? ["is root"] : []),
        ...(shared === undefined ? [] : [`is the same user as ${what(shared)}`]),
        ...(groups.length === 0 ? [] : [`is in the groups ${groups.join(", ")}`]),
      ];
      tally.expect(faults.length === 0, {
        kind: "measurement",
        about: what(process),
        value: faults.join("; ") || `is user ${uid}, in no other group`,
      });
    }
  },
};
