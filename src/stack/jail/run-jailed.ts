import { spawn } from "node:child_process";
import { existsSync, lchownSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, isAbsolute, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { isAlive, replaceFolder } from "../../harden/node.ts";
import { CurtainwallError } from "../../shared/index.ts";
import { jailUser } from "../isolation/isolation.ts";
import { assertPlainTree, removeTree } from "./clear-tree.ts";
import { openGate } from "./gate.ts";
import { gateFolder } from "./jail-arguments.ts";
import type { JailOptions, JailResult } from "./jail-options.ts";
import { runToEnd } from "./run-to-end.ts";
import { jailWorks, startJail } from "./start-jail.ts";
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
    // Its folder is closed to all others of the machine: the gate can't tell who asks.
    if (gate !== undefined && uid !== undefined) giveTo(meeting, uid);
    const node = realpathSync(process.execPath);
    const view = {
      copy,
      root,
      readOnly: [...packages, node, bridge],
      emptied: packages.filter((path) => dirname(path) === root).flatMap(makeCaches),
      gate: gate === undefined ? undefined : socket,
      environment: environmentOf(root, node, options),
      uid,
    };
    const program = [node, bridge, gate === undefined ? "" : `${gateFolder}/gate`, options.command];
    const { child, empty } = startJail(view, program);
    // What is still at work could change what is read.
    await runToEnd(child, options).finally(empty);
    onDisk(() => takeOutput(copy, root, options.output));
    return { jailed: true, withheld, refused: gate?.refused() ?? [] };
  } catch (error) {
    throw withRefusals(error, gate?.refused() ?? []);
  } finally {
    await gate?.close();
    removeTree(work);
    removeTree(meeting);
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
  const shell = spawn("/bin/sh", ["-c", options.command], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own, so that what it started ends too.
    detached: true,
  });
  await runToEnd(shell, options);
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
  assertPlainTree(from);
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
      if (!isAlive(pid)) removeTree(join(state, name));
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
