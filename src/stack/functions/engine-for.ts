import type { ContractFunction } from "../../contract/index.ts";
import { bwrapWorks } from "../isolation/isolation.ts";
import type { AcceptedBundle } from "./accepted-bundles.ts";
import type { GroupEngine } from "./group-engine.ts";
import { nodeEngine } from "./node-engine.ts";
import { workerdEngine } from "./workerd-engine.ts";

/** Prepares what runs these functions, with no way out. */
export function engineFor(
  runner: ContractFunction["runner"],
  bundles: ReadonlyMap<string, AcceptedBundle>,
): GroupEngine {
  const options = { bundles, egressSocket: undefined, isSandboxed: canSandbox() };
  return runner === "node" ? nodeEngine(options) : workerdEngine(options);
}

let answer: boolean | undefined;

/** Whether functions can be started in a sandbox here. It takes a process to find out, and stays so. */
export const canSandbox = (): boolean => (answer ??= bwrapWorks());
