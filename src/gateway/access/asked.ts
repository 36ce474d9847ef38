import type { Access, NamedCheck, OwnerLookup } from "../../contract/index.ts";
import type { Caller } from "../types.ts";
import { compileCondition } from "./standing.ts";

/** A condition that somebody has to be asked about. */
export type Asked = OwnerLookup | NamedCheck;

/** What asking costs: the site's own code, the same once the body was read, a request to an upstream. */
const costOf = (asked: Asked): number => (asked.kind === "ownerLookup" ? 3 : asked.body ? 2 : 1);

/** The most that may be asked while the body was not read. */
export const costBeforeBody = 1;
/** Whatever is asked costs no more. */
export const costOfAll = 3;

/** The conditions of an access that somebody has to be asked about, each once. */
export function askedIn(access: Access): Asked[] {
  const found: Asked[] = [];
  const add = (part: Access): void => {
    if (part.kind === "allOf" || part.kind === "anyOf") part.of.forEach(add);
    else if ((part.kind === "ownerLookup" || part.kind === "check") && placeOf(found, part) < 0)
      found.push(part);
  };
  add(access);
  return found;
}

/** Where a condition, or one that is the same, stands among others. */
export const placeOf = (list: readonly Asked[], part: Asked): number =>
  list.findIndex((other) => isSame(other, part));

function isSame(one: Asked, other: Asked): boolean {
  if (one.kind === "check")
    return other.kind === "check" && other.test === one.test && other.name === one.name;
  return (
    other.kind === "ownerLookup" &&
    other.get === one.get &&
    other.field === one.field &&
    other.from === one.from &&
    other.ifMatch === one.ifMatch
  );
}

/**
 * What is known of an access: `own`, that the answer must name the caller; `later`, that it can't be told yet; a number, whom to ask next, by the
 * place in the list.
 */
export type Decision = "yes" | "no" | "own" | "later" | number;

/** What a decision goes by. */
export interface KnownFacts {
  readonly caller: Caller;
  /** Values of the path's parameters. */
  readonly values: readonly string[];
  /** What those answered that were asked, by their place. */
  readonly answers: readonly (boolean | undefined)[];
  /** The most that may be asked now. */
  readonly mostCost: number;
}

type Decide = (known: KnownFacts) => Decision;

/**
 * Compiles a decision in three values, so that nobody is asked whose answer would change nothing: what is known decides first, then the
 * cheapest is asked. @param params names of the path's parameters
 */
export function compileDecision(access: Access, params: readonly string[], list: readonly Asked[]): Decide {
  return compileNode(access, params, list).decide;
}

interface Node {
  readonly cost: number;
  readonly decide: Decide;
}

function compileNode(access: Access, params: readonly string[], list: readonly Asked[]): Node {
  switch (access.kind) {
    case "allOf":
    case "anyOf": {
      const nodes = access.of
        .map((part) => compileNode(part, params, list))
        .sort((left, right) => left.cost - right.cost);
      return { cost: Math.max(...nodes.map(({ cost }) => cost)), decide: combine(nodes, access.kind) };
    }
    case "ownerLookup":
    case "check": {
      const place = placeOf(list, access);
      const cost = costOf(access);
      const decide: Decide = ({ answers, mostCost }) => {
        const answer = answers[place];
        if (answer !== undefined) return answer ? "yes" : "no";
        return cost <= mostCost ? place : "later";
      };
      return { cost, decide };
    }
    case "ownerField":
      return { cost: 0, decide: () => "own" };
    default: {
      const condition = compileCondition(access, params);
      return { cost: 0, decide: ({ caller, values }) => (condition(caller, values, false) ? "yes" : "no") };
    }
  }
}

function combine(nodes: readonly Node[], kind: "allOf" | "anyOf"): Decide {
  const [neutral, decisive] = kind === "allOf" ? (["yes", "no"] as const) : (["no", "yes"] as const);
  return (known) => {
    let found: Decision = neutral;
    for (const { decide } of nodes) {
      const decision = decide(known);
      if (decision === decisive) return decisive;
      if (rank(decision) > rank(found)) found = decision;
    }
    return found;
  };
}

function rank(decision: Decision): number {
  if (typeof decision === "number") return 3;
  return decision === "later" ? 2 : decision === "own" ? 1 : 0;
}
