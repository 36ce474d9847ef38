import { mapStack } from "../../functions/node.ts";
import type { FunctionGroup } from "../functions/function-groups.ts";
import type { FunctionCode } from "./function-code.ts";
import type { Surroundings } from "./surroundings.ts";

/** Whose line it is: the keeper and groups begin theirs with the name of a function, or of a group. */
const whose = /^([a-z][a-z0-9-]{0,39})[ :]/;

/** How the keeper tells a line of an error's stack: under the function and the id of the call that failed. */
const frame = /^[a-z][a-z0-9-]{0,39} [^ ]+: {5}at /;

/**
 * Makes lines of functions lead to their sources, in the log and nowhere else, and tells stacks from what was thrown. Of a group of several it is not
 * known whose a line is.
 */
export function mapFunctionLines<Around extends Pick<Surroundings, "log">>(
  surroundings: Around,
  groups: readonly Pick<FunctionGroup, "name" | "functions">[],
  code: () => Pick<FunctionCode, "mapOf">,
): Around {
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
      surroundings.log({
        ...entry,
        level: frame.test(entry.message) ? "trace" : entry.level,
        message: map === "" ? entry.message : mapStack(entry.message, map),
      });
    },
  };
}
