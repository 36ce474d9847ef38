import type { ContractVisibility } from "../../contract/index.ts";
import type { Caller } from "../types.ts";
import { compileCallerCondition } from "./standing.ts";
import { valueAt } from "./value-at.ts";

/** What of an answer is there for a caller. */
export type VisiblePart =
  | { readonly kind: "all" }
  /** It is an object that is not there, or nothing in which objects could be found. */
  | { readonly kind: "none" }
  /** A copy with a shorter list. */
  | { readonly kind: "some"; readonly value: unknown };

/** Tells what of an upstream's answer is there for a caller; undefined: for somebody who is not signed in. */
export type SeeAnswer = (value: unknown, caller: Caller | undefined) => VisiblePart;

const all: VisiblePart = { kind: "all" };
const none: VisiblePart = { kind: "none" };

/** Compiles {@link SeeAnswer}. */
export function compileVisibility(visible: ContractVisibility): SeeAnswer {
  const { field, is, unless, in: listPath } = visible;
  const seesAll = unless === undefined ? undefined : compileCallerCondition(unless);
  // To the letter: no text is a number here, and a list of values is none of them.
  const isThere = (entry: unknown): boolean => is.has(valueAt(entry, field) as string);

  function seeList(list: readonly unknown[], wrap: (kept: readonly unknown[]) => unknown): VisiblePart {
    const kept = list.filter(isThere);
    return kept.length === list.length ? all : { kind: "some", value: wrap(kept) };
  }

  return (value, caller) => {
    if (caller !== undefined && seesAll?.(caller)) return all;
    if (listPath === undefined) {
      if (Array.isArray(value)) return seeList(value, (kept) => kept);
      return isThere(value) ? all : none;
    }
    const list = valueAt(value, listPath);
    return Array.isArray(list) ? seeList(list, (kept) => replaceAt(value, listPath, kept)) : none;
  };
}

/** A copy of an object in which one field, which is there, has another value. */
function replaceAt(value: unknown, [step, ...rest]: readonly string[], replacement: unknown): unknown {
  if (step === undefined) return replacement;
  const members = value as Record<string, unknown>;
  return { ...members, [step]: replaceAt(members[step], rest, replacement) };
}
