import type { ContractRoute } from "../../contract/index.ts";
import type { Tally } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { honestCalls } from "../requests/inputs.ts";
import { isSuccess } from "./shared.ts";

/** Reads what a route writes, as the plan says. */
export async function readState(context: AuditContext, route: ContractRoute): Promise<string | undefined> {
  const reader = context.plan.state?.[route.key];
  if (reader === undefined) return undefined;
  if (typeof reader === "function") return JSON.stringify(await reader());
  const source = context.declaredRoutes.find((candidate) => candidate.key === reader);
  if (source === undefined) return undefined;
  const writers = new Set(honestCalls(context, route).map(({ as }) => as));
  const answers: string[] = [];
  for (const honest of honestCalls(context, source)) {
    if (honest.as !== undefined && !writers.has(honest.as)) continue;
    const { response } = await context.caller.call({ route: source, ...honest });
    if (!isSuccess(response.status)) return undefined;
    answers.push(response.text());
  }
  return answers.length === 0 ? undefined : JSON.stringify(answers);
}

/**
 * Makes requests that a route which writes must refuse, and sees by what it writes that none of them was done all the same: a status alone may say
 * no to what has happened. What the plan does not say how to read shows its status alone.
 */
export async function unchanged(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  refusals: () => Promise<void>,
): Promise<void> {
  if (route.method === "GET") return refusals();
  // A sample that makes what it names is to have made it before.
  honestCalls(context, route);
  const before = await readState(context, route);
  const { broken } = tally;
  await refusals();
  if (before === undefined) return;
  const after = await readState(context, route);
  if (after === undefined)
    return tally.miss(`${route.key}: what it writes could not be read again after it had refused requests`);
  // What was let through openly has been told already.
  if (tally.broken > broken) return;
  tally.expect(before === after, {
    kind: "measurement",
    about: `${route.key}: what it writes, before and after requests that it refused`,
    value: before === after ? "the same" : `changed from ${excerpt(before)} to ${excerpt(after)}`,
  });
}

const excerpt = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text);
