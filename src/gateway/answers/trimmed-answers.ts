import type { EventSink } from "../../contract/index.ts";

/** Notes that fields of an answer of one route were dropped. @param id the one that the upstream was given */
export type NoteTrimmed = (id: string, fields: readonly string[]) => void;

/** All answers of a gateway that were trimmed. */
export interface TrimmedAnswers {
  of(route: string): NoteTrimmed;
  /** Tells what was counted and not told yet. */
  close(): void;
}

/** What telling of them needs. */
export interface TrimmedAnswersOptions {
  readonly events: EventSink;
  readonly now: () => number;
}

const windowMs = 60_000;
/** Sets of fields that are told apart, of one route: an upstream may make up names without end. */
const maxSets = 20;
/** Of a set's names, to tell it from others. */
const maxNamesLength = 1000;
/** All sets beyond those. No pointer is like it. */
const others = "*";

interface Told {
  atMs: number;
  /** Since then. */
  count: number;
  id: string;
  fields: readonly string[];
}

/**
 * Tells that answers were trimmed. They are answers to requests that were allowed, mostly each of a route: the first of a route and a set of fields is told
 * at once, then at most once a minute how many there were since.
 */
export function createTrimmedAnswers({ events, now }: TrimmedAnswersOptions): TrimmedAnswers {
  const routes = new Map<string, Map<string, Told>>();

  function tell(route: string, told: Told): void {
    const { id, fields, count } = told;
    told.count = 0;
    if (count > 0) events({ type: "gateway.answer.trimmed", time: now(), id, route, fields, count });
  }

  function forgetOld(route: string, sets: Map<string, Told>): void {
    for (const [names, told] of sets) {
      if (now() - told.atMs < windowMs) continue;
      sets.delete(names);
      tell(route, told);
    }
  }

  return {
    of(route) {
      const sets = new Map<string, Told>();
      routes.set(route, sets);
      return (id, fields) => {
        const names = fields.toSorted().join("\n").slice(0, maxNamesLength);
        if (!sets.has(names) && sets.size >= maxSets) forgetOld(route, sets);
        const set = sets.has(names) || sets.size < maxSets ? names : others;
        const atMs = now();
        const told = sets.get(set) ?? { atMs: Number.NEGATIVE_INFINITY, count: 0, id, fields };
        sets.set(set, told);
        told.count++;
        told.id = id;
        told.fields = fields;
        if (atMs - told.atMs < windowMs) return;
        told.atMs = atMs;
        tell(route, told);
      };
    },
    close() {
      for (const [route, sets] of routes) for (const told of sets.values()) tell(route, told);
    },
  };
}
