import { counted } from "../../shared/index.ts";
import { printable } from "../evidence.ts";
import type { Evidence } from "../evidence.ts";
import { attackKinds } from "./kinds.ts";
import type { AttackReport, AttackUnit, BrokenPromise } from "./report.ts";
import { unitName } from "./units.ts";

const maxAnswer = 600;
const maxShown = 8;

/** Text of a report as it may be printed, whoever made it. */
const clean = (text: string, maxLength = 2000): string => printable(text, maxLength);

/** Says how a promise was broken: what was tried, the request, the answer, the promise with its place, and a command that shows it again. */
export function explainBroken(broken: BrokenPromise): string[] {
  const { kind, route, promise, at, check, row, evidence, reproduce } = broken;
  const whose = route === undefined ? "the stack" : clean(route);
  return [
    `${clean(unitName(broken), 200)}: ${clean(evidence.about, 600)}`,
    `  tried      ${attackKinds[kind]}, by "${clean(check)}" (${clean(row)}); counted under ${kind}`,
    ...seen(evidence),
    `  promise    what the contract says at "${promise}:" of ${whose}${at === undefined ? "" : `, ${clean(at)}`}`,
    `  again      ${clean(reproduce)}`,
  ];
}

function seen(evidence: Evidence): string[] {
  switch (evidence.kind) {
    case "exchange": {
      const { request, response } = evidence;
      const body =
        request.body === undefined || request.body === "" ? "" : `  ${clean(request.body, maxAnswer)}`;
      const answer = response.body === "" ? "" : `  ${clean(response.body, maxAnswer)}`;
      return [
        `  request    ${clean(request.method)} ${clean(request.url)} (${clean(request.protocol)})${body}`,
        ...request.headers.map((header) => `             ${clean(header)}`),
        `  answer     ${response.status}${answer}`,
      ];
    }
    case "measurement":
      return [`  seen       ${clean(String(evidence.value))} ${clean(evidence.unit ?? "")}`.trimEnd()];
    case "command":
      return [
        `  seen       ${clean(evidence.command)} → ${evidence.exitCode} ${clean(evidence.output, maxAnswer)}`,
      ];
    case "file":
      return [`  seen       ${clean(evidence.file)} ${clean(evidence.excerpt ?? "", maxAnswer)}`.trimEnd()];
    case "contract":
      return [`  seen       ${clean(evidence.at)}`];
  }
}

/** Says why an attack ended early, if it did, and what helps; a longer time is asked for as tests ask for it. */
export function explainEnd({ ended }: Pick<AttackReport, "ended">): string | undefined {
  if (ended === undefined) return undefined;
  const { says, longer, start } = ended;
  const more = longer === undefined ? "" : `; CURTAINWALL_ATTACK_BUDGET=${longer} gives it longer`;
  const again = start === undefined ? "" : `; start it again with  ${start}`;
  return clean(`the attack ended early: ${says}${more}${again}`, 4000);
}

/** Says what became of a kind of attack on a route or on the site, in full: what a test that fails prints. */
export function explainUnit(report: AttackReport, unit: AttackUnit): string {
  const broken = report.broken.filter(({ kind, route }) => kind === unit.kind && route === unit.route);
  const lines = broken.slice(0, maxShown).flatMap((found) => ["", ...explainBroken(found)]);
  const more =
    unit.gotThrough > Math.min(broken.length, maxShown)
      ? [`\n${unit.gotThrough} of ${counted(unit.attempts, "attempt")} got through.`]
      : [];
  const reasons = unit.reasons.map((reason) => `\nnot made: ${clean(reason)}`);
  const end = unit.notMade > 0 ? explainEnd(report) : undefined;
  return [
    `${clean(unitName(unit), 200)}: ${unit.state}`,
    ...lines,
    ...more,
    ...reasons,
    ...(end === undefined ? [] : [end]),
  ].join("\n");
}
