import { readFileSync } from "node:fs";

/** What the kernel says of a process, as it stands in `/proc/self`. */
export interface ProcessRights {
  readonly status: string;
  readonly uidMap: string;
  readonly gidMap: string;
  readonly setgroups: string;
}

const setGroupIds = 6n;
const setUserIds = 7n;

/**
 * Tells whether a process can surely become the user and group `id`, by what the kernel says of it: it has the two capabilities, both
 * are mapped, groups may be dropped, and no filter stands between. Anything else is no answer: then it has to be tried.
 *
 * @see capabilities(7), user_namespaces(7), proc_pid_status(5)
 */
export function surelyBecomes(id: number, { status, uidMap, gidMap, setgroups }: ProcessRights): boolean {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  const has = (capability: bigint): boolean => ((effective >> capability) & 1n) === 1n;
  return (
    has(setGroupIds) &&
    has(setUserIds) &&
    /^Seccomp:\s*0$/m.test(status) &&
    setgroups.trim() === "allow" &&
    isMapped(id, uidMap) &&
    isMapped(id, gidMap)
  );
}

/** Lines of: the first here, the first outside, how many. */
function isMapped(id: number, map: string): boolean {
  return map.split("\n").some((line) => {
    const [first = Number.NaN, , count = 0] = line.trim().split(/\s+/).map(Number);
    return id >= first && id < first + count;
  });
}

/** What the kernel says of this process; undefined where it says nothing. */
export function ownRights(): ProcessRights | undefined {
  const read = (name: string): string => readFileSync(`/proc/self/${name}`, "utf8");
  try {
    return {
      status: read("status"),
      uidMap: read("uid_map"),
      gidMap: read("gid_map"),
      setgroups: read("setgroups"),
    };
  } catch {
    return undefined;
  }
}
