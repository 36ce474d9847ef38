import { readFileSync, readlinkSync } from "node:fs";
import type { StackProcess, StackProcesses } from "../../audit/index.ts";
import { bwrapWorks, findIsolation } from "../isolation/isolation.ts";
import { processesOf } from "./search-processes.ts";

/** Looks at what the kernel holds all processes of a running stack to. */
export function listProcesses(supervisor: number): StackProcesses {
  const processes: StackProcess[] = [];
  const unread: string[] = [];
  const own = standing("self");
  for (const { pid, domain } of processesOf(supervisor)) {
    try {
      const { network, filters, ...rest } = standing(pid);
      processes.push({
        pid,
        domain,
        isGroup: domain === "group",
        hasMachinesNetwork: network === own.network,
        filters: filters - own.filters,
        ...rest,
      });
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "unknown";
      // It has ended since: a group may, any time.
      if (code === "ENOENT" || code === "ESRCH") continue;
      unread.push(`process ${pid} (${domain}) may not be looked at (${code}): audit as root, or as its user`);
    }
  }
  return { isolation: findIsolation(), hasSandboxes: bwrapWorks(), processes, unread };
}

interface Standing extends Pick<
  StackProcess,
  "uid" | "groups" | "hasNoNewPrivileges" | "hasNoCapabilities" | "filters"
> {
  readonly network: string;
}

/** @see proc_pid_status(5) */
function standing(pid: number | "self"): Standing {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const field = (name: string): string => new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(status)?.[1] ?? "";
  const numbers = (name: string): number[] =>
    field(name)
      .split(/\s+/)
      .filter((text) => text !== "")
      .map(Number);
  return {
    uid: numbers("Uid")[0] ?? Number.NaN,
    groups: numbers("Groups"),
    // Kernels before 5.9 say only that there is one.
    filters: numbers("Seccomp_filters")[0] ?? (field("Seccomp") === "2" ? 1 : 0),
    hasNoNewPrivileges: field("NoNewPrivs") === "1",
    hasNoCapabilities: ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].every((name) =>
      /^0+$/.test(field(name)),
    ),
    network: readlinkSync(`/proc/${pid}/ns/net`),
  };
}
