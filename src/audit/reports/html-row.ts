import type { AuditCheck, AuditReport, AuditRow } from "../report.ts";
import { htmlEvidence, htmlSeen } from "./html-evidence.ts";
import {
  anchorOf,
  htmlCommand,
  htmlPlace,
  htmlText,
  htmlVerdict,
  stateMark,
  verdictMark,
} from "./html-text.ts";
import { failureOf } from "./failure.ts";
import type { Failure } from "./failure.ts";
import { stateOrder } from "./order.ts";
import { findingPlace } from "./place.ts";
import { counted } from "../../shared/index.ts";

type State = AuditCheck["state"];

const stateWords: Record<State, string> = {
  failed: "failed",
  missing: "not made",
  passed: "passed",
  "not applicable": "not applicable",
};

/**
 * An item of the checklist with its checks: each that failed in lines that open to its evidence, the others folded by how they ended. An item
 * that failed is open.
 */
export function htmlRow(report: AuditReport, row: AuditRow, index: number): string {
  const { id, title, verdict, checks, reason } = row;
  const [worst, ...others] = stateOrder.filter((ended) => checks.some(({ state }) => state === ended));
  // A browser opens what encloses the place that a link leads to, so that stands inside.
  const isTold = verdict === "failed" || verdict === "unknown";
  return `<details class="row${isTold ? " told" : ""}"${verdict === "failed" ? " open" : ""}>
<summary>${verdictMark(verdict)}<span class="id">${htmlText(id)}</span><h3>${htmlText(title)}</h3><span class="count">${htmlVerdict(row)}</span></summary>
<div id="${anchorOf("item", index)}">
${reason === undefined ? "" : `<p class="reason">${htmlText(reason)}</p>`}
${worst === undefined ? "" : groupOf(report, row, worst, true)}
${others.map((state) => groupOf(report, row, state, false)).join("\n")}
</div>
</details>`;
}

function groupOf(report: AuditReport, row: AuditRow, state: State, isOpen: boolean): string {
  const checks = row.checks.filter((check) => check.state === state);
  const isShown = (check: AuditCheck): boolean => state === "failed" || check.evidence.length > 0;
  // Those without evidence have a reason, which many share.
  const bare = Map.groupBy(
    checks.filter((check) => !isShown(check)),
    ({ reason = "" }) => reason,
  );
  const lines = [
    ...checks.filter(isShown).map((check) => checkOf(report, row, check)),
    ...[...bare].map(([reason, alike]) => bareOf(reason, alike)),
  ].join("\n");
  if (state === "failed") return lines;
  return `<details class="group${state === "missing" ? " told" : ""}"${isOpen ? " open" : ""}>
<summary>${stateMark(state)}<span>${checks.length} ${stateWords[state]}</span></summary>
${lines}
</details>`;
}

function bareOf(reason: string, checks: readonly AuditCheck[]): string {
  const names = checks.map(({ name }) => htmlText(name)).join("; ");
  return `<p class="bare">${names}${reason === "" ? "" : `<span class="reason">${htmlText(reason)}</span>`}</p>`;
}

function checkOf(report: AuditReport, row: AuditRow, check: AuditCheck): string {
  const { name, state, attack, observations, reason, reproduce } = check;
  const failure = failureOf(check);
  // What held would look like more of what failed.
  const evidence = failure?.evidence ?? check.evidence;
  const shown =
    evidence.length > 1
      ? `<span class="paper">, printed is the first of ${evidence.length} pieces of evidence</span>`
      : "";
  const made = `${counted(observations, "observation")}${failure === undefined ? countedOf(check) : outcomeOf(failure)}${attack === undefined ? "" : `, attack: ${htmlText(attack)}`}${shown}`;
  const pieces = evidence.map((piece, index) =>
    htmlEvidence(piece, {
      isFailing: failure !== undefined,
      isOpen: index === 0,
      where: findingPlace(report, check, piece),
    }),
  );
  const isTold = evidence.some((piece) => piece.kind === "exchange" && piece.reproduce === reproduce);
  return `<details class="check${state === "failed" ? " failing told" : ""}">
<summary>${stateMark(state)}<span><span class="name">${htmlText(name)}</span> <span class="made">${made}</span>${failure === undefined ? "" : findingOf(report, check, failure)}</span></summary>
${reason === undefined ? "" : `<p class="reason">${htmlText(reason)}</p>`}
${pieces.join("\n")}
${failure === undefined ? "" : unkeptOf(failure)}
${mendsOf(report, row, check)}
${isTold ? "" : `<p class="reason lead">See it again:</p>${htmlCommand(reproduce)}`}
</details>`;
}

/** Evidence is kept of the first observations alone. */
const countedOf = ({ observations, evidence }: AuditCheck): string =>
  evidence.length === 0 || observations <= evidence.length
    ? ""
    : `, the first ${evidence.length} kept as evidence and ${observations - evidence.length} more counted`;

const outcomeOf = ({ broken, held }: Failure): string =>
  held === undefined ? "" : `: ${broken} failed${held === 0 ? "" : `, and ${held} that held`}`;

function unkeptOf({ evidence, broken }: Failure): string {
  const more = broken - evidence.length;
  return more <= 0 || evidence.length === 0
    ? ""
    : `<p class="reason">And ${more} more that failed: they were counted, and no evidence of them is kept.</p>`;
}

/** What a failure is, in a line that shows while its evidence is folded. */
function findingOf(report: AuditReport, check: AuditCheck, { evidence, broken }: Failure): string {
  const [first] = evidence;
  if (first === undefined)
    return `<span class="finding">${htmlText(check.reason ?? "")}${htmlPlace(findingPlace(report, check, undefined))}</span>`;
  const more = broken <= 1 ? "" : ` <span class="made">and ${broken - 1} more</span>`;
  return `<span class="finding">${htmlText(first.about)}${htmlSeen(first)}${more}</span>`;
}

/** Leads to the code that would mend a check. */
function mendsOf({ mends = [] }: AuditReport, { id }: AuditRow, { name }: AuditCheck): string {
  return mends
    .flatMap(({ says, checks }, index) =>
      checks.some((found) => found.row === id && found.name === name)
        ? [
            `<p class="lead">Code that mends it: <a href="#${anchorOf("mend", index)}">${htmlText(says)}</a></p>`,
          ]
        : [],
    )
    .join("\n");
}
