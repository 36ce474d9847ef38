import type { ContractRoute } from "../../contract/index.ts";
import type { Mutant } from "./mutate.ts";
import type { AuditInput } from "../plan/plan.ts";

/**
 * Bodies with one more than `jsonLimits` allow: levels, members, elements, characters. All are refused whatever the schema says, so that nothing of
 * them needs to be built before it is looked at. What would not fit into `maxBodyBytes` is left out: that bound comes first.
 */
export function* mutateCounts(route: ContractRoute, input: AuditInput): Generator<Mutant> {
  const { body, maxBodyBytes, jsonLimits } = route;
  if (body === undefined) return;
  const { depth, members, elements, textLength } = jsonLimits;
  const good = JSON.stringify(input.body);
  const candidates: Mutant[] = [
    {
      name: `${depth + 1} levels, one more than jsonLimits.depth`,
      kind: "depth",
      rawBody: withMember(good, "[".repeat(depth) + "]".repeat(depth)),
    },
    {
      name: `${members + 1} members, one more than jsonLimits.members`,
      kind: "counts",
      rawBody: `{${Array.from({ length: members + 1 }, (_, index) => `"${index.toString(36)}":1`).join(",")}}`,
    },
    {
      name: `${elements + 1} elements, one more than jsonLimits.elements`,
      kind: "counts",
      rawBody: withMember(good, `[${"1,".repeat(elements)}1]`),
    },
    {
      name: `a text of ${textLength + 1} characters, one more than jsonLimits.textLength`,
      kind: "counts",
      rawBody:
        withLongText(input.body, textLength + 1) ?? withMember(good, `"${"a".repeat(textLength + 1)}"`),
    },
  ];
  for (const candidate of candidates) if ((candidate.rawBody?.length ?? 0) <= maxBodyBytes) yield candidate;
}

/** Puts one more member into an object's text; what is no object gives way to the value. */
function withMember(good: string, value: string): string {
  if (!good.startsWith("{")) return value;
  return good === "{}" ? `{"undeclared":${value}}` : `{"undeclared":${value},${good.slice(1)}`;
}

/** The body with its first text made longer, so that the schema may like all else about it. */
function withLongText(body: unknown, length: number): string | undefined {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return undefined;
  const [name] = Object.entries(body).find(([, value]) => typeof value === "string") ?? [];
  return name === undefined ? undefined : JSON.stringify({ ...body, [name]: "a".repeat(length) });
}
