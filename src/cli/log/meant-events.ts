import { nearest } from "../../shared/index.ts";

/** What was probably meant by an event's name that is none. */
export interface MeantEvents {
  /** The one, or the family as it is asked for. Undefined: that can't be told. */
  readonly meant: string | undefined;
  /** What else it may have been. */
  readonly others: readonly string[];
}

/** Looks for it letter by letter, then part by part: in the family that it names, then in all. */
export function meantEvents(asked: string, known: readonly string[]): MeantEvents {
  const isFamily = asked.endsWith("*");
  const near = isFamily ? undefined : nearest(asked, known);
  if (near !== undefined) return { meant: near, others: [] };
  const [first = "", ...rest] = asked.split(/[.*]+/).filter((part) => part !== "");
  const family = nearest(first, [...new Set(known.map(familyOf))]);
  const alike = known.filter((name) => familyOf(name) === family);
  const wanted = rest.length > 0 ? rest : [first];
  const said = (names: readonly string[]): string[] => names.filter((name) => says(name, wanted));
  const inFamily = said(alike);
  const others = inFamily.length > 0 ? inFamily : [...said(known), ...alike];
  if (isFamily && rest.length === 0 && family !== undefined) return { meant: `${family}.*`, others: alike };
  return others.length === 1 ? { meant: others[0], others: [] } : { meant: undefined, others };
}

const familyOf = (name: string): string => name.split(".", 1)[0] ?? name;

/** Whether each part is one of the name's, or begins one, or is nearly one. */
function says(name: string, wanted: readonly string[]): boolean {
  const parts = name.split(/[.-]/);
  return wanted.every((part) => nearest(part, parts) !== undefined);
}
