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

/** What to do next: each item that failed, then what was not looked at. That stands above, reason by reason, where not every check does. */
export function todoLines(report: AuditReport, page: Page): string[] {
  const { gap: gaps = [], ...others } = Object.groupBy(nextSteps(report), ({ about }) => about);
  const steps = [...Object.values(others).flat(), ...gapSteps(gaps, page)];
  if (steps.length === 0) return [];
  return [
    page.paint("bold", "What to do next"),
    ...steps.flatMap((step, index) => stepLines(report, step, { number: index + 1, ...page })),
  ];
}

function gapSteps(gaps: readonly NextStep[], { verbose }: Page): NextStep[] {
  if (gaps.length === 0) return [];
  if (!verbose)
    return [
      {
        about: "gap",
        what: `See to what was not checked, for ${counted(gaps.length, "reason")}: under "Not checked" above`,
      },
    ];
  const more = gaps.length - maxGaps;
  const rest: NextStep = {
    about: "gap",
    what: `And ${more} more reasons why checks were not made, at the items`,
  };
  return [...gaps.slice(0, maxGaps), ...(more > 0 ? [rest] : [])];
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
