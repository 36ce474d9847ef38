import { memberNames } from "../../../contract/index.ts";
import type { ContractRoute } from "../../../contract/index.ts";
import { z } from "zod";
import type { Check, Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import { honestCalls } from "../../requests/inputs.ts";
import type { HonestCall } from "../../requests/inputs.ts";
import { isSuccess, see, withoutRoutes } from "../shared.ts";
import { answerOf } from "../unserved.ts";

/**
 * Routes that do something for whoever calls, and know what was done already by something that the caller chose: a reference, a key of idempotency,
 * or all that was sent. What somebody else sent before is not the next caller's.
 */
const writesForCallers = ({ contract }: AuditContext): ContractRoute[] =>
  contract.routes.filter(
    ({ method, access, body, webhook }) =>
      method !== "GET" && access.kind !== "everyone" && body !== undefined && webhook === undefined,
  );

/** One request, sent by two callers. */
export const sameRequest: Check = {
  name: "what two callers send alike is done for each",
  kind: "live",
  attack: { kind: "objects", promise: "access", per: "route" },
  isActive: true,
  isSupporting: true,
  notApplicable: (context) =>
    withoutRoutes(context) ??
    (writesForCallers(context).length === 0 ? "no route writes something for its caller" : undefined),
  run: async (context, tally) => {
    for (const route of writesForCallers(context)) {
      const [first, second] = callersAlike(context, route);
      if (first === undefined || second === undefined)
        tally.notApplicable(`no two callers in the plan may send the same to ${route.key}`);
      else await sendTwice(context, tally, route, first, second);
    }
  },
};

/** Callers whose requests differ in their tokens alone. */
function callersAlike(context: AuditContext, route: ContractRoute): HonestCall[] {
  const calls = honestCalls(context, route);
  const shapeOf = ({ input: { params, query } }: HonestCall): string => JSON.stringify([params, query]);
  return calls.filter((call) => calls[0] !== undefined && shapeOf(call) === shapeOf(calls[0]));
}

async function sendTwice(
  context: AuditContext,
  tally: Tally,
  route: ContractRoute,
  first: HonestCall,
  second: HonestCall,
): Promise<void> {
  const input = { ...first.input, body: withChosen(route, first.input.body) };
  const one = await context.caller.call({ route, as: first.as, input });
  if (!isSuccess(one.response.status))
    return tally.miss(
      `${route.key}: the honest request, with all that may be chosen, was answered ${answerOf(context, one)}`,
    );
  const given = idsIn(one.response.text(), JSON.stringify(input));
  const owner = context.plan.identities?.[first.as ?? ""]?.subject;
  const other = await context.caller.call({ route, as: second.as, input });
  const text = other.response.text();
  const told = [...given, ...(owner === undefined ? [] : [owner])].find((id) => text.includes(id));
  if (given.length === 0 && owner === undefined)
    tally.notApplicable(`${route.key} answers nothing that tells whose it is`);
  else
    tally.expect(
      told === undefined,
      see(
        context,
        `${route.key}: ${second.as} sends what ${first.as} sent, and is told nothing of what was done for ${first.as}`,
        other,
      ),
    );
}

/** A body with all of its optional members that may be an id of the caller's own choice. */
function withChosen({ body: schema, bodyType }: ContractRoute, body: unknown): unknown {
  if (schema === undefined || bodyType !== "json" || typeof body !== "object" || body === null) return body;
  let chosen: Record<string, unknown> = { ...body };
  for (const name of memberNames(schema)) {
    if (Object.hasOwn(chosen, name)) continue;
    const more = { ...chosen, [name]: crypto.randomUUID() };
    if (z.safeParse(schema, more).success) chosen = more;
  }
  return chosen;
}

const uuid = /\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/gi;

/** Ids in an answer that its caller did not send. */
const idsIn = (text: string, sent: string): string[] =>
  [...new Set(text.match(uuid) ?? [])].filter((id) => !sent.includes(id));
