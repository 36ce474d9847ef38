import { accessParts } from "../../contract/index.ts";
import type { ContractRoute } from "../../contract/index.ts";
import type { Passage } from "../answers/route-answers.ts";
import { compileTarget } from "../input/target.ts";
import type { JudgeValues } from "../input/target.ts";
import { isAmbiguous } from "../router.ts";
import { isReadable } from "./readable.ts";

/** Path and query for the upstream, of a request that their schemas refuse; undefined: it stays refused. */
export type RawTarget = (values: readonly string[], query: string, passage: Passage) => string | undefined;

/**
 * Compiles {@link RawTarget}: each of path and query as its schemas make it, or, where they refuse it, as it came. Parameters that say who may
 * call have to be as declared.
 */
export function compileRawTarget(route: ContractRoute, judge: JudgeValues | undefined): RawTarget {
  const checkPath = compileTarget({ ...route, query: undefined }, judge);
  const checkQuery = compileTarget({ ...route, params: undefined, path: "" }, undefined);
  const saysWho = accessParts(route.access).some(({ kind }) => kind === "owner" || kind === "tenant");

  function pathOf(values: readonly string[], passage: Passage): string | undefined {
    const checked = checkPath(values, "", passage);
    if (typeof checked === "string") return checked;
    if (saysWho || checked.code !== "GATEWAY_INPUT_INVALID") return undefined;
    if (values.some((value) => value === "" || isAmbiguous(value))) return undefined;
    let index = 0;
    return route.segments
      .map(
        (segment) => `/${"text" in segment ? segment.text : encodeURIComponent(values[index++] as string)}`,
      )
      .join("");
  }

  function queryOf(query: string, passage: Passage): string | undefined {
    const checked = checkQuery([], query, passage);
    if (typeof checked === "string") return checked;
    if (query === "") return "";
    return isReadable(query) ? `?${query}` : undefined;
  }

  return (values, query, passage) => {
    const path = pathOf(values, passage);
    const search = path === undefined ? undefined : queryOf(query, passage);
    return search === undefined ? undefined : `${path}${search}`;
  };
}
