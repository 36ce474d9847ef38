import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, isAbsolute, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { isAlive, replaceFolder } from "../../harden/node.ts";
import { CurtainwallError } from "../../shared/index.ts";
import { jailUser } from "../isolation.ts";
import { splitLines } from "../safe-lines.ts";
import { openGate } from "./gate.ts";
import { filterBytes, sendFilter } from "./filter/hand-over.ts";
import { howItEnded, lastLines, limitReached } from "./how-it-ended.ts";
import { gateFolder, jailArguments } from "./jail-arguments.ts";
import type { JailOptions, JailResult } from "./jail-options.ts";
import { watchLimits } from "./watch-limits.ts";
import { copyProject } from "./work-copy.ts";

/**
 * Runs a site's build in a jail: a copy of the project without its keys, no network but to what is declared, no other process, no
 * environment but what is given. Only the output folder comes back, whole or not at all.
 *
 * @throws {CurtainwallError} `STACK_JAIL_MISSING` where bubblewrap does not work; `STACK_JAIL_OPTION_INVALID`; `STACK_BUILD_FAILED`
 *   when the command fails, takes too long, or leaves no output: the folder from before stays
 */
export async function runJailed(options: JailOptions): Promise<JailResult> {
  const root = folderOf(options.root);
  assertOptions(options);
  const uid = process.getuid?.() === 0 ? jailUser(root).uid : undefined;
  if (!jailWorks(uid)) return runUnjailed(root, options);

  const work = workFolder(join(root, ".curtainwall"));
  // Unix sockets have short names: not below the project.
  const meeting = mkdtempSync(join(tmpdir(), "curtainwall-gate-"));
  const socket = join(meeting, "gate");
  const isOpen = (options.reaches ?? []).length > 0;
  const gate = isOpen
    ? await openGate({
        path: socket,
        reaches: options.reaches ?? [],
        allowPrivate: options.insecurePrivateAddresses !== undefined,
      })
    : undefined;
  try {
    const copy = join(work, "project");
    const { withheld, packages } = onDisk(() => copyProject(root, copy, options.output));
    if (uid !== undefined) giveTo(copy, uid);
    if (gate !== undefined) {
      chmodSync(meeting, 0o755);
      chmodSync(socket, 0o666);
    }
    const node = realpathSync(process.execPath);
    const view = jailArguments({
      copy,
      root,
      readOnly: [...packages, node, bridge],
      emptied: packages.filter((path) => dirname(path) === root).flatMap(makeCaches),
      gate: gate === undefined ? undefined : socket,
      environment: environmentOf(root, node, options),
      uid,
      filterFd,
    });
    const program = [node, bridge, gate === undefined ? "" : `${gateFolder}/gate`, options.command];
    await run("bwrap", [...view, ...program], options);
    onDisk(() => takeOutput(copy, root, options.output));
    return { jailed: true, withheld, refused: gate?.refused() ?? [] };
  } catch (error) {
    throw withRefusals(error, gate?.refused() ?? []);
  } finally {
    await gate?.close();
    rmSync(work, { recursive: true, force: true });
    rmSync(meeting, { recursive: true, force: true });
  }
}

const bridge = fileURLToPath(
  new URL(`./bridge.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url),
);

/**
 * Where Vite, Astro and others cache inside `node_modules`: they clear what an earlier run left, and fail where they can't. A jail shows
 * packages read-only and can add no folder to them, so the folders are made here.
 */
function makeCaches(packages: string): string[] {
  const folders = [".vite", ".astro", ".cache"].map((name) => join(packages, name));
  for (const folder of folders) {
    try {
      mkdirSync(folder, { recursive: true });
    } catch {
      // Packages that this user may not write to: the build's own error will say what it lacks.
    }
  }
  return folders.filter((folder) => existsSync(folder));
}

function assertOptions({ root, output, reaches = [], command }: JailOptions): void {
  const inside = relative(root, join(root, output));
  if (inside === "" || inside.startsWith("..") || isAbsolute(output))
    throw invalid(`the output folder ${JSON.stringify(output)} must lie inside the project`);
  if (command.trim() === "" || command.includes("\0")) throw invalid("there is no command");
  for (const origin of reaches) {
    const url = URL.parse(origin);
    if (url === null || url.protocol !== "https:" || url.origin !== origin || url.host.includes("*"))
      throw invalid(`${JSON.stringify(origin)} is not an origin like "https://api.example"`);
  }
}

const invalid = (what: string): CurtainwallError =>
  new CurtainwallError("STACK_JAIL_OPTION_INVALID", `The build can't be jailed: ${what}.`);

/** Whether a jail can be made here, as the user that a build would be. */
export function jailWorks(uid: number | undefined): boolean {
  if (process.platform !== "linux") return false;
  const view = jailArguments({
    copy: "/usr",
    root: "/srv",
    readOnly: [],
    gate: undefined,
    environment: { PATH: "/usr/bin:/bin" },
    uid,
    filterFd: 0,
  });
  const { status } = spawnSync("bwrap", [...view, "true"], {
    stdio: ["pipe", "ignore", "ignore"],
    input: filterBytes,
    timeout: 10_000,
  });
  return status === 0;
}

async function runUnjailed(root: string, options: JailOptions): Promise<JailResult> {
  if (options.insecureUnjailedBuild === undefined) {
    throw new CurtainwallError(
      "STACK_JAIL_MISSING",
      "The build can't be jailed: bubblewrap (bwrap) is not installed, or may not work here.",
      {
        hint: 'Install it (Debian: apt install bubblewrap), or accept a build that sees everything you see:  --insecure-unjailed-build "reason"',
      },
    );
  }
  await run("/bin/sh", ["-c", options.command], options, { cwd: root, env: process.env });
  assertOutput(root, options.output);
  return { jailed: false, withheld: [], refused: [] };
}

function environmentOf(
  root: string,
  node: string,
  { environment = {} }: JailOptions,
): Record<string, string> {
  return {
    LANG: "C.UTF-8",
    CI: "true",
    HOME: "/tmp",
    ...environment,
    PATH: [join(root, "node_modules", ".bin"), dirname(node), "/usr/local/bin", "/usr/bin", "/bin"].join(
      delimiter,
    ),
  };
}

/** The first descriptor behind the usual ones. */
const filterFd = 3;

/** Runs a program to its end, or ends it: with its process ids all that it started is gone. */
function run(
  file: string,
  args: readonly string[],
  options: JailOptions,
  settings: { cwd?: string; env?: NodeJS.ProcessEnv } = { env: { PATH: process.env.PATH } },
): Promise<void> {
  const { command, onLine = () => {}, signal } = options;
  const build = `The build ${JSON.stringify(command)}`;
  return new Promise((resolve, reject) => {
    // A process group of its own, so that what a build without a jail started ends too.
    const child = spawn(file, args, {
      ...settings,
      stdio: ["ignore", "pipe", "pipe", ...(file === "bwrap" ? ["pipe" as const] : [])],
      detached: true,
    });
    if (file === "bwrap") sendFilter(child, filterFd);
    const last = lastLines();
    const tell = (line: string): void => {
      last.add(line);
      onLine(line);
    };
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", splitLines(tell));
    let why: CurtainwallError | undefined;
    const end = (reason: CurtainwallError): void => {
      why ??= reason;
      killGroup(child);
    };
    const failed = (how: string): CurtainwallError =>
      new CurtainwallError("STACK_BUILD_FAILED", `${build} ${how}.`, { hint: last.hint() });
    const unwatch = watchLimits({
      pid: child.pid ?? 0,
      folder: options.root,
      limits: options,
      onReached: (limit) => end(limitReached(build, limit, last.hint())),
    });
    const abort = (): void => end(failed("was stopped"));
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted === true) abort();
    child.once("error", (cause) => {
      unwatch();
      reject(failed(`could not be started: ${cause.message}`));
    });
    child.once("close", (code, killed) => {
      unwatch();
      signal?.removeEventListener("abort", abort);
      if (why === undefined && code === 0) resolve();
      else reject(why ?? failed(howItEnded(code, killed)));
    });
  });
}

export function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It has just ended.
  }
}

const isBuilds = (code: string): boolean => code === "STACK_BUILD_FAILED" || code === "STACK_BUILD_LIMITED";

function withRefusals(error: unknown, refused: readonly string[]): unknown {
  if (refused.length === 0 || !(error instanceof CurtainwallError) || !isBuilds(error.code)) return error;
  return new CurtainwallError(error.code, error.message, {
    cause: error,
    hint: `It was not let through to ${refused.join(", ")}. If it must be, declare that:  --reaches https://…\n${error.hint ?? ""}`,
  });
}

/** Gives files to a user, links themselves and not what they lead to. */
export function giveTo(path: string, uid: number): void {
  lchownSync(path, uid, uid);
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true }))
    lchownSync(join(entry.parentPath, entry.name), uid, uid);
}

/** @throws {CurtainwallError} unless the output is a folder at its own place: a link on the way to it would lead out of the jail */
function assertOutput(root: string, output: string): void {
  const path = join(root, output);
  if (existsSync(path) && realpathSync(path) === join(realpathSync(root), output)) {
    if (statSync(path).isDirectory()) return;
  }
  throw new CurtainwallError("STACK_BUILD_FAILED", `The build left no folder ${JSON.stringify(output)}.`, {
    hint: "Name the folder that it writes; links to elsewhere don't count",
  });
}

/** Puts what the build wrote in the place of what was there. It is foreign: whoever reads it must not follow its links. */
function takeOutput(copy: string, root: string, output: string): void {
  assertOutput(copy, output);
  const from = join(copy, output);
  if (process.getuid?.() === 0) giveTo(from, 0);
  const place = join(root, output);
  mkdirSync(dirname(place), { recursive: true });
  replaceFolder(from, place);
}

function folderOf(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return realpathSync(path);
  throw invalid(`there is no folder ${JSON.stringify(path)}`);
}

/** A folder for this build's copy. Those of builds that were killed go: nobody else would remove them. */
export function workFolder(state: string): string {
  return onDisk(() => {
    mkdirSync(state, { recursive: true });
    for (const name of readdirSync(state)) {
      const pid = Number(/^jail-(\d+)-/.exec(name)?.[1] ?? process.pid);
      if (!isAlive(pid)) rmSync(join(state, name), { recursive: true, force: true });
    }
    return mkdtempSync(join(state, `jail-${process.pid}-`));
  });
}

/** A full or read-only disk, a file that went while it was copied: told as what it is. */
export function onDisk<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof CurtainwallError || code === undefined) throw error;
    throw new CurtainwallError("STACK_BUILD_FAILED", `The build's files can't be written: ${message}.`, {
      cause: error,
      hint: "The output from before is untouched. Make room, or build where you may write",
    });
  }
}
