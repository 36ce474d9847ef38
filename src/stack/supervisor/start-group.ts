import { launchGroup } from "../functions/launch-group.ts";
import { nodeEngine } from "../functions/node-engine.ts";
import { workerdEngine } from "../functions/workerd-engine.ts";
import { groupUser } from "../isolation/isolation.ts";
import { egressSocketOf, groupSocketOf } from "./domain-sockets.ts";
import type { OpenSockets } from "./domain-sockets.ts";
import type { FunctionCode, PrepareGroup } from "./function-code.ts";
import type { StartGroup } from "./serve-groups.ts";
import type { Surroundings } from "./surroundings.ts";

/** Prepares groups of this site, each with its own way to egress. */
export function prepareGroupOf(
  { sandboxesFunctions: isSandboxed }: Surroundings,
  sockets: () => OpenSockets,
): PrepareGroup {
  return ({ name, runner }, bundles) => {
    const options = { bundles, egressSocket: sockets().held.path(egressSocketOf(name)), isSandboxed };
    return runner === "node" ? nodeEngine(options) : workerdEngine(options);
  };
}

/** Starts groups of this site, each as its own user, or in its own sandbox, or both. */
export function startGroupOf(
  { loaded, isolation, sandboxesFunctions: isSandboxed, log }: Surroundings,
  sockets: () => OpenSockets,
  code: FunctionCode,
): StartGroup {
  return (group) =>
    launchGroup({
      engine: code.engineOf(group),
      user: isolation === "uid" ? groupUser(group.index, loaded.root) : undefined,
      isSandboxed,
      listenerFd: sockets().held.fd(groupSocketOf(group.name)),
      memoryMb: group.memoryMb,
      onLine: (line) => log({ from: "functions", level: "error", message: `${group.name}: ${line}` }),
    });
}
