import { readdirSync, readFileSync, statfsSync } from "node:fs";
import { availableMemory, constrainedMemory } from "node:process";
import { totalmem } from "node:os";

/** What a build may use up as a whole, beside what each of its processes may. */
export interface BuildLimits {
  /** How long it may take, in milliseconds. Default 600 000. */
  readonly timeoutMs?: number;
  /** Memory of all its processes together, in bytes. Default: three quarters of what this machine or container has. */
  readonly memoryBytes?: number;
  /** Space that it may fill on the disk, in bytes. Default 16 GiB. */
  readonly diskBytes?: number;
}

/** A limit that a build reached. */
export interface ReachedLimit {
  /** What it did, behind "The build". */
  readonly what: string;
  /** What helps. */
  readonly hint: string;
  /** Whether what it wrote has to go, for there to be room again. */
  readonly isOfDisk?: boolean;
}

/** What is watched. */
export interface Watched {
  /** The process that the build's others come from. */
  readonly pid: number;
  /** A folder on the disk that it writes to. */
  readonly folder: string;
  readonly limits: BuildLimits;
  /** Called once. */
  readonly onReached: (limit: ReachedLimit) => void;
}

const defaultTimeoutMs = 600_000;
const defaultDiskBytes = 16 * 2 ** 30;
const intervalMs = 250;

/**
 * Watches a running build. The kernel counts memory and space by process and by user, and builds share a user with others; so the
 * whole is measured here, four times a second, and memory only when the machine has lost some.
 *
 * @returns ends the watch
 */
export function watchLimits({ pid, folder, limits, onReached }: Watched): () => void {
  const timeoutMs = limits.timeoutMs ?? defaultTimeoutMs;
  const checks = [memoryCheck(pid, limits.memoryBytes), diskCheck(folder, limits.diskBytes)];
  const end = (reached: ReachedLimit): void => {
    stop();
    onReached(reached);
  };
  const look = setInterval(() => {
    const reached = checks.map((check) => check()).find((limit) => limit !== undefined);
    if (reached !== undefined) end(reached);
  }, intervalMs);
  const timer = setTimeout(
    () =>
      end({
        what: `took longer than ${timeoutMs / 1000} s`,
        hint: `If it needs more:  --time-limit ${Math.ceil((timeoutMs * 2) / 1000)}  in seconds, or timeoutMs of the contract's site for another generator`,
      }),
    timeoutMs,
  );
  const stop = (): void => {
    clearInterval(look);
    clearTimeout(timer);
  };
  return stop;
}

type Check = () => ReachedLimit | undefined;

/** Below this part of it a machine begins to end processes by itself, and not those that are at fault. */
const memoryReserve = 1 / 32;

function memoryCheck(pid: number, limit = wholeMemory() * 0.75): Check {
  const before = availableMemory();
  const reserve = Math.min(wholeMemory() * memoryReserve, before / 2);
  return () => {
    const available = availableMemory();
    if (available < reserve)
      return {
        what: `was ended: this machine has ${megabytes(available)} of memory left`,
        hint: "Build where there is more, or let it do less at once",
      };
    // Nothing of that size is gone, so nobody has it.
    if (before - available < limit / 2 || process.platform !== "linux") return undefined;
    const used = memoryOf(pid);
    return used <= limit
      ? undefined
      : {
          what: `uses ${megabytes(used)} of memory, and may use ${megabytes(limit)}`,
          hint: "Build where there is more, or let it do less at once (fewer workers, smaller pictures)",
        };
  };
}

/** What this process's control group may use, or else what the machine has. */
function wholeMemory(): number {
  const constrained = constrainedMemory();
  return constrained > 0 && constrained < totalmem() ? constrained : totalmem();
}

/** Memory that a process and all that came from it hold alone or share without a file, in bytes. */
function memoryOf(pid: number): number {
  const parents = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const id = Number(name);
    if (!Number.isInteger(id)) continue;
    const parent = parentOf(id);
    if (parent !== undefined) parents.set(parent, [...(parents.get(parent) ?? []), id]);
  }
  let sum = 0;
  const family = [pid];
  for (const id of family) {
    sum += ownMemory(id);
    family.push(...(parents.get(id) ?? []));
  }
  return sum;
}

/** A process that ended meanwhile has nothing. */
const readProcess = (id: number, file: string): string => {
  try {
    return readFileSync(`/proc/${id}/${file}`, "utf8");
  } catch {
    return "";
  }
};

/** A process's name may hold anything, so what counts is what follows its last parenthesis. */
function parentOf(id: number): number | undefined {
  const stat = readProcess(id, "stat");
  const parent = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 2)[1];
  return parent === undefined ? undefined : Number(parent);
}

function ownMemory(id: number): number {
  const counted = readProcess(id, "status").matchAll(/^(?:RssAnon|RssShmem|VmSwap):\s+(\d+) kB$/gm);
  return Array.from(counted, ([, kilobytes]) => Number(kilobytes) * 1024).reduce(
    (sum, part) => sum + part,
    0,
  );
}

/** Room that is left for others, and for the release from before. */
const diskReserveBytes = 512 * 2 ** 20;
const files = { most: 2_000_000, reserve: 10_000 };

function diskCheck(folder: string, limit = defaultDiskBytes): Check {
  const before = space(folder);
  const reserve = Math.min(diskReserveBytes, before.bytes / 2);
  return () => {
    const now = space(folder);
    const hint = "What it wrote is removed. Make room, or look at what it writes";
    const isOfDisk = true;
    if (now.bytes < reserve)
      return { what: `was ended: the disk has ${megabytes(now.bytes)} left`, hint, isOfDisk };
    if (before.bytes - now.bytes > limit)
      return {
        what: `filled ${megabytes(before.bytes - now.bytes)}, and may fill ${megabytes(limit)}`,
        hint,
        isOfDisk,
      };
    // Some file systems don't count files.
    if (before.files === 0) return undefined;
    if (before.files - now.files > files.most || now.files < Math.min(files.reserve, before.files / 2))
      return {
        what: `made ${before.files - now.files} files, and the disk can take ${now.files} more`,
        hint,
        isOfDisk,
      };
    return undefined;
  };
}

function space(folder: string): { bytes: number; files: number } {
  const { bavail, bsize, ffree } = statfsSync(folder);
  return { bytes: bavail * bsize, files: ffree };
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MB`;
