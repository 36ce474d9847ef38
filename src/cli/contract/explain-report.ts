import type { RouteExplanation } from "../../gateway/index.ts";
import { wrap } from "../audit/audit-evidence.ts";

/** A route's checks, with where the contract asks for each. */
export interface LocatedExplanation extends RouteExplanation {
  /** Where the route is declared: `curtainwall.config.ts:61`. */
  readonly declared?: string | undefined;
  readonly steps: readonly (RouteExplanation["steps"][number] & { readonly declared?: string | undefined })[];
}

/** How an explanation is shown. */
export interface ExplanationPage {
  /** How wide a line may be; names and addresses may be longer. */
  readonly columns: number;
  /** What is said beside. */
  readonly dim: (text: string) => string;
}

/** Number, cost and the gaps between. */
const numberWidth = 5;
const costWidth = 12;

/** Writes a route's checks for people: what passes, with its cost and place, and below it what else happens. */
export function explanationText(
  { key, declared, steps, countedOn }: LocatedExplanation,
  { columns, dim }: ExplanationPage,
): string {
  const width = Math.max(...steps.map((step) => step.check.length));
  const indent = " ".repeat(numberWidth + width + costWidth);
  const all = steps.reduce((sum, { cost = 0 }) => sum + cost, 0);
  const beside = (text: string, place: string): string =>
    place !== "" && text.endsWith(place) ? `${text.slice(0, -place.length)}${dim(place)}` : text;
  const lines = steps.flatMap(({ check, cost, passes, otherwise, declared: place = "" }, index) => {
    const [first = "", ...more] = wrap(place === "" ? passes : `${passes}   ${place}`, columns, indent);
    const head = `${String(index + 1).padStart(numberWidth - 2)}  ${check.padEnd(width)}  ${dim(thousands(cost).padStart(7))}   `;
    return [
      head + beside(first.slice(indent.length), place),
      ...more.map((line) => beside(line, place)),
      ...wrap(`otherwise ${together(otherwise)}`, columns, indent).map(apart),
    ];
  });
  return [
    declared === undefined ? key : `${key}   ${dim(declared)}`,
    ...lines,
    "",
    ...wrap(
      `The numbers are thousands of instructions that a check takes, about ${thousands(all)} in all; at the path stands what every route takes.`,
      columns,
      "",
    ),
    ...wrap(
      `Counted by bench/step-costs.ts on ${countedOn}, of small inputs; without TLS, HTTP and the upstream.`,
      columns,
      "",
    ).map(dim),
  ].join("\n");
}

/** A status and its code stay on one line. */
const together = (text: string): string => text.replaceAll(/\b(\d{3}) (?=GATEWAY_)/g, "$1\u00A0");
const apart = (line: string): string => line.replaceAll("\u00A0", " ");

const thousands = (cost: number | undefined): string =>
  cost === undefined ? "" : `${(cost / 1000).toFixed(1)} k`;
