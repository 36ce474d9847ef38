import type { AuditOrder, AuditorMessage, CheckId, CheckResult } from "./auditor.ts";
import { openBakery, serviceNames } from "./bakery.ts";
import type { Bakery, Problem, ServiceName } from "./bakery.ts";
import type { Mutant } from "./mutants.ts";
import type { Program } from "./processes.ts";
import type { FindPrograms, ProgramName } from "./programs.ts";
import type { Outcome } from "./outcome.ts";
import { keepState } from "./state.ts";
import type { CleanState } from "./state.ts";
import type { Tree } from "./tree.ts";

/** Plants faults in one tree, one after the other. */
export interface Worker {
  /** Starts the clean example, and audits it. @throws {Error} when it does not start */
  prepare(): Promise<void>;
  /** Audits the clean example; `onCheck` is told of each check that is over. */
  audit(order: AuditOrder, onCheck: () => void): Promise<CheckResult[]>;
  /** Plants a fault, and says whether it was found. */
  attempt(mutant: Mutant, options: AttemptOptions): Promise<Outcome>;
  close(): Promise<void>;
}

export interface AttemptOptions {
  /** Checks that passed on the clean example: only they can find something. */
  readonly able: readonly CheckId[];
  /** What found it before, if it was found. */
  readonly first: readonly CheckId[];
  /** Ask the mutant's rows only. */
  readonly isNarrow: boolean;
  /** Go on after the first check that found it. */
  readonly isThorough: boolean;
}

export interface WorkerPlaces {
  readonly ports: readonly number[];
  readonly code: string;
}

const loadMs = 30_000;
/** All rows take a minute and a half on a busy machine. */
const auditMs = 300_000;

/** What a trial that can't be made says. */
class Invalid extends Error {}

export function openWorker(tree: Tree, find: FindPrograms, { ports, code }: WorkerPlaces): Worker {
  const logFile = `${tree.folder}.log`;
  const bakery = openBakery(tree, { ports, code, logFile });
  let clean: CleanState | undefined;
  let auditor: Program | undefined;
  let isClosed = false;

  const ask = async (order: AuditOrder, onCheck: () => void = () => undefined): Promise<Answered> => {
    if (isClosed) throw new Invalid("it was stopped");
    auditor ??= await loadAuditor(bakery);
    const answered = await askAuditor(auditor, order, onCheck);
    if (!answered.isIdle) await dropAuditor();
    return answered;
  };
  const dropAuditor = async (): Promise<void> => {
    await auditor?.end();
    auditor = undefined;
  };

  const undo = async (changed: ReadonlySet<ProgramName>, anew: readonly ServiceName[]): Promise<void> => {
    if (changed.has("audit")) await dropAuditor();
    await bakery.stopStack();
    if (anew.length > 0) await bakery.stopServices(serviceNames);
    tree.restore();
    clean?.restoreStack();
    if (anew.length === 0) return clean?.restoreRows();
    clean?.restoreServices();
    orThrow(await bakery.startServices(serviceNames));
  };

  return {
    async prepare() {
      orThrow(await bakery.startServices(serviceNames));
      orThrow(await bakery.build());
      orThrow(await bakery.giveKeys());
      // What a first start makes is part of the clean state.
      orThrow(await bakery.startStack());
      await bakery.stopStack();
      clean = keepState(bakery.state, `${tree.folder}-clean`);
    },
    async audit(order, onCheck) {
      try {
        orThrow(await bakery.startStack());
        const { results, isCut } = await ask(order, onCheck);
        if (isCut) throw new Error(`The audit of the clean example was not over after ${auditMs / 1000} s.`);
        return results;
      } finally {
        await bakery.stopStack();
        clean?.restoreStack();
        clean?.restoreRows();
      }
    },
    async attempt(mutant, options) {
      const started = performance.now();
      const seconds = (): number => Math.round((performance.now() - started) / 100) / 10;
      const changed = find(mutant.paths);
      const anew = serviceNames.filter((name) => changed.has(name));
      try {
        tree.plant(mutant);
        const problem = await openWith(bakery, changed, anew);
        if (problem !== undefined) return judgeProblem(mutant, problem, seconds());
        if (changed.has("audit")) await dropAuditor();
        const { results } = await ask({
          first: options.first,
          rows: mutant.rows,
          isNarrow: options.isNarrow,
          until: options.isThorough ? undefined : options.able,
        });
        return judgeResults(mutant, results, new Set(options.able), seconds());
      } catch (error) {
        await dropAuditor();
        return { kind: "invalid", words: (error as Error).message, seconds: seconds() };
      } finally {
        // Once it is closed, nothing is to be started again.
        if (!isClosed) await undo(changed, anew);
      }
    },
    async close() {
      isClosed = true;
      // What is being started is ended as soon as it is there; so this is asked again once nothing is under way.
      await dropAuditor();
      await bakery.close();
    },
  };
}

/** Builds and starts what the fault is in, and the stack. */
async function openWith(
  bakery: Bakery,
  changed: ReadonlySet<ProgramName>,
  anew: readonly ServiceName[],
): Promise<Problem | undefined> {
  if (anew.length > 0) {
    await bakery.stopServices(anew);
    const problem = await bakery.startServices(anew);
    if (problem !== undefined) return problem;
  }
  if (changed.has("build")) {
    const problem = await bakery.build();
    if (problem !== undefined) return problem;
  }
  if (changed.has("vault")) {
    const problem = await bakery.giveKeys();
    if (problem !== undefined) return problem;
  }
  return bakery.startStack();
}

/** A refusal counts where the mutant names it as what is to find it. */
function judgeProblem(mutant: Mutant, { code, words }: Problem, seconds: number): Outcome {
  if (code === undefined || code !== mutant.refused)
    return { kind: "invalid", words: code === undefined ? words : `${code} ${words}`, seconds };
  return { kind: "refused", by: code, words: firstLine(words), seconds };
}

function judgeResults(
  mutant: Mutant,
  results: readonly CheckResult[],
  able: ReadonlySet<CheckId>,
  seconds: number,
): Outcome {
  const failed = results.filter(({ check, state }) => state === "failed" && able.has(check));
  const [first] = failed;
  const checks = results.length;
  if (first === undefined) return { kind: "missed", checks, seconds };
  const also = failed.slice(1).map(({ check }) => check);
  return {
    kind: "caught",
    by: first.check,
    words: firstLine(first.words),
    ...(mutant.rows.some((row) => first.check.startsWith(`${row} `)) ? {} : { isElsewhere: true }),
    ...(also.length === 0 ? {} : { also }),
    checks,
    seconds,
  };
}

const firstLine = (words: string): string => (words.split("\n")[0] ?? "").slice(0, 300);

async function loadAuditor(bakery: Bakery): Promise<Program> {
  const auditor = bakery.startAuditor();
  const message = await auditor.next<AuditorMessage>(loadMs);
  if (message?.kind === "loaded") return auditor;
  await auditor.end();
  throw new Invalid("the audit itself does not load");
}

interface Answered {
  readonly results: CheckResult[];
  /** It can be asked again. */
  readonly isIdle: boolean;
  /** It took too long: these are the results until then. */
  readonly isCut: boolean;
}

async function askAuditor(auditor: Program, order: AuditOrder, onCheck: () => void): Promise<Answered> {
  const results: CheckResult[] = [];
  const deadline = Date.now() + auditMs;
  auditor.child.send(order);
  for (;;) {
    const message = await auditor.next<AuditorMessage>(Math.max(1, deadline - Date.now()));
    if (message?.kind === "check") {
      results.push(message);
      onCheck();
    } else if (message?.kind === "done") return { results, isIdle: message.isIdle, isCut: false };
    else if (message?.kind === "failed") throw new Invalid(`the audit itself failed: ${message.message}`);
    else if (message === undefined) return { results, isIdle: false, isCut: true };
  }
}

function orThrow(problem: Problem | undefined): void {
  if (problem === undefined) return;
  throw new Error(`The clean example does not start: ${problem.code ?? ""} ${problem.words}`);
}
