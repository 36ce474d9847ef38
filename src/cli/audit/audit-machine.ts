import { availableParallelism } from "node:os";
import type { MachineProbe, Missing } from "../../audit/index.ts";
import {
  connectionsPerAddress,
  environmentOf,
  findRunningStacks,
  listProcesses,
  sealedNonces,
  stackFolders,
  storeFile,
} from "../../stack/index.ts";
import type { FoundStack, LoadedContract } from "../../stack/index.ts";

/** What an audit on the stack's own machine can see of its processes, and of its vault's file. */
export function machineOf({ contract, root }: Pick<LoadedContract, "contract" | "root">): MachineProbe {
  return {
    connectionsPerAddress: () =>
      "missing" in runningStack(root)
        ? undefined
        : connectionsPerAddress(contract.edge.threads ?? availableParallelism()),
    processes: () => {
      const stack = runningStack(root);
      return "missing" in stack ? stack : listProcesses(stack.pid);
    },
    sealedNonces: () => {
      try {
        return sealedNonces(storeFile(stackFolders(root), environmentOf(contract)));
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? "unknown";
        return { missing: `the vault's file can't be read (${code}): audit as root, or as the vault's user` };
      }
    },
  };
}

/** The stack of this site that was started last. */
export function runningStack(root: string): FoundStack | Missing {
  return (
    findRunningStacks(root).at(-1) ?? {
      missing:
        "no stack of this site runs on this machine, or its sockets lie where this user can't see them",
    }
  );
}
