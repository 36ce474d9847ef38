import { z } from "zod";
import type { ContractRoute, Schema } from "../../contract/index.ts";
import { formatPairs } from "../../shared/index.ts";
import { compilePairs, textOf } from "./texts.ts";
import { refuseInput, refuseIssues } from "../answers/refusal.ts";
import type { Refusal } from "../answers/refusal.ts";
import type { Passage } from "../answers/route-answers.ts";
import { isAmbiguous } from "../router.ts";

/**
 * Checks a path's parameters and the query, and writes path and query for the upstream anew from what the schemas made of
 * them.
 *
 * @param values the path's parameters, decoded, in its order
 * @param query as it came, without "?"
 * @param passage whose they are, for a route whose parameters say who may call it
 */
export type CheckTarget = (values: readonly string[], query: string, passage: Passage) => string | Refusal;

/** Refuses a request for the values of a path's parameters, if it has to. @param checked what their schemas made of them */
export type JudgeValues = (
  passage: Passage,
  texts: readonly string[],
  checked: object,
) => Refusal | undefined;

/** Takes what the query's schema made of it. */
export type NoteQuery = (passage: Passage, checked: object) => void;

/**
 * Compiles {@link CheckTarget} for a route.
 *
 * @param judge asked about the parameters as the upstream will be given them
 */
export function compileTarget(
  route: ContractRoute,
  judge: JudgeValues | undefined,
  noteQuery?: NoteQuery,
): CheckTarget {
  const { params, query: querySchema, path: fixedPath } = route;
  // A function is given values, not texts.
  const keepsQuery = route.to.startsWith("fn:");
  const takeQuery: NoteQuery | undefined = keepsQuery
    ? (passage, checked) => {
        passage.query = checked;
        noteQuery?.(passage, checked);
      }
    : noteQuery;
  const checkQuery = querySchema === undefined ? undefined : compileQuery(querySchema, takeQuery);
  const checkParams = params === undefined ? undefined : compileParams(route, params, judge);
  return (values, query, passage) => {
    const path = checkParams === undefined ? fixedPath : checkParams(values, passage);
    if (typeof path !== "string" || (query === "" && checkQuery === undefined)) return path;
    const search = checkQuery === undefined ? noQuery : checkQuery(query, passage);
    return typeof search === "string" ? path + search : search;
  };
}

function compileParams(
  route: ContractRoute,
  schema: Schema,
  judge: JudgeValues | undefined,
): (values: readonly string[], passage: Passage) => string | Refusal {
  const names = paramNamesOf(route.segments);
  const keepsParams = route.to.startsWith("fn:");
  return (values, passage) => {
    const named: Record<string, string> = {};
    for (let index = 0; index < names.length; index++)
      named[names[index] as string] = values[index] as string;
    const checked = z.core.safeParse(schema, named);
    if (!checked.success) return refuseIssues("params", checked.error.issues);
    if (keepsParams) passage.params = checked.data as object;
    const texts = names.map((name, index) =>
      textOf((checked.data as Record<string, unknown>)[name], values[index] as string),
    );
    const bad = texts.findIndex((text) => text === "" || isAmbiguous(text));
    if (bad >= 0) return refuseInput(`params/${names[bad]}`, "It can't stand in a path");
    // A schema may have changed the text: what counts is whose data the upstream will be asked for.
    return judge?.(passage, texts, checked.data as object) ?? buildPath(route.segments, texts);
  };
}

const noQuery = refuseInput("query", "No key is accepted here");

function compileQuery(
  schema: Schema,
  note: NoteQuery | undefined,
): (query: string, passage: Passage) => string | Refusal {
  const check = compilePairs(schema, "query");
  return (query, passage) => {
    const checked = check(query);
    if (checked.refusal !== undefined) return checked.refusal;
    note?.(passage, checked.data);
    const search = formatPairs(checked.texts);
    return search === "" ? "" : `?${search}`;
  };
}

function paramNamesOf(segments: ContractRoute["segments"]): string[] {
  return segments.flatMap((segment) => ("param" in segment ? [segment.param] : []));
}

/** The route's own text, and each parameter encoded once. */
function buildPath(segments: ContractRoute["segments"], texts: readonly string[]): string {
  let path = "";
  let index = 0;
  for (const segment of segments)
    path += `/${"text" in segment ? segment.text : encodeURIComponent(texts[index++] as string)}`;
  return path;
}
