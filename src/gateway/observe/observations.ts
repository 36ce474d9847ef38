import type { ContractRoute, EventSink } from "../../contract/index.ts";
import type { ProblemCode } from "../answers/answers.ts";
import type { Schedule } from "../limits/pace.ts";

/** One route that is observed. */
export interface Observation {
  /** Whether it is still: from a moment on, all is enforced. */
  isOn(): boolean;
  /** Notes what would have been refused. @param fields what was wrong, never a value @param id the one that the upstream was given */
  note(code: ProblemCode, fields: readonly string[], id?: string): void;
}

/** All observed routes of a gateway. */
export interface Observations {
  /** Undefined: the route is not observed. */
  of(route: ContractRoute): Observation | undefined;
  /** Tells what was counted and not told yet. */
  close(): void;
}

/** What observing needs. */
export interface ObservationsOptions {
  readonly events: EventSink;
  readonly now: () => number;
  readonly schedule: Schedule;
}

/** Names of fields that one event has; a record's are the sender's own choice. */
const maxFields = 20;
const windowMs = 60_000;

interface Counted {
  id: string | undefined;
  count: number;
  readonly fields: Set<string>;
}

/**
 * Counts what observed routes let pass. The first of a route and a code is told at once, the others as a number a minute later: two events a
 * minute for each route and code, however much comes.
 */
export function createObservations({ events, now, schedule }: ObservationsOptions): Observations {
  const windows = new Map<string, { readonly callOff: () => void; readonly flush: () => void }>();

  function of({ key, observe }: ContractRoute): Observation | undefined {
    if (observe === undefined) return undefined;
    const { until, untilMs } = observe;
    const counted = new Map<ProblemCode, Counted>();

    function tell(code: ProblemCode, { id, count, fields }: Counted): void {
      events({
        type: "gateway.request.observed",
        time: now(),
        id,
        route: key,
        code,
        fields: [...fields],
        count,
        until,
      });
    }

    function open(code: ProblemCode): void {
      const name = `${code} ${key}`;
      const flush = (): void => {
        windows.delete(name);
        const more = counted.get(code);
        counted.delete(code);
        if (more !== undefined && more.count > 0) tell(code, more);
      };
      windows.set(name, { callOff: schedule(windowMs, flush), flush });
    }

    return {
      isOn: () => now() < untilMs,
      note(code, fields, id) {
        const known = counted.get(code);
        if (known === undefined) {
          tell(code, { id, count: 1, fields: new Set(fields.slice(0, maxFields)) });
          counted.set(code, { id: undefined, count: 0, fields: new Set() });
          return open(code);
        }
        known.id = id;
        known.count += 1;
        for (const field of fields) if (known.fields.size < maxFields) known.fields.add(field);
      },
    };
  }

  return {
    of,
    close() {
      for (const { callOff, flush } of windows.values()) {
        callOff();
        flush();
      }
    },
  };
}
