import type { ContractRoute } from "../../../contract/index.ts";
import type { Tally } from "../../check.ts";
import type { AuditContext } from "../../context.ts";
import type { Exchange } from "../../probes/probe.ts";
import { brokenBody } from "../../requests/input-values.ts";
import { honestCalls } from "../../requests/inputs.ts";
import { smallestAllowance, untilRefused } from "../limits.ts";
import { isClientError, protectedRoutes } from "../shared.ts";
import { strangerTo } from "../api-1/kept.ts";
import { problemOf } from "../provocations.ts";
import { timed } from "./deeds.ts";
import type { Deed } from "./deeds.ts";

/** Whoever is known, and asks for what is somebody else's: some are found out before anything was read, some after, some by the answer alone. */
export async function strangersCalls(context: AuditContext, tally: Tally): Promise<Deed[]> {
  const deeds: Deed[] = [];
  for (const route of protectedRoutes(context).filter(({ stream }) => stream?.kind !== "events")) {
    const [honest] = honestCalls(context, route);
    const stranger = honest && strangerTo(context, route, honest.as);
    const identity = stranger === undefined ? undefined : context.plan.identities?.[stranger];
    if (honest === undefined || stranger === undefined || identity === undefined) continue;
    const done = await timed(context, () =>
      context.caller.call({ route, input: honest.input, as: stranger }),
    );
    const deed = refusalOf(route, done, `${stranger} refused at ${route.key}`, {
      subject: identity.subject,
    });
    if (deed === undefined)
      tally.miss(`${route.key}: ${stranger} was answered ${done.exchange.response.status}, without an id`);
    else deeds.push(deed);
  }
  return deeds;
}

/** Whoever is known, and sends what the route does not take: whose mistake it was is part of what happened. */
export async function knownCallers(context: AuditContext): Promise<Deed[]> {
  const deeds: Deed[] = [];
  for (const route of protectedRoutes(context)) {
    const [honest] = honestCalls(context, route);
    const subject = context.plan.identities?.[honest?.as ?? ""]?.subject;
    // What writes without a body might be done all the same.
    if (honest === undefined || subject === undefined || (route.method !== "GET" && route.body === undefined))
      continue;
    const mark = context.mark();
    const bent = route.body === undefined ? { rawQuery: `${mark}=${mark}` } : { rawBody: brokenBody(route) };
    const done = await timed(context, () => context.caller.call({ route, ...honest, ...bent }));
    const deed = refusalOf(route, done, `${honest.as} refused at ${route.key} for what was sent`, {
      subject,
    });
    if (deed !== undefined) deeds.push(deed);
  }
  return deeds;
}

/** A page from elsewhere that asks with somebody's token. */
export async function foreignPage(context: AuditContext): Promise<Deed[]> {
  const route = protectedRoutes(context).find(({ method }) => method === "GET");
  const [honest] = route === undefined ? [] : honestCalls(context, route);
  if (route === undefined || honest === undefined) return [];
  const done = await timed(context, () =>
    context.caller.call({ route, ...honest, headers: [["origin", "https://attacker.invalid"]] }),
  );
  const deed = refusalOf(
    route,
    done,
    `a page from elsewhere refused at ${route.key}`,
    reasonOf(done.exchange),
  );
  return deed === undefined ? [] : [deed];
}

/** Why it was refused, in the log's words. */
const reasonOf = (exchange: Exchange): Deed["says"] => ({
  event: "gateway.request.refused",
  status: exchange.response.status,
  code: problemOf(exchange)?.code,
});

/** So many requests are spent on being refused for them, at most. */
const maxSpent = 120;

/** Whoever comes too often, where that is soonest. */
export async function tooMany(context: AuditContext): Promise<Deed[]> {
  const allowance = smallestAllowance(context);
  const client = context.caller.freshClient();
  if (typeof allowance === "string" || client === undefined || allowance.limit.burst > maxSpent) return [];
  const { route, limit, call } = allowance;
  const request = { ...(await context.caller.request(call)), client };
  const from = context.now();
  const exchange = await untilRefused(context, request, limit.burst * 2);
  if (exchange === undefined) return [];
  const done = { exchange, at: [from, context.now()] as const };
  const deed = refusalOf(route, done, `${route.key} refused for coming too often`, {
    ...reasonOf(exchange),
    client,
  });
  return deed === undefined ? [] : [deed];
}

/** So many are refused at the same moment. */
const crowd = 16;

/** Many refusals at once: each of them is one to the log, however alike they are. */
export async function crowdedCalls(context: AuditContext): Promise<Deed[]> {
  const route = protectedRoutes(context).find(
    ({ limits }) => Math.min(...limits.map(({ burst }) => burst)) > crowd,
  );
  const [honest] = route === undefined ? [] : honestCalls(context, route);
  const client = context.caller.freshClient();
  if (route === undefined || honest === undefined || client === undefined) return [];
  const protocol = context.protocols.at(-1) ?? context.protocols[0];
  const request = { ...(await context.caller.request({ route, input: honest.input })), client, protocol };
  const done = await Promise.all(
    Array.from({ length: crowd }, () =>
      timed(context, async () => ({ request, response: await context.wire.send(request) })),
    ),
  );
  return done.flatMap((one) => refusalOf(route, one, `${route.key} refused, one of ${crowd} at once`) ?? []);
}

/** A refusal with an id, which its record has too. */
function refusalOf(
  route: ContractRoute,
  done: { readonly exchange: Exchange; readonly at: Deed["at"] },
  about: string,
  says: Deed["says"] = {},
): Deed | undefined {
  const id = problemOf(done.exchange)?.id;
  if (!isClientError(done.exchange.response.status) || typeof id !== "string") return undefined;
  return {
    ...done,
    about,
    isOf: (record) => record["id"] === id,
    says: { source: "edge", route: route.key, ...says },
  };
}
