import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { groupSocket, workerdConfig } from "../../functions/node.ts";
import { CurtainwallError } from "../../shared/index.ts";
import { openRunFolder } from "../processes/run-folder.ts";
import type { AcceptedBundle } from "./accepted-bundles.ts";
import { insideSandbox } from "./group-arguments.ts";
import type { GroupEngine } from "./group-engine.ts";
import { groupFilter } from "./group-filter.ts";
import { openProgram } from "./open-program.ts";
import { readBundle } from "./read-bundle.ts";

/** Options of {@link workerdEngine}. */
export interface WorkerdEngineOptions {
  /** By function. */
  readonly bundles: ReadonlyMap<string, AcceptedBundle>;
  /** Where egress listens for this group. Undefined: it has nothing to ask for. */
  readonly egressSocket: string | undefined;
  readonly isSandboxed: boolean;
  /** The program. Default: the one of the installed package. */
  readonly workerd?: string;
}

/** V8's cages and pools, of which next to nothing is ever touched: below some 530 MiB it does not come up. */
const reservedMb = 720;
const compileMs = 20_000;

/**
 * Prepares a group's program for workerd: reads each bundle once, holds it to its digest, and puts configuration and code into one message.
 *
 * @throws {CurtainwallError} `FUNCTIONS_BUNDLE_CHANGED`, `FUNCTIONS_ENGINE_MISSING`
 */
export function workerdEngine({
  bundles,
  egressSocket,
  isSandboxed,
  workerd = findWorkerd(),
}: WorkerdEngineOptions): GroupEngine {
  const at = isSandboxed ? insideSandbox.egress : egressSocket;
  const egress = egressSocket === undefined ? undefined : `unix:${at}`;
  const program = compile(workerd, bundles, egress);
  const files = libraries();
  return {
    program,
    filter: groupFilter("workerd"),
    reservedMb,
    view: () => ({
      files,
      renamed: [
        [openProgram(workerd), insideSandbox.workerd],
        ...(egressSocket === undefined ? [] : [[egressSocket, insideSandbox.egress] as const]),
      ],
    }),
    command: (listenerFd, isInside) => [
      isInside ? insideSandbox.workerd : openProgram(workerd),
      "serve",
      "--binary",
      "-",
      "--socket-fd",
      `${groupSocket}=${listenerFd}`,
    ],
  };
}

/** The message that `serve --binary` reads: the text is read by nothing that runs functions, and needs no file there. */
function compile(
  workerd: string,
  bundles: ReadonlyMap<string, AcceptedBundle>,
  egress: string | undefined,
): Uint8Array {
  // One that is left behind, by a process that was killed meanwhile, goes when the next one comes.
  const { path: folder, remove } = openRunFolder("workerd");
  try {
    const members = [...bundles].map(([name, { file, sha256 }], index) => {
      const inside = `${index}.js`;
      writeFileSync(join(folder, inside), readBundle(name, { file, sha256 }), { mode: 0o600 });
      return { name, file: inside };
    });
    writeFileSync(join(folder, "group.capnp"), workerdConfig({ members, egress }), { mode: 0o600 });
    const { status, stdout, stderr, error } = spawnSync(
      workerd,
      ["compile", "--config-only", "group.capnp"],
      {
        cwd: folder,
        env: {},
        maxBuffer: 2 ** 30,
        timeout: compileMs,
      },
    );
    if (status === 0) return stdout;
    throw engineMissing(error?.message ?? stderr.toString("utf8").split("\n", 1)[0] ?? "");
  } finally {
    remove();
  }
}

/** The binary itself: what npm starts instead is a program of Node that starts it. */
export function findWorkerd(): string {
  const { platform, arch } = process;
  try {
    const own = createRequire(import.meta.url).resolve("workerd/package.json");
    const name = `@cloudflare/workerd-${platform}-${arch === "x64" ? "64" : arch}`;
    const manifest = createRequire(own).resolve(`${name}/package.json`);
    const file = join(manifest, "../bin/workerd");
    if (existsSync(file)) return file;
  } catch {
    // Said below.
  }
  throw engineMissing("it is not installed");
}

function engineMissing(why: string): CurtainwallError {
  return new CurtainwallError(
    "FUNCTIONS_ENGINE_MISSING",
    `Functions run in workerd, which can't be used: ${why}.`,
    {
      hint: 'Install it:  npm install workerd   or let the function run in Node:  runner: "node"',
    },
  );
}

/** What the loader asks for: the loader itself, and all parts of the C library, since versions of workerd differ in those that they name. */
function libraries(): string[] {
  const loaders = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"];
  const folders = ["/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib64", "/usr/lib64"];
  const names = ["libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1"];
  const folder = folders.find((path) => existsSync(join(path, "libc.so.6")));
  return [...loaders, ...(folder === undefined ? [] : names.map((name) => join(folder, name)))].filter(
    (path) => existsSync(path),
  );
}
