import { readFileSync, realpathSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { failureHeader, functionHeader } from "../../functions/node.ts";
import type { NodeGroupOptions } from "../../functions/node.ts";
import type { AcceptedBundle } from "./accepted-bundles.ts";
import { groupFds, insideSandbox } from "./group-arguments.ts";
import type { GroupEngine } from "./group-engine.ts";
import { groupFilter } from "./group-filter.ts";
import { openProgram } from "./open-program.ts";
import { readBundle } from "./read-bundle.ts";

/** Options of {@link nodeEngine}. */
export interface NodeEngineOptions {
  /** By function. */
  readonly bundles: ReadonlyMap<string, AcceptedBundle>;
  /** Where egress listens for this group. Undefined: it has nothing to ask for. */
  readonly egressSocket: string | undefined;
  readonly isSandboxed: boolean;
}

/** What a start of Node reserves for code, heaps and threads. */
const reservedMb = 2048;
/** No child, no worker, no addon, no file: Node's own word on top of the sandbox's. It reaches its two sockets. */
const permissions = ["--permission", "--allow-net"];
const inside = "/node";

/**
 * Prepares a group's program for Node: for code that needs `eval` or all of Node. The sandbox, the descriptors and the wire are those of workerd; what keeps
 * functions of one group apart, and what a hole in V8 leads to, is less.
 *
 * @throws {CurtainwallError} `FUNCTIONS_BUNDLE_CHANGED`
 */
export function nodeEngine({ bundles, egressSocket, isSandboxed }: NodeEngineOptions): GroupEngine {
  const node = realpathSync(process.execPath);
  const codes = [...bundles].map(
    ([name, bundle]) => [name, Buffer.from(readBundle(name, bundle)).toString("utf8")] as const,
  );
  const options: NodeGroupOptions = {
    bundles: Object.fromEntries(codes),
    egress: isSandboxed && egressSocket !== undefined ? insideSandbox.egress : egressSocket,
    listenerFd: groupFds.listener,
    functionHeader,
    failureHeader,
  };
  const files = libraries();
  return {
    program: Buffer.from(`${runtimeText()}\nawait startGroup(${JSON.stringify(options)});\n`),
    filter: groupFilter("node"),
    reservedMb,
    view: () => ({
      files,
      renamed: [
        [openProgram(node), inside],
        ...(egressSocket === undefined ? [] : [[egressSocket, insideSandbox.egress] as const]),
      ],
    }),
    command: (_listenerFd, isInside) => [
      isInside ? inside : openProgram(node),
      "--no-addons",
      "--disable-sigusr1",
      "--disable-warning=ExperimentalWarning",
      ...permissions,
      "--input-type=module",
      "-",
    ],
  };
}

/** The text of the program that runs there. */
function runtimeText(): string {
  const isSource = import.meta.url.endsWith(".ts");
  const file = new URL(`../../functions/node/node-group.${isSource ? "ts" : "js"}`, import.meta.url);
  const text = readFileSync(file, "utf8");
  return isSource ? stripTypeScriptTypes(text) : text;
}

let known: readonly string[] | undefined;

/** What this process, which is the same program, has loaded of the machine; not what came with packages. */
function libraries(): readonly string[] {
  known ??= loadedObjects().filter(
    (path) => /^\/.*\.so(?:\.\d+)*$/.test(path) && !path.includes("/node_modules/"),
  );
  return known;
}

function loadedObjects(): readonly string[] {
  const report: typeof process.report & { excludeNetwork?: boolean } = process.report;
  const { excludeNetwork = false } = report;
  // Otherwise it looks up the names of all that this process is connected to.
  report.excludeNetwork = true;
  try {
    return (report.getReport() as { sharedObjects: readonly string[] }).sharedObjects;
  } finally {
    report.excludeNetwork = excludeNetwork;
  }
}
