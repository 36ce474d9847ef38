import { printable } from "../../shared/index.ts";
import type { Permission, PermittedUse, Permits, SchemaNode } from "./permission.ts";
import type { Widening } from "./review.ts";

/** Says what would be permitted, and what was before: a line. */
export function describeWidening({ at, permits, was, isGone }: Widening): string {
  const before = was.map(describePermits).join(" or ");
  if (isGone) return `${printable(at)}: no longer ${before}`;
  if (before === "") return `${printable(at)}: ${describePermits(permits)}`;
  return `${printable(at)}: ${before} → ${describePermits(permits)}`;
}

/** A permission, in words. */
export const describePermission = ({ at, permits }: Permission): string =>
  `${printable(at)}: ${describePermits(permits)}`;

function describePermits(permits: Permits): string {
  if (typeof permits === "string") return printable(permits, 300);
  if ("atMost" in permits) return `at most ${permits.atMost}`;
  if ("atLeast" in permits) return `at least ${permits.atLeast}`;
  if ("limits" in permits) return printable(permits.limits.join(" and ") || "no limit", 300);
  if ("access" in permits) return printable(wordsOf(permits.access), 300);
  if ("option" in permits) return printable(JSON.stringify(permits.option), 300);
  if ("use" in permits) return printable(describeUse(permits.use), 300);
  if ("guards" in permits && permits.guards.check !== undefined) return printable(permits.guards.check, 300);
  if ("guards" in permits)
    return Object.keys(permits.guards).length === 0
      ? "nothing"
      : printable(JSON.stringify(permits.guards), 300);
  return printable(describeNode(permits), 300);
}

/** `/v1/*, of its query: city` */
function describeUse({ path, query, body }: PermittedUse): string {
  const part = (what: string, node: SchemaNode | undefined): string[] => {
    if (node === undefined) return [];
    const members = Object.entries(node.members ?? {}).map(
      ([name, member]) => `${name} (${describeNode(member)})`,
    );
    return [`${what} ${members.length === 0 ? describeNode(node) : members.join(", ")}`];
  };
  return [path, ...part("query:", query), ...part("body:", body)].join("; ");
}

/** `role staff`, `owner user`. */
function wordsOf(access: unknown): string {
  if (typeof access !== "object" || access === null) return JSON.stringify(access);
  const { kind, ...rest } = access as Record<string, unknown>;
  return [
    kind,
    ...Object.values(rest).map((value) => (typeof value === "string" ? value : JSON.stringify(value))),
  ].join(" ");
}

function describeNode(node: SchemaNode): string {
  const {
    type,
    required,
    nullable,
    coerce,
    min,
    above,
    max,
    below,
    also = [],
    changes = [],
    values = [],
    parts = [],
  } = node;
  return [
    type === "values" ? values.join(" | ") : type,
    ...(coerce === true ? ["from text"] : []),
    ...(min === undefined ? [] : [`from ${min}`]),
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(max === undefined ? [] : [`to ${max}`]),
    ...(below === undefined ? [] : [`below ${below}`]),
    ...(changes.length === 0 ? also : [`in this order: ${changes.join(", ")}`]),
    ...(nullable === true ? ["or null"] : []),
    ...(required === true ? ["(required)"] : []),
    ...(parts.length === 0 ? [] : [`of (${parts.map(describeNode).join("; ")})`]),
  ].join(" ");
}
