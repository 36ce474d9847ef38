import type { AuditCheck, AuditReport, AuditRow } from "../report.ts";
import { checklist } from "../rows.ts";
import type { ChecklistItem } from "../rows.ts";
import { rules } from "../rules/index.ts";

/**
 * What a report that this version of the tool is said to have written has otherwise than this version writes it: rows and checks that are not there, or that there
 * are none of. One of forty-five checks proves no row, whoever signs that it does.
 */
export function ownCheckProblems({ rows }: AuditReport): string[] {
  const told = new Map(rows.map((row) => [row.id, row]));
  return [
    ...checklist.flatMap((item) => {
      const row = told.get(item.id);
      return row === undefined
        ? [`${item.id} is not there, and this version audits it`]
        : problemsOf(item, row);
    }),
    ...[...told.keys()]
      .filter((id) => !checklist.some((item) => item.id === id))
      .map((id) => `${id} is no row that this version audits`),
  ];
}

type KnownCheck = Pick<AuditCheck, "name" | "isSupporting">;

/** Those that a rule makes, and those that wait for what is not there yet. */
const ownChecks = ({ id, awaiting }: ChecklistItem): KnownCheck[] => [
  ...rules
    .flatMap((rule) => (rule.id === id ? rule.checks : []))
    .map(({ name, isSupporting }) => ({
      name,
      ...(isSupporting === true ? { isSupporting } : {}),
    })),
  ...awaiting,
];

function problemsOf(item: ChecklistItem, { id, verdict, checks }: AuditRow): string[] {
  const own = new Map(ownChecks(item).map((check) => [check.name, check]));
  const told = new Set<string>();
  const problems = checks.flatMap(({ name, isSupporting }) => {
    const known = own.get(name);
    if (known === undefined) return [`${id}, ${name}: this version makes no such check`];
    if (told.size === told.add(name).size) return [`${id}, ${name}: it stands there more than once`];
    return known.isSupporting === isSupporting
      ? []
      : [
          `${id}, ${name}: this version does ${isSupporting === true ? "" : "not "}count it as proof by itself`,
        ];
  });
  const missing = [...own.keys()].filter((name) => !told.has(name));
  return [
    // Neither records nor statements of people are part of an audit yet.
    ...(verdict === "evidenced" || verdict === "attested"
      ? [`${id} is said to be ${verdict}, and this version gives no such verdict`]
      : []),
    ...problems,
    ...missing.map((name) => `${id}, ${name}: this version makes this check, and it is not there`),
  ];
}
