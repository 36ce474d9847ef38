import { spawnSync } from "node:child_process";
import { openSync, readFileSync, readSync, readdirSync, readlinkSync, statSync } from "node:fs";
import type { RunningStack } from "curtainwall/stack";

/** Something that was looked at. */
export interface Sight {
  readonly says: string;
  readonly isFine: boolean;
  readonly why: string;
}

/** Reads, as root, what the processes of a stack have in memory, environment and open files. Only root may; others are told so. */
export function lookAround(stack: RunningStack, key: string): Sight[] {
  if (process.getuid?.() !== 0)
    return [
      { says: "only root may look into other processes: this was not looked at", isFine: true, why: "" },
    ];
  const needle = Buffer.from(key);
  const { egress, vault: _vault, ...others } = stack.pids();
  const groups = descendants(process.pid).filter((pid) => /workerd|^\/node$/.test(commandOf(pid)));
  return [
    {
      says: `the key is in egress, which uses it (so that looking finds it)`,
      isFine: egress !== undefined && isInMemory(egress, needle),
      why: "it was not found there: this look proves nothing",
    },
    ...Object.entries(others).map(([name, pid]): Sight => without(`the ${name}`, pid, needle)),
    { says: "there is a process of functions to look at", isFine: groups.length > 0, why: "there is none" },
    ...groups.map((pid) => without(`the function's process ${pid}`, pid, needle)),
    ...groups.flatMap((pid) => asFunction(pid, Object.values(stack.pids()))),
  ];
}

function without(name: string, pid: number, needle: Buffer): Sight {
  const found = [
    isInMemory(pid, needle) ? "memory" : "",
    readFileSync(`/proc/${pid}/environ`).includes(needle) ? "environment" : "",
    readFileSync(`/proc/${pid}/cmdline`).includes(needle) ? "arguments" : "",
    filesOf(pid).some((file) => isInFile(file, needle)) ? "files" : "",
  ].filter((place) => place !== "");
  return {
    says: `the key is not in the memory, environment, arguments or files of ${name}`,
    isFine: found.length === 0,
    why: `it is in its ${found.join(", ")}`,
  };
}

/** What a process that runs as a function's user can read of the others. */
function asFunction(pid: number, others: readonly number[]): Sight[] {
  const uid = statSync(`/proc/${pid}`).uid;
  if (uid === 0 || uid === process.getuid?.()) return [];
  // A shell, which every user may run: Node may lie where only root may go.
  const code = `for pid in ${others.join(" ")}; do
    for file in mem environ maps; do ( : < /proc/$pid/$file ) 2>/dev/null && echo $pid/$file; done
    kill -0 $pid 2>/dev/null && echo signal $pid
  done; echo looked`;
  const { stdout, stderr } = spawnSync("/bin/sh", ["-c", code], {
    uid,
    gid: uid,
    encoding: "utf8",
    env: {},
    cwd: "/",
  });
  return [
    {
      says: `as the function's user ${uid}, nothing of the other domains can be read or signalled`,
      isFine: stdout.trim() === "looked",
      why:
        stdout.trim() === ""
          ? `nothing can be run as that user: ${stderr.trim().slice(0, 80)}`
          : stdout.trim(),
    },
  ];
}

/** Whether bytes stand in what a process has in memory. */
function isInMemory(pid: number, needle: Buffer): boolean {
  const memory = openSync(`/proc/${pid}/mem`, "r");
  const piece = Buffer.alloc(4 * 2 ** 20);
  for (const line of readFileSync(`/proc/${pid}/maps`, "utf8").split("\n")) {
    const [, from, to, rights] = /^([0-9a-f]+)-([0-9a-f]+) (....)/.exec(line) ?? [];
    if (from === undefined || to === undefined || !rights?.startsWith("r") || line.includes("[v")) continue;
    const end = Number.parseInt(to, 16);
    for (let at = Number.parseInt(from, 16); at < end; at += piece.length - needle.length) {
      let count = 0;
      try {
        count = readSync(memory, piece, 0, Math.min(piece.length, end - at), at);
      } catch {
        // Not in memory, or not to be read.
        break;
      }
      if (piece.subarray(0, count).includes(needle)) return true;
    }
  }
  return false;
}

/** Plain files that a process has open or mapped. */
function filesOf(pid: number): string[] {
  const open = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return [];
    }
  });
  const mapped = readFileSync(`/proc/${pid}/maps`, "utf8")
    .split("\n")
    .map((line) => line.slice(line.indexOf("/")));
  return [...new Set([...open, ...mapped])]
    .filter((path) => path.startsWith("/") && !path.startsWith("/dev/"))
    .map((path) => `/proc/${pid}/root${path}`);
}

function isInFile(path: string, needle: Buffer): boolean {
  try {
    return statSync(path).isFile() && readFileSync(path).includes(needle);
  } catch {
    return false;
  }
}

const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0] ?? "";
  } catch {
    return "";
  }
};

function descendants(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`)
    .flatMap((task) => {
      try {
        return readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim().split(" ");
      } catch {
        return [];
      }
    })
    .filter((text) => text !== "")
    .map(Number);
  return [...children, ...children.flatMap(descendants)];
}
