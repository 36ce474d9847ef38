import { describeAccess, keyAccess, nameCondition } from "../../contract/index.ts";
import type { Access, ContractRoute } from "../../contract/index.ts";
import type { Caller } from "../types.ts";
import { askedIn, placeOf } from "./asked.ts";
import { compileCondition } from "./standing.ts";

/** Says for the log why a caller may not call a route. @param answers what those said who were asked, by their place in {@link askedIn} */
export type TellRefusal = (
  caller: Caller | undefined,
  values: readonly string[],
  answers?: readonly (boolean | undefined)[],
) => string;

/**
 * Compiles {@link TellRefusal}: of several conditions, which ones hold: `allOf(scope orders:read ✓, tenant org ✗)`. All of it is done when
 * somebody is refused.
 */
export function compileTellRefusal({
  access,
  segments,
}: Pick<ContractRoute, "access" | "segments">): TellRefusal {
  const params = segments.flatMap((segment) => ("param" in segment ? [segment.param] : []));
  const asked = askedIn(access);
  const plain = `not ${describeAccess(access)}`;

  return (caller, values, answers = []) => {
    const mark = (part: Exclude<Access, { kind: "allOf" | "anyOf" }>): string => {
      if (part.kind === "ownerField") return "?";
      const isAsked = part.kind === "ownerLookup" || part.kind === "check";
      const holds = isAsked
        ? answers[placeOf(asked, part)]
        : caller !== undefined && compileCondition(part, params)(caller, values, false);
      return holds === undefined ? "?" : holds ? "✓" : "✗";
    };
    const tell = (part: Access): string =>
      part.kind === "allOf" || part.kind === "anyOf"
        ? `${part.kind}(${part.of.map(tell).join(", ")})`
        : `${nameCondition(part)} ${mark(part)}`;
    if (caller?.keyId !== undefined) {
      const reachable = keyAccess(access);
      return reachable === undefined ? "no API key opens this" : `by API key: ${tell(reachable)}`;
    }
    return access.kind === "allOf" || access.kind === "anyOf" ? tell(access) : plain;
  };
}
