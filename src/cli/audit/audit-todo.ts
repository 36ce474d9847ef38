import { nextSteps } from "../../audit/index.ts";
import type { AuditReport, NextStep } from "../../audit/index.ts";
import { clean, wrap } from "./audit-evidence.ts";
import { mendNumbers } from "./audit-mends.ts";
import { counted } from "../../shared/index.ts";

/** How steps are laid out. */
interface Page {
  paint(style: "bold" | "cyan", text: string): string;
  columns: number;
  verbose: boolean;
}

const maxGaps = 8;
const maxBriefGaps = 3;

/** What to do next: each item that failed, then what was not looked at, and why. */
export function todoLines(report: AuditReport, page: Page): string[] {
  const { gap: gaps = [], ...others } = Object.groupBy(nextSteps(report), ({ about }) => about);
  const steps = [...Object.values(others).flat(), ...gapSteps(gaps, report, page)];
  if (steps.length === 0) return [];
  return [
    page.paint("bold", "What to do next"),
    ...steps.flatMap((step, index) => stepLines(report, step, { number: index + 1, ...page })),
  ];
}

/** The first reasons say what can be done now: they are in order of how much they keep from being checked. */
function gapSteps(gaps: readonly NextStep[], { unreachable }: AuditReport, { verbose }: Page): NextStep[] {
  // Why a target was not reached stands at the top already.
  const [known] = unreachable?.split("  ") ?? [];
  const isKnown = ({ what }: NextStep): boolean => known !== undefined && what.includes(known);
  const shown = gaps.slice(0, verbose ? maxGaps : maxBriefGaps).filter((step) => verbose || !isKnown(step));
  const more = gaps.length - shown.length;
  if (more === 0) return shown;
  const reasons = counted(more, "more reason");
  const rest: NextStep = {
    about: "gap",
    what: `And ${reasons} why checks were not made: ${verbose ? "at the items" : 'under "Not made" above'}`,
  };
  return [...shown, rest];
}

function stepLines(
  report: AuditReport,
  { what, where, command, mends }: NextStep,
  { number, columns, paint }: Page & { number: number },
): string[] {
  return [
    ...wrap(`${number}. ${clean(what)}${where === undefined ? "" : ` (${clean(where)})`}`, columns, "  "),
    ...(mends === undefined ? [] : wrap(mendNumbers(report, mends), columns, "     ")),
    ...(command === undefined ? [] : [paint("cyan", `     $ ${clean(command)}`)]),
  ];
}
