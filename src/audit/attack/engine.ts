import type { ContractRoute } from "../../contract/index.ts";
import { attempt, begin, reasonOf } from "../check.ts";
import type { Attempt, Check } from "../check.ts";
import { shellWord } from "../commands.ts";
import type { AuditContext } from "../context.ts";
import type { Exchange, ProbeResponse, Protocol } from "../probes/probe.ts";
import { createControls } from "./control.ts";
import { judge } from "./judge.ts";
import type { AttackKind } from "./kinds.ts";
import type { AttackUnit, BrokenPromise } from "./report.ts";
import { schedule } from "./schedule.ts";
import { attacksIn, isControl, narrowed } from "./units.ts";
import type { AttackCheck, Unit } from "./units.ts";

/** Told before each unit. */
export interface AttackProgress {
  kind: AttackKind;
  /** The route's key; undefined: the site. */
  route: string | undefined;
  /** Attacks that were gone through, of how many, as `--list` counts them. */
  done: number;
  of: number;
  /** Attempts that got through, until now. */
  gotThrough: number;
  /** Where they did, first things first: mostly elsewhere than what is attacked just now. */
  broken: readonly { kind: AttackKind; route: string | undefined }[];
}

/** Options of {@link runUnits}. */
export interface RunUnitsOptions {
  context: AuditContext;
  units: readonly Unit[];
  /** Rejects when everything must end, with why. */
  over: Promise<never>;
  onProgress: (progress: AttackProgress) => void;
}

/** What became of all units, and how promises were broken. */
export interface UnitResults {
  units: AttackUnit[];
  broken: BrokenPromise[];
}

const maxBroken = 500;
const maxEvidence = 3;

/**
 * Runs units, and draws from each what became of it. Checks that mostly wait, or only look, begin at once, beside everything else; and what is left of one that
 * disturbs nobody any more goes on beside what comes next.
 */
export async function runUnits({ context, units, over, onProgress }: RunUnitsOptions): Promise<UnitResults> {
  const controls = createControls(context);
  const results = new Map<Unit, AttackUnit>();
  const found = new Map<Unit, BrokenPromise[]>();
  const of = units.reduce((total, unit) => total + attacksIn(unit), 0);
  let done = 0;
  let gotThrough = 0;
  const broken: { kind: AttackKind; route: string | undefined }[] = [];
  const state: { end?: string } = {};
  over.catch((error: unknown) => void (state.end = reasonOf(error)));
  const waiting = startWaiting(units, context, over);
  /** Ends of what was begun. */
  const ending: Promise<void>[] = [];
  /** What looks once more at what others began, when all else was tried. */
  const lookAgain: (() => Promise<void>)[] = [];

  const tell = ({ kind, route }: Unit): void =>
    onProgress({ kind, route: route?.key, done, of, gotThrough, broken: [...broken] });
  const conclude = (unit: Unit, { context: own, attempts, heard, control, durationMs }: Tried): void => {
    done += attacksIn(unit);
    const judged = judge(unit, attempts, control);
    results.set(unit, { ...judged, durationMs, ...spokenIn(heard) });
    gotThrough += judged.gotThrough;
    if (judged.broken > 0) broken.push({ kind: unit.kind, route: unit.route?.key });
    for (const [made, { result }] of attempts)
      if (!isControl(made.check) && result.state === "failed") {
        const list = promisesBroken(unit, made, result, own);
        found.set(unit, [...(found.get(unit) ?? []), ...list]);
      }
  };
  const run = async (unit: Unit): Promise<void> => {
    tell(unit);
    const startedAt = context.now();
    const heard = new Set<Protocol>();
    const own = hearing(unit.route === undefined ? context : narrowed(context, unit.route), heard);
    const control = await Promise.race([controls.of(unit), over]).catch(reasonOf);
    const [last, first] = parted(unit.checks, ({ check }) => check.isLast === true);
    const begun: { made: AttackCheck; ended: Promise<Attempt> }[] = [];
    for (const made of first) {
      const ended = waiting.get(made.check) ?? (await begin(made.check, made.row, own, over)).ended;
      begun.push({ made, ended });
    }
    const end = async (): Promise<void> => {
      const attempts = await Promise.all(begun.map(async ({ made, ended }) => [made, await ended] as const));
      const tried = { context: own, heard, control, durationMs: context.now() - startedAt };
      if (last.length === 0) return conclude(unit, { ...tried, attempts });
      lookAgain.push(async () => {
        tell(unit);
        const again: (readonly [AttackCheck, Attempt])[] = [];
        for (const made of last) again.push([made, await attempt(inTime(made.check), made.row, own, over)]);
        conclude(unit, { ...tried, attempts: [...attempts, ...again] });
      });
    };
    ending.push(end());
  };
  /** Nothing begins once everything must end. */
  const inTime = (check: Check): Check => (state.end === undefined ? check : { ...check, run: () => over });

  await schedule(units, { run, isOver: () => state.end !== undefined, now: context.now });
  await Promise.all(ending);
  for (const look of lookAgain) await look();
  return {
    units: units.map((unit) => results.get(unit) ?? notReached(unit, state.end ?? "there was no time left")),
    broken: fewer(units.flatMap((unit) => found.get(unit) ?? [])),
  };
}

/** What was tried of a unit. */
interface Tried {
  context: AuditContext;
  attempts: readonly (readonly [AttackCheck, Attempt])[];
  heard: ReadonlySet<Protocol>;
  /** Why refusals show nothing, if so. */
  control: string | undefined;
  durationMs: number;
}

/** Those that something holds for, and the others. */
function parted<Item>(items: readonly Item[], holds: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(holds), items.filter((item) => !holds(item))];
}

/** A context that tells over which protocols answers came. */
function hearing(context: AuditContext, heard: Set<Protocol>): AuditContext {
  const { caller, wire } = context;
  const note = <Answer extends ProbeResponse>(answer: Answer): Answer => {
    heard.add(answer.protocol);
    return answer;
  };
  const noteIn = (exchange: Exchange): Exchange => {
    note(exchange.response);
    return exchange;
  };
  return {
    ...context,
    caller: {
      ...caller,
      call: async (...input) => noteIn(await caller.call(...input)),
      send: async (...input) => noteIn(await caller.send(...input)),
    },
    wire: {
      ...wire,
      send: async (request) => note(await wire.send(request)),
      sendRaw: async (bytes) => note(await wire.sendRaw(bytes)),
    },
  };
}

const spokenIn = (heard: ReadonlySet<Protocol>): Pick<AttackUnit, "protocols"> =>
  heard.size === 0 ? {} : { protocols: [...heard].toSorted().toReversed() };

/** As many as a report holds: of each check on each route the first, then more of what there is, in the order that they have. */
function fewer(broken: readonly BrokenPromise[]): BrokenPromise[] {
  const seen = new Map<string, number>();
  const turns = new Map(
    broken.map((found) => {
      const { kind, route, check } = found;
      const key = JSON.stringify([kind, route, check]);
      seen.set(key, (seen.get(key) ?? 0) + 1);
      return [found, seen.get(key) ?? 0];
    }),
  );
  const kept = new Set(
    broken.toSorted((one, other) => (turns.get(one) ?? 0) - (turns.get(other) ?? 0)).slice(0, maxBroken),
  );
  return broken.filter((found) => kept.has(found));
}

/** Starts the checks that mostly wait, and those that disturb nobody. */
function startWaiting(
  units: readonly Unit[],
  context: AuditContext,
  over: Promise<never>,
): Map<Check, Promise<Attempt>> {
  const slow = units
    .filter(({ route }) => route === undefined)
    .flatMap(({ checks }) =>
      checks.filter(({ check }) => check.isSlow === true || check.attack.isBeside === true),
    );
  return new Map(slow.map(({ check, row }) => [check, attempt(check, row, context, over)]));
}

function notReached(unit: Unit, reason: string): AttackUnit {
  const { kind, route } = unit;
  const attacks = attacksIn(unit);
  return {
    kind,
    ...(route === undefined ? {} : { route: route.key }),
    state: "not made",
    attacks,
    held: 0,
    broken: 0,
    notMade: attacks,
    idle: 0,
    attempts: 0,
    gotThrough: 0,
    durationMs: 0,
    reasons: [reason],
    idleBecause: [],
  };
}

function promisesBroken(
  { kind, route }: { kind: AttackKind; route: ContractRoute | undefined },
  { check, row }: AttackCheck,
  { name, evidence, failing = 0 }: Attempt["result"],
  { commands }: AuditContext,
): BrokenPromise[] {
  const again = `--kind ${kind}${route === undefined ? "" : ` --route ${shellWord(route.key)}`}`;
  return evidence.slice(0, Math.min(failing, maxEvidence)).map((seen) => ({
    kind,
    ...(route === undefined ? {} : { route: route.key }),
    promise: (seen.kind === "exchange" ? seen.promise : undefined) ?? check.attack.promise,
    check: name,
    row,
    evidence: seen,
    reproduce:
      seen.kind === "exchange" && seen.reproduce !== undefined ? seen.reproduce : commands.attack(again),
  }));
}
