import { kinds } from "./kinds.ts";
import type { AttackKind } from "./kinds.ts";
import type { Unit } from "./units.ts";

/** Options of {@link schedule}. */
export interface ScheduleOptions {
  run: (unit: Unit) => Promise<void>;
  isOver: () => boolean;
  /** Milliseconds since some moment. */
  now: () => number;
}

/** So many that read at once: what waits for a limit to let it through holds up only its own route. */
const maxReadingAtOnce = 3;
/** These spend what users may ask of a route, which its other attacks would have to wait for. */
const last: AttackKind = "limits";
/**
 * Of these what is about the site asks hardly anything of the API, or comes from clients of its own: it runs beside everything else. Egress is none of
 * them: to see what a service is sent, routes that write are called.
 */
const asideOnSite: ReadonlySet<AttackKind> = new Set(["headers", "limits", "tls"]);

/**
 * Runs units, several at once where they don't disturb each other: a route's one after another, since its limits count them all; those that
 * may write one after another too, since what one writes would be taken for another's doing: they take longest, and wait for none that reads. The kind that took the least time so far goes
 * next: of a contract that is too large for its budget, something of every kind is tried.
 */
export async function schedule(units: readonly Unit[], options: ScheduleOptions): Promise<void> {
  const aside = units.filter(isAside).map((unit) => options.run(unit));
  await Promise.all([
    ...aside,
    inTurn(
      units.filter((unit) => !isAside(unit)),
      options,
    ),
  ]);
}

const isAside = ({ kind, route }: Unit): boolean => route === undefined && asideOnSite.has(kind);

async function inTurn(units: readonly Unit[], { run, isOver, now }: ScheduleOptions): Promise<void> {
  const turns = createTurns(units);
  const running = new Map<Unit, Promise<void>>();
  const begin = (unit: Unit): void => {
    const startedAt = now();
    const job = run(unit).then(() => {
      turns.end(unit, now() - startedAt);
      running.delete(unit);
    });
    running.set(unit, job);
  };
  const mayBegin = (unit: Unit): boolean =>
    mayWrite(unit) || [...running.keys()].filter((other) => !mayWrite(other)).length < maxReadingAtOnce;
  while (!isOver()) {
    for (let unit = turns.begin(mayBegin); unit !== undefined; unit = turns.begin(mayBegin)) begin(unit);
    if (running.size === 0) return;
    await Promise.race(running.values());
  }
  await Promise.all(running.values());
}

interface Turns {
  /** Takes the next of the units that may begin and disturb none of those under way. */
  begin(mayBegin: (unit: Unit) => boolean): Unit | undefined;
  end(unit: Unit, milliseconds: number): void;
}

function createTurns(units: readonly Unit[]): Turns {
  const queues = new Map(kinds.map((kind) => [kind, units.filter((unit) => unit.kind === kind)]));
  const spent = new Map<AttackKind, number>();
  const left = new Map<string | undefined, number>();
  const busy = new Set<string>();
  for (const { kind, route } of units)
    if (kind !== last) left.set(route?.key, (left.get(route?.key) ?? 0) + 1);

  const isFree = (unit: Unit): boolean =>
    !marksOf(unit).some((mark) => busy.has(mark)) &&
    (unit.kind !== last || (left.get(unit.route?.key) ?? 0) === 0);
  return {
    begin(mayBegin) {
      for (const kind of kinds.toSorted((one, other) => (spent.get(one) ?? 0) - (spent.get(other) ?? 0))) {
        const queue = queues.get(kind) ?? [];
        const index = queue.findIndex((unit) => isFree(unit) && mayBegin(unit));
        const unit = queue[index];
        if (unit === undefined) continue;
        queue.splice(index, 1);
        for (const mark of marksOf(unit)) busy.add(mark);
        return unit;
      }
      return undefined;
    },
    end(unit, milliseconds) {
      for (const mark of marksOf(unit)) busy.delete(mark);
      spent.set(unit.kind, (spent.get(unit.kind) ?? 0) + milliseconds);
      if (unit.kind !== last) left.set(unit.route?.key, (left.get(unit.route?.key) ?? 1) - 1);
    },
  };
}

/** What is about the site may write as well. */
const mayWrite = ({ route }: Unit): boolean => route?.method !== "GET";

/** What no two units that run at once share: the route, or the site; and, of those that may write, the writing. */
function marksOf(unit: Unit): string[] {
  return [unit.route?.key ?? "the site", ...(mayWrite(unit) ? ["writing"] : [])];
}
