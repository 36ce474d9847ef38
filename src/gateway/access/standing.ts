import { keyAccess } from "../../contract/index.ts";
import type { Access, ContractRoute } from "../../contract/index.ts";
import type { Caller } from "../types.ts";

/** Whether a caller may call a route: `if-own` says that the answer must name it, or that somebody is to be asked first. */
export type Standing = "yes" | "no" | "if-own";

/** Judges a caller by the values of the path's parameters, as far as a request tells. */
export type JudgeCaller = (caller: Caller, values: readonly string[]) => Standing;

/** @param owns whether the answer names the caller, and whoever is asked says yes */
export type Condition = (caller: Caller, values: readonly string[], owns: boolean) => boolean;

/**
 * Compiles who may call a route. There is no "not" among the conditions, so whoever is refused although the answer would be its
 * own is refused whatever the answer says, and whoever passes although it would not be passes.
 */
export function compileStanding({
  access,
  segments,
}: Pick<ContractRoute, "access" | "segments">): JudgeCaller {
  const params = segments.flatMap((segment) => ("param" in segment ? [segment.param] : []));
  const byKey = compileForKeys(access, params);
  const byToken = compileForTokens(access, params);
  return (caller, values) => (caller.keyId === undefined ? byToken : byKey)(caller, values);
}

function compileForKeys(access: Access, params: readonly string[]): JudgeCaller {
  const reachable = keyAccess(access);
  return reachable === undefined ? () => "no" : compileForTokens(reachable, params);
}

function compileForTokens(access: Access, params: readonly string[]): JudgeCaller {
  if (access.kind === "everyone" || access.kind === "signedIn") return () => "yes";
  if (access.kind === "ownerField") return () => "if-own";
  const condition = compileCondition(access, params);
  return (caller, values) => {
    if (!condition(caller, values, true)) return "no";
    return condition(caller, values, false) ? "yes" : "if-own";
  };
}

/** Compiles a condition that speaks of the caller alone. */
export function compileCallerCondition(access: Access): (caller: Caller) => boolean {
  const condition = compileCondition(access, []);
  return (caller) => condition(caller, noValues, false);
}

const noValues: readonly string[] = [];

/** Compiles a condition, as far as a request tells. @param params names of the path's parameters */
export function compileCondition(access: Access, params: readonly string[]): Condition {
  switch (access.kind) {
    case "everyone":
      return () => true;
    case "signedIn":
      return ({ keyId }) => keyId === undefined;
    case "role":
      return ({ roles }) => roles.includes(access.role);
    case "scope":
      return ({ scopes }) => scopes?.includes(access.scope) === true;
    case "owner": {
      const at = params.indexOf(access.param);
      return ({ subject }, values) => values[at] === subject;
    }
    case "tenant": {
      const at = params.indexOf(access.param);
      // Who has no tenant is not of the one that a path forgets to name.
      return ({ tenant }, values) => tenant !== undefined && values[at] === tenant;
    }
    case "ownerField":
    case "ownerLookup":
    case "check":
      return (_caller, _values, owns) => owns;
    case "allOf": {
      const all = access.of.map((part) => compileCondition(part, params));
      return (caller, values, owns) => all.every((condition) => condition(caller, values, owns));
    }
    case "anyOf": {
      const any = access.of.map((part) => compileCondition(part, params));
      return (caller, values, owns) => any.some((condition) => condition(caller, values, owns));
    }
  }
}
