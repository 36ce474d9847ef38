import { counted } from "../../shared/index.ts";
import { explainEnd, explainUnit } from "../attack/explain.ts";
import type { AttackKind } from "../attack/kinds.ts";
import type { AttackReport } from "../attack/report.ts";
import { unitName } from "../attack/units.ts";
import { printable } from "../evidence.ts";
import { failed } from "./attack-command.ts";
import { createAttackReports } from "./attack-reports.ts";

/** Options of {@link openAttack}. */
export interface OpenAttackOptions {
  /** The project's folder. */
  folder: URL;
  /** The command that wrote the test file, to be told when it has to be run again. */
  madeBy: string;
  /** Kinds and routes that the file is about. Default: all. */
  kinds?: readonly AttackKind[];
  routes?: readonly string[];
  /** Default: the process's own. */
  environment?: Readonly<NodeJS.ProcessEnv>;
}

/** The attack that the tests of a file are about. */
export interface OpenAttack {
  /** More than it takes with the longest budget, in milliseconds: of the test that makes it, since what other tests are given is too short. */
  readonly maxMs: number;
  /**
   * Attacks, once for all tests of the file: they share limits, and who waits for one lets another go on. Tells on stderr how far it is. Throws
   * when nothing could be attacked, or time ran out.
   */
  start(test?: TestLike): Promise<void>;
  /**
   * Passes when nothing of this kind got through. Throws otherwise, saying what did; without a route it is about the site. Where {@link OpenAttack.start} was not
   * called, as for tests that are chosen by name, it attacks what this asks about, and little more.
   */
  holds(test: TestLike, kind: AttackKind, route?: string): Promise<void>;
  /** Throws when the contract gives rise to attacks that no test has asked about. */
  isComplete(): Promise<void>;
  stop(): Promise<void>;
}

/** What is used of a test's context. */
interface TestLike {
  skip(message?: string): void;
  diagnostic?(message: string): void;
}

/**
 * Runs `curtainwall attack` for a file that `curtainwall attack --emit` wrote.
 *
 * @example
 * ```ts
 * import { after, test } from "node:test";
 * import { openAttack } from "curtainwall/audit";
 *
 * const attack = openAttack({ folder: new URL("../", import.meta.url), madeBy: "npx curtainwall attack --emit test/attack.generated.ts" });
 * after(() => attack.stop());
 * test("the attack is made", { timeout: attack.maxMs }, (t) => attack.start(t));
 * test("access · GET /api/orders/:id", (t) => attack.holds(t, "access", "GET /api/orders/:id"));
 * ```
 */
export function openAttack(options: OpenAttackOptions): OpenAttack {
  const { madeBy, environment = process.env } = options;
  const asked = new Set<string>();
  const reports = createAttackReports(options, environment);
  const mayMiss = environment["CURTAINWALL_ATTACK_ALLOW_MISSING"] === "1";
  return {
    maxMs,
    async start(test) {
      const report = await reports.whole();
      test?.diagnostic?.(sizeOf(report));
      const problem = problemOf(report, mayMiss);
      if (problem !== undefined) throw failed(problem);
    },
    async holds(test, kind, route) {
      const { report, isWhole } = await reports.about(kind, route);
      const { units, ended } = report;
      const name = unitName({ kind, route });
      asked.add(name);
      const unit = units.find((candidate) => unitName(candidate) === name);
      const knows = (key: string): boolean => !isWhole || units.some((candidate) => candidate.route === key);
      if (unit === undefined && route !== undefined && !knows(route))
        throw failed(`the contract has no route "${route}" any more; write the file again:  ${madeBy}`);
      // Of the whole it is the first test that says so.
      if (!isWhole && ended?.because === "target gone") throw failed(explainEnd(report) ?? ended.says);
      if (unit === undefined) test.skip(whyNone(report, kind));
      else if (unit.state === "not applicable") test.skip(why(unit.reasons));
      else if (unit.state === "broken" || (unit.state === "not made" && !mayMiss))
        throw failed(explainUnit(report, unit));
      else if (unit.state === "not made") test.skip(why([...unit.reasons, explainEnd(report) ?? ""]));
    },
    async isComplete() {
      const { units } = await reports.whole();
      const missing = units
        .filter(({ state }) => state !== "not applicable")
        .map(unitName)
        .filter((name) => !asked.has(name));
      if (missing.length > 0)
        throw failed(`no test asks about ${missing.join(", ")}; write the file again:  ${madeBy}`);
    },
    stop: reports.stop,
  };
}

/** Why a report has nothing of a kind that a test asks about. */
function whyNone({ leftOut }: AttackReport, kind: AttackKind): string {
  const lacks = [...new Set(leftOut.filter((one) => one.kind === kind).map((one) => one.lacks))];
  return printable(
    ["there is nothing to attack here any more", ...lacks.map((reason) => `left out: ${reason}`)].join("; "),
    1000,
  );
}

/** What was done, in a line. */
function sizeOf({ target, units, kinds, summary, durationMs }: AttackReport): string {
  const routes = new Set(units.flatMap(({ route }) => (route === undefined ? [] : [route]))).size;
  const of = `${counted(kinds.length, "kind")}, ${counted(routes, "route")}, ${counted(summary.attacks, "attack")}, ${counted(summary.attempts, "attempt")}`;
  return printable(`${target} was attacked: ${of}, ${Math.round(durationMs / 1000)} s`, 500);
}

/** Why the attack as a whole shows too little. That the stack was not there is never what may be missing. */
function problemOf(report: AttackReport, mayMiss: boolean): string | undefined {
  const { ended, summary } = report;
  const end = explainEnd(report);
  if (ended?.because === "target gone") return end;
  if (summary.held + summary.broken === 0) return ["nothing could be attacked", end ?? []].flat().join("; ");
  return mayMiss ? undefined : end;
}

/** A budget is a day at most. */
const maxMs = 25 * 3_600_000;

const why = (reasons: readonly string[]): string =>
  printable(reasons.filter((reason) => reason !== "").join("; "), 1000);
