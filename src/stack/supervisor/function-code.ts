import type { FunctionGroup } from "../functions/function-groups.ts";
import { acceptedBundles } from "../functions/accepted-bundles.ts";
import type { AcceptedFunction } from "../functions/accepted-bundles.ts";
import type { GroupEngine } from "../functions/group-engine.ts";
import type { LoadedContract } from "../contract/load-contract.ts";

/** The code of a site's functions, as the newest release has it. */
export interface FunctionCode {
  /** Looks what the newest release has, and names the groups whose code is another than it was. */
  refresh(): Promise<string[]>;
  /** What a group is started with: prepared once, and held to what was accepted. Throws if there is no code. */
  engineOf(group: FunctionGroup): GroupEngine;
  /** A function's source map, for the log; empty if there is none. */
  mapOf(name: string): string;
}

/** Prepares a group's code. */
export type PrepareGroup = (
  group: FunctionGroup,
  bundles: ReadonlyMap<string, AcceptedFunction>,
) => GroupEngine;

/** Follows the code of a site's functions. */
export function followFunctionCode(
  loaded: Pick<LoadedContract, "contract" | "root">,
  groups: readonly FunctionGroup[],
  prepare: PrepareGroup,
): FunctionCode {
  const prepared = new Map<string, GroupEngine>();
  let accepted: ReadonlyMap<string, AcceptedFunction> = new Map();

  const digestsIn = (bundles: typeof accepted, { functions }: FunctionGroup): string =>
    functions.map(({ name }) => bundles.get(name)?.sha256 ?? "").join(" ");

  return {
    async refresh() {
      const fresh = await acceptedBundles(loaded);
      const changed = groups.filter((group) => digestsIn(fresh, group) !== digestsIn(accepted, group));
      accepted = fresh;
      for (const { name } of changed) prepared.delete(name);
      return changed.map(({ name }) => name);
    },
    mapOf: (name) => accepted.get(name)?.map ?? "",
    engineOf(group) {
      const known = prepared.get(group.name);
      if (known !== undefined) return known;
      const own = new Map(
        group.functions.flatMap(({ name }) => {
          const bundle = accepted.get(name);
          return bundle === undefined ? [] : [[name, bundle] as const];
        }),
      );
      const engine = prepare(group, own);
      prepared.set(group.name, engine);
      return engine;
    },
  };
}
