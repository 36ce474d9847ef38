import { spawn } from "node:child_process";
import { hash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, readlinkSync } from "node:fs";
import type { ProcessSearch, SearchedProcess } from "../../audit/index.ts";
import { fingerprintsOf } from "../../harden/fingerprints.ts";
import type { ValueFingerprints } from "../../harden/fingerprints.ts";
import { searchFingerprints } from "../../harden/index.ts";
import { Secret } from "../../shared/index.ts";
import { isGroupUser } from "../isolation/isolation.ts";
import { processTree } from "./process-tree.ts";
import type { ProcessEntry } from "./process-tree.ts";
import { readMemory } from "./read-memory.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => hash("sha256", bytes, "buffer");

/** Looks for the vault's values, by their fingerprints, in all processes of a running stack; and first for a planted one in one of its own. */
export async function searchProcesses(
  supervisor: number,
  fingerprints: ValueFingerprints,
): Promise<ProcessSearch> {
  const processes: SearchedProcess[] = [];
  const unread: string[] = [];
  for (const { pid, domain } of processesOf(supervisor)) {
    try {
      processes.push({ ...search(pid, fingerprints), domain, isGroup: domain === "group" });
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "unknown";
      // It has ended since: a group may, any time.
      if (code === "ENOENT" || code === "ESRCH") continue;
      unread.push(
        `process ${pid} (${domain}) may not be looked into (${code}): audit as root, or as its user`,
      );
    }
  }
  return {
    searched: [...new Set(fingerprints.prints.map(({ name }) => name))],
    unsearched: fingerprints.notSearched.map(({ name, reason }) => ({ name, reason })),
    foundPlanted: await findsPlanted(),
    processes,
    unread,
  };
}

/** The processes of a running stack, and which domain each is. */
export function processesOf(supervisor: number): { pid: number; domain: string }[] {
  const tree = new Map(processTree(supervisor).map((entry) => [entry.pid, entry]));
  return [...tree.values()].flatMap((entry) => {
    const domain = domainOf(entry, tree, supervisor);
    return domain === undefined ? [] : [{ pid: entry.pid, domain }];
  });
}

type Searched = Omit<SearchedProcess, "domain" | "isGroup">;

function search(pid: number, fingerprints: ValueFingerprints): Searched {
  const { scan, longest } = searchFingerprints(fingerprints, sha256);
  const namesIn = (...parts: readonly Uint8Array[]): Set<string> => {
    const names = new Set<string>();
    for (const part of parts)
      scan(part, ({ message }) => names.add(message.slice(message.lastIndexOf(" ") + 1)));
    return names;
  };
  const environment = readFileSync(`/proc/${pid}/environ`);
  const inEnvironment = namesIn(environment, readFileSync(`/proc/${pid}/cmdline`));
  const inMemory = new Set<string>();
  const memoryBytes = readMemory(pid, longest, (piece) => {
    for (const name of namesIn(piece)) inMemory.add(name);
  });
  return {
    pid,
    environmentBytes: environment.length,
    inEnvironment: [...inEnvironment],
    memoryBytes,
    inMemory: [...inMemory],
  };
}

/**
 * What runs in a process, by how it was started. Undefined: a sandbox's helper, which runs nothing of its own, or something that whoever runs the
 * stack started beside it, as the bakery does with its shop.
 */
function domainOf(
  entry: ProcessEntry,
  tree: ReadonlyMap<number, ProcessEntry>,
  supervisor: number,
): string | undefined {
  if (entry.pid === supervisor) return "supervisor";
  if (isHelper(entry.pid)) return undefined;
  const place = placeOf(entry.pid);
  // Whoever can write its own arguments may call itself what it likes, so that where it runs comes first.
  if (isGroupUser(place.uid)) return "group";
  const domain = domainIn(place.isSandboxed ? starterOf(entry, tree) : entry);
  if (domain !== undefined) return domain;
  return place.isSandboxed || entry.command.some((part) => groupProgram.test(part)) ? "group" : undefined;
}

const groupProgram = /(?:\/workerd|\/node-group\.[jt]s)$/;

const domainIn = ({ command }: ProcessEntry): string | undefined =>
  command.map((part) => /\/domains\/([a-z-]+)\.[jt]s$/.exec(part)?.[1]).find((name) => name !== undefined);

/** The first of a process's ancestors that is in no sandbox: what made the sandbox, and says in its arguments for whom. */
function starterOf(entry: ProcessEntry, tree: ReadonlyMap<number, ProcessEntry>): ProcessEntry {
  const parent = tree.get(entry.parent);
  if (parent === undefined) return entry;
  return placeOf(parent.pid).isSandboxed ? starterOf(parent, tree) : parent;
}

/** By the file that it runs: its arguments are its own to write. */
function isHelper(pid: number): boolean {
  try {
    return /\/(?:bwrap|prlimit)$/.test(readlinkSync(`/proc/${pid}/exe`));
  } catch {
    return false;
  }
}

/** Who a process is, and whether it has process numbers of its own, as the kernel says. */
function placeOf(pid: number): { uid: number; isSandboxed: boolean } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const numbers = /^NSpid:(.*)$/m.exec(status)?.[1]?.trim().split(/\s+/) ?? [];
    return { uid: Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]), isSandboxed: numbers.length > 1 };
  } catch {
    // It may not be looked into: that is told.
    return { uid: Number.NaN, isSandboxed: true };
  }
}

/** A search that finds nothing says nothing unless it finds what is there. */
async function findsPlanted(): Promise<boolean> {
  const planted = randomBytes(24).toString("base64url");
  const fingerprints = fingerprintsOf([{ name: "PLANTED", version: "1", value: new Secret(planted) }], {
    salt: randomBytes(16),
    sha256,
  });
  const child = spawn(
    process.execPath,
    ["-e", "process.stdin.once('data', (text) => { globalThis.held = String(text); console.log('ready'); })"],
    {
      env: { PLANTED: planted },
      stdio: ["pipe", "pipe", "ignore"],
    },
  );
  try {
    child.stdin.write(planted);
    await once(child.stdout, "data");
    const { inEnvironment, inMemory } = search(child.pid ?? 0, fingerprints);
    return inEnvironment.length === 1 && inMemory.length === 1;
  } catch {
    return false;
  } finally {
    child.kill("SIGKILL");
  }
}
