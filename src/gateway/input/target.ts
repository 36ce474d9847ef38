import { z } from "zod";
import { describeAccess } from "../../contract/index.ts";
import type { ContractRoute, Schema } from "../../contract/index.ts";
import { formatQuery, parseQuery } from "./query.ts";
import { refuseInput, refuseIssues } from "../answers/refusal.ts";
import type { Refusal } from "../answers/refusal.ts";
import { isAmbiguous } from "../router.ts";

/**
 * Checks a path's parameters and the query, and writes path and query for the upstream anew from what the schemas made of
 * them.
 *
 * @param values the path's parameters, decoded, in its order
 * @param query as it came, without "?"
 * @param subject who calls, for a route that only the owner of a parameter may call
 */
export type CheckTarget = (
  values: readonly string[],
  query: string,
  subject: string | undefined,
) => string | Refusal;

/** Compiles {@link CheckTarget} for a route. */
export function compileTarget(route: ContractRoute): CheckTarget {
  const { params, query: querySchema, path: fixedPath } = route;
  const checkParams = params === undefined ? undefined : compileParams(route, params);
  return (values, query, subject) => {
    const path = checkParams === undefined ? fixedPath : checkParams(values, subject);
    if (typeof path !== "string" || (query === "" && querySchema === undefined)) return path;
    const search = checkQuery(querySchema, query);
    return typeof search === "string" ? path + search : search;
  };
}

/** Where in a path the parameter stands whose owner alone may call the route; -1 if there is none. */
export function ownerIndexOf({ access, segments }: ContractRoute): number {
  return access.kind === "owner" ? paramNamesOf(segments).indexOf(access.param) : -1;
}

function compileParams(
  route: ContractRoute,
  schema: Schema,
): (values: readonly string[], subject: string | undefined) => string | Refusal {
  const names = paramNamesOf(route.segments);
  const ownerIndex = ownerIndexOf(route);
  return (values, subject) => {
    const named: Record<string, string> = {};
    for (let index = 0; index < names.length; index++)
      named[names[index] as string] = values[index] as string;
    const checked = z.core.safeParse(schema, named);
    if (!checked.success) return refuseIssues("params", checked.error.issues);
    const texts = names.map((name, index) =>
      textOf((checked.data as Record<string, unknown>)[name], values[index] as string),
    );
    const bad = texts.findIndex((text) => text === "" || isAmbiguous(text));
    if (bad >= 0) return refuseInput(`params/${names[bad]}`, "It can't stand in a path");
    // A schema may have changed the text: what counts is whose data the upstream will be asked for.
    if (ownerIndex >= 0 && texts[ownerIndex] !== subject)
      return { code: "GATEWAY_ACCESS_REFUSED", reason: `not ${describeAccess(route.access)}` };
    return buildPath(route.segments, texts);
  };
}

function checkQuery(schema: Schema | undefined, query: string): string | Refusal {
  const given = parseQuery(query);
  if (given === undefined) return refuseInput("query", "It can't be read, or names a key twice");
  if (schema === undefined) return refuseInput("query", "No key is accepted here");
  const checked = z.core.safeParse(schema, { ...given });
  if (!checked.success) return refuseIssues("query", checked.error.issues);
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(checked.data as object))
    if (value !== undefined) texts[name] = textOf(value, given[name] ?? "");
  return formatQuery(texts);
}

function paramNamesOf(segments: ContractRoute["segments"]): string[] {
  return segments.flatMap((segment) => ("param" in segment ? [segment.param] : []));
}

/** A checked value as the text that travels. What a schema made a list or an object of travels as it came. */
function textOf(value: unknown, given: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint")
    return String(value);
  return value instanceof Date ? value.toISOString() : given;
}

/** The route's own text, and each parameter encoded once. */
function buildPath(segments: ContractRoute["segments"], texts: readonly string[]): string {
  let path = "";
  let index = 0;
  for (const segment of segments)
    path += `/${"text" in segment ? segment.text : encodeURIComponent(texts[index++] as string)}`;
  return path;
}
