import type { AuditMend, AuditReport } from "../../audit/index.ts";
import { clean, wrap } from "./audit-evidence.ts";

/** How mends are laid out. */
interface Page {
  paint(style: "bold" | "cyan" | "dim", text: string): string;
  columns: number;
  /** The code too, and not only what it would mend. */
  verbose: boolean;
}

const maxNames = 3;

/** What would mend the failures, in the words of the framework that the target is made with. */
export function mendLines({ mends = [] }: AuditReport, page: Page): string[] {
  if (mends.length === 0) return [];
  const named = new Map(mends.map(({ framework, because }) => [framework, because]));
  const by = [...named].map(([name, because]) => `${name} (${clean(because)})`).join(", ");
  return [
    page.paint("bold", "Mends"),
    ...wrap(
      `For ${by}. Each mends what it names; try it, then audit again. None stands for a contract that is enforced.${page.verbose ? "" : " The code of each: --verbose, or --html file."}`,
      page.columns,
      "  ",
    ),
    ...mends.flatMap((mend, index) => linesOf(mend, index + 1, page)),
  ];
}

/** The mends of some places in a report's list, by the numbers that they stand under. */
export function mendNumbers({ mends = [] }: AuditReport, places: readonly number[]): string {
  const [first = 0, ...others] = places;
  const numbers = others.map((place) => String(place + 1));
  const too = numbers.length === 0 ? "" : `; also ${numbers.join(", ")}`;
  return `mend ${first + 1} above: ${clean(mends[first]?.says ?? "")}${too}`;
}

function linesOf(
  { checks, says, framework, where, code }: AuditMend,
  number: number,
  { paint, columns, verbose }: Page,
): string[] {
  const title = wrap(`${number}. ${clean(says)}`, columns, "  ");
  if (!verbose) return title;
  return [
    "",
    ...title,
    ...wrap(`found by ${namesOf(checks)}`, columns, "  ").map((line) => paint("dim", line)),
    ...wrap(`${framework}, ${clean(where)}:`, columns, "  "),
    ...code.split("\n").map((line) => paint("cyan", `    ${clean(line.replaceAll("\t", "    "))}`.trimEnd())),
  ];
}

function namesOf(checks: AuditMend["checks"]): string {
  const byRow = [...Map.groupBy(checks, ({ row }) => row)];
  return byRow
    .map(([row, found]) => {
      const names = found.slice(0, maxNames).map(({ name }) => clean(name));
      const more = found.length > maxNames ? ` and ${found.length - maxNames} more` : "";
      return `${clean(row)}: ${names.join(", ")}${more}`;
    })
    .join("; ");
}
