import { mapStack } from "../../functions/node.ts";
import type { FunctionGroup } from "../functions/function-groups.ts";
import type { FunctionCode } from "./function-code.ts";
import type { Surroundings } from "./surroundings.ts";

/** Whose line it is: the keeper and groups begin theirs with the name of a function, or of a group. */
const whose = /^([a-z][a-z0-9-]{0,39})[ :]/;

/** Makes lines of functions lead to their sources, in the log and nowhere else. Of a group of several it is not known whose a line is. */
export function mapFunctionLines(
  surroundings: Surroundings,
  groups: readonly FunctionGroup[],
  code: () => Pick<FunctionCode, "mapOf">,
): Surroundings {
  const alone = new Map(
    groups.flatMap(({ name, functions: [only, ...others] }) =>
      only === undefined || others.length > 0 ? [] : [[name, only.name] as const],
    ),
  );
  return {
    ...surroundings,
    log(entry) {
      const name = whose.exec(entry.message)?.[1] ?? "";
      const map = entry.message.includes("function.js:")
        ? code().mapOf(name) || code().mapOf(alone.get(name) ?? "")
        : "";
      surroundings.log(map === "" ? entry : { ...entry, message: mapStack(entry.message, map) });
    },
  };
}
